use tool_contract::{Done, Runtime, tool};
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "write", idempotent, rollback = "undo")]
async fn charge(order_id: &str, cents: u64) -> Result<Receipt, ShopError> {
    receipt(&format!("{order_id}/{cents}"))
}

async fn undo(done: Done<Charge>) -> Result<(), ShopError> {
    drop((done.args.cents, done.output.order_id));
    Ok(())
}

async fn agent(runtime: &Runtime) -> Receipt {
    charge("17", 42).key("a").call(runtime).await.unwrap().into_inner()
}

fn main() {}
