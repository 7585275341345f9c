use tool_contract::tool;
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(
    side_effect = "write",
    idempotent,
    rollback = "none",
    rate_limit(per_tool = "100/s", per_tenant = "20/min", per_user = "10/h", per_workflow = "50")
)]
async fn charge(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

#[tool(
    side_effect = "write",
    idempotent,
    rollback = "none",
    rate_limit(per_workflow = 50, per_user = "5/d")
)]
async fn refund(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

fn main() {}
