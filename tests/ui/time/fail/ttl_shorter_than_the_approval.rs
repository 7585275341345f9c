use tool_contract::tool;
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(
    side_effect = "destructive",
    idempotent,
    rollback = "none",
    confirm(by = "human", ttl = "2d"),
    ttl = "1d"
)]
async fn charge(order_id: String, cents: u64) -> Result<Receipt, ShopError> {
    receipt(&format!("{order_id}/{cents}"))
}

fn main() {}
