use tool_contract::tool;
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "write", idempotent, rollback = "none", in_flight = "wait", remint = "warn")]
async fn charge(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

#[tool(
    side_effect = "write",
    idempotent,
    rollback = "none",
    in_flight = "reject",
    remint = "reject"
)]
async fn refund(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

#[tool(side_effect = "write", idempotent, rollback = "none", remint = "replay")]
async fn mail(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

fn main() {}
