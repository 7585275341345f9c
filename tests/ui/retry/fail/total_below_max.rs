use tool_contract::tool;
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(
    side_effect = "write",
    idempotent,
    rollback = "none",
    retry(max = 5, max_total = 3, on = "retryable")
)]
async fn charge(order_id: String, cents: u64) -> Result<Receipt, ShopError> {
    receipt(&format!("{order_id}/{cents}"))
}

fn main() {}
