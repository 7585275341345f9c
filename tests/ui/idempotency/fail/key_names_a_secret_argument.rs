use tool_contract::tool;
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "write", idempotent(key = "{card}"), rollback = "none")]
async fn charge(order_id: String, #[arg(secret)] card: String) -> Result<Receipt, ShopError> {
    receipt(&format!("{order_id}/{card}"))
}

fn main() {}
