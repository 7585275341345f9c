#![deny(warnings)]

use tool_contract::{Done, tool};
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(
    side_effect = "write",
    idempotent,
    retry(max = 3, on = "retryable"),
    rollback = "compensate_fn"
)]
async fn charge(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

async fn compensate_fn(done: Done<Charge>) -> Result<(), ShopError> {
    drop((done.args, done.output, done.key));
    Ok(())
}

fn main() {}
