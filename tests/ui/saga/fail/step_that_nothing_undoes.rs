use tool_contract::{Saga, StepError, saga, tool};
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "write", idempotent, rollback = "none")]
async fn charge(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

#[saga]
async fn place_order(saga: Saga, order_id: String) -> Result<Receipt, StepError<ShopError>> {
    saga.step(charge(order_id)).await
}

fn main() {}
