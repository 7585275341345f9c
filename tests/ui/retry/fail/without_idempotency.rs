use tool_contract::tool;
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(
    side_effect = "write",
    idempotent = false,
    retry(max = 3, on = "retryable"),
    rollback = "none"
)]
async fn charge(order_id: String, cents: u64) -> Result<Receipt, ShopError> {
    receipt(&format!("{order_id}/{cents}"))
}

fn main() {}
