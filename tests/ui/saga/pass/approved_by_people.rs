use tool_contract::{Done, Saga, StepError, saga, tool};
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "destructive", idempotent, rollback = "restore", confirm(by = "human"))]
async fn wipe(disk: String) -> Result<Receipt, ShopError> {
    receipt(&disk)
}

async fn restore(_done: Done<Wipe>) -> Result<(), ShopError> {
    Ok(())
}

#[tool(
    side_effect = "destructive",
    idempotent,
    retry(max = 3, on = "retryable"),
    rollback = "none",
    confirm(by = "human", quorum = 2)
)]
async fn scrap(disk: String) -> Result<Receipt, ShopError> {
    receipt(&disk)
}

/// Before the pivot, at it, and after it.
#[saga]
async fn retire(saga: Saga, disk: String) -> Result<Receipt, StepError<ShopError>> {
    saga.step(wipe(disk.clone())).await?;
    let (_, saga) = saga.pivot(scrap(disk.clone())).await?;
    saga.step(scrap(disk)).await
}

fn main() {}
