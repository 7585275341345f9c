use tool_contract::{Runtime, tool};
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "write", idempotent, rollback = "none")]
async fn charge(order_id: String, cents: u64) -> Result<Receipt, ShopError> {
    receipt(&format!("{order_id}/{cents}"))
}

async fn agent(runtime: &Runtime) {
    let _ = charge("17".into(), 42).call(runtime).await;
}

fn main() {}
