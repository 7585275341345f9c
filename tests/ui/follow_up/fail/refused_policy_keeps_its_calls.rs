use tool_contract::{Approval, Done, Runtime, tool};
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(
    side_effect = "destructive",
    idempotent(key = "{order}"),
    rollback = "undo",
    confirm(by = "human")
)]
async fn charge(order_id: String, cents: u64) -> Result<Receipt, ShopError> {
    receipt(&format!("{order_id}/{cents}"))
}

async fn undo(done: Done<Charge>) -> Result<(), ShopError> {
    drop((done.args.order_id, done.output.order_id));
    Ok(())
}

async fn agent(runtime: &Runtime, approval: Approval<Charge>) {
    let _ = charge("17".into(), 42).call(runtime).await;
    let _ = charge("18".into(), 42).key("a").approved(approval).call(runtime).await;
}

fn main() {}
