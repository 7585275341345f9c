use tool_contract::{Asked, Done, tool};
use tool_contract_tests::ui::ShopError;

pub struct Handle;

#[tool(side_effect = "write", idempotent, rollback = "undo", reconcile = "find")]
pub async fn open(order_id: String) -> Result<Handle, ShopError> {
    drop(order_id);
    Ok(Handle)
}

async fn undo(_: Done<Open>) -> Result<(), ShopError> {
    Ok(())
}

async fn find(_: Asked<Open>) -> Result<Option<Handle>, ShopError> {
    Ok(None)
}

fn main() {}
