use tool_contract::tool;
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "write", idempotent(key = "{memo}"), rollback = "none")]
async fn charge(order_id: String, #[arg(ignore)] memo: String) -> Result<Receipt, ShopError> {
    receipt(&format!("{order_id}/{memo}"))
}

fn main() {}
