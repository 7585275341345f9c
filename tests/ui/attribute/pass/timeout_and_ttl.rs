use tool_contract::tool;
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "read", timeout = "1500ms")]
async fn look_up(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

#[tool(side_effect = "write", idempotent, rollback = "none", ttl = "30d")]
async fn charge(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

#[tool(side_effect = "write", idempotent, rollback = "none", ttl(window = "7d", sliding))]
async fn renew(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

#[tool(side_effect = "write", idempotent, rollback = "none", ttl(window = "7d", sliding = false))]
async fn refund(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

fn main() {}
