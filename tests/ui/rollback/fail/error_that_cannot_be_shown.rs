use tool_contract::{Done, tool};
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "write", idempotent, rollback = "undo")]
async fn charge(order_id: String, cents: u64) -> Result<Receipt, ShopError> {
    receipt(&format!("{order_id}/{cents}"))
}

struct Silent;

async fn undo(_: Done<Charge>) -> Result<(), Silent> {
    Ok(())
}

fn main() {}
