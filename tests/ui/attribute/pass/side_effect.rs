use tool_contract::tool;
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "read")]
async fn look_up(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

#[tool(side_effect = "write", idempotent, rollback = "none")]
async fn charge(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

#[tool(side_effect = "destructive", idempotent, rollback = "none", confirm(by = "human"))]
async fn delete(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

fn main() {}
