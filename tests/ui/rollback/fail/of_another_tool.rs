use tool_contract::{Done, tool};
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "write", idempotent, rollback = "undo")]
async fn charge(order_id: String, cents: u64) -> Result<Receipt, ShopError> {
    receipt(&format!("{order_id}/{cents}"))
}

#[tool(side_effect = "write", idempotent, rollback = "none")]
async fn refund(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

async fn undo(_: Done<Refund>) -> Result<(), ShopError> {
    Ok(())
}

fn main() {}
