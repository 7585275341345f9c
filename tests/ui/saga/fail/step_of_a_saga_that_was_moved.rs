use tool_contract::{Done, Saga, StepError, saga, tool};
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "write", idempotent, rollback = "put_back")]
async fn reserve(item: String) -> Result<Receipt, ShopError> {
    receipt(&item)
}

async fn put_back(_done: Done<Reserve>) -> Result<(), ShopError> {
    Ok(())
}

#[tool(side_effect = "write", idempotent, rollback = "none")]
async fn charge(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

#[saga]
async fn place_order(saga: Saga, order_id: String) -> Result<Receipt, StepError<ShopError>> {
    let (receipt, _committed) = saga.pivot(charge(order_id.clone())).await?;
    saga.step(reserve(order_id)).await?;
    Ok(receipt)
}

fn main() {}
