use tool_contract::{Approval, Runtime, tool};
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "destructive", idempotent, rollback = "none", confirm(by = "human"))]
async fn delete(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

#[tool(
    side_effect = "destructive",
    idempotent,
    rollback = "none",
    confirm(by = "human", ttl = "1h", quorum = 2)
)]
async fn purge(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

async fn agent(runtime: &Runtime, approval: Approval<Delete>) {
    let _ = delete("17".into()).key("a").request_approval(runtime).await;
    let _ = delete("17".into()).key("a").approved(approval).call(runtime).await;
}

fn main() {
    let _ = agent;
}
