use tool_contract::{Approval, Runtime, tool};
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "destructive", idempotent, rollback = "none", confirm(by = "human"))]
async fn charge(order_id: String, cents: u64) -> Result<Receipt, ShopError> {
    receipt(&format!("{order_id}/{cents}"))
}

#[tool(side_effect = "destructive", idempotent, rollback = "none", confirm(by = "human"))]
async fn refund(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

async fn agent(runtime: &Runtime, approval: Approval<Refund>) {
    let _ = charge("17".into(), 42).key("a").approved(approval).call(runtime).await;
}

fn main() {}
