use tool_contract::{Cx, Runtime, tool};
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "write", idempotent, rollback = "none")]
async fn by_ledger(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

#[tool(side_effect = "write", idempotent = true, rollback = "none")]
async fn by_ledger_too(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

#[tool(side_effect = "write", idempotent = false, rollback = "none")]
async fn never(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

#[tool(side_effect = "write", idempotent(key = "{order_id}"), rollback = "none")]
async fn derived(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

#[tool(
    side_effect = "write",
    idempotent(key = "shop/{order_id}", by = "nature"),
    rollback = "none"
)]
async fn by_nature(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

#[tool(side_effect = "write", idempotent(by = "downstream"), rollback = "none")]
async fn downstream(cx: &Cx, order_id: String) -> Result<Receipt, ShopError> {
    receipt(&format!("{order_id}/{}", cx.idempotency_key()))
}

async fn agent(runtime: &Runtime) {
    let _ = by_ledger("17".into()).key("a").call(runtime).await;
    let _ = never("17".into()).call(runtime).await;
    let _ = derived("17".into()).call(runtime).await;
    let _ = downstream("17".into()).key("a").call(runtime).await;
}

fn main() {
    let _ = agent;
}
