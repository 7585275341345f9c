use tool_contract::{Asked, Tool, tool};
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "write", idempotent, rollback = "none", reconcile = "find")]
async fn charge(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

#[tool(side_effect = "write", idempotent, rollback = "none", reconcile = any)]
async fn refund(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

#[tool(
    side_effect = "write",
    idempotent,
    rollback = "none",
    reconcile(with = "any", settle = "5s")
)]
async fn mail(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

async fn find(asked: Asked<Charge>) -> Result<Option<Receipt>, ShopError> {
    receipt(&asked.args.order_id).map(Some)
}

async fn any<T: Tool>(_: Asked<T>) -> Result<Option<T::Output>, String> {
    Ok(None)
}

fn main() {}
