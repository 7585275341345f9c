use tool_contract::{Runtime, tool};
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "destructive", idempotent, rollback = "none", confirm(by = "human"))]
async fn charge(order_id: String, cents: u64) -> Result<Receipt, ShopError> {
    receipt(&format!("{order_id}/{cents}"))
}

async fn agent(runtime: &Runtime) {
    let _ = charge("17".into(), 42).key("a").call(runtime).await;
}

fn main() {}
