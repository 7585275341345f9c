use tool_contract::{Asked, tool};
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "write", idempotent, rollback = "find")]
async fn charge(order_id: String, cents: u64) -> Result<Receipt, ShopError> {
    receipt(&format!("{order_id}/{cents}"))
}

async fn find(_: Asked<Charge>) -> Result<Option<Receipt>, ShopError> {
    Ok(None)
}

fn main() {}
