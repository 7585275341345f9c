use tool_contract::{Done, Tool, tool};
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "write", idempotent, rollback = "undo::charge")]
async fn charge(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

#[tool(side_effect = "write", idempotent, rollback = undo::any)]
async fn refund(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

#[tool(side_effect = "write", idempotent, rollback = "manual_only")]
async fn mail(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

#[tool(side_effect = "write", idempotent, rollback = "none")]
async fn note(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

#[tool(side_effect = "write", idempotent, rollback = none)]
async fn note_bare(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

mod undo {
    use super::*;

    pub async fn charge(_: Done<Charge>) -> Result<(), ShopError> {
        Ok(())
    }

    pub async fn any<T: Tool>(_: Done<T>) -> Result<(), String> {
        Ok(())
    }
}

fn main() {}
