use tool_contract::{Approval, Saga, StepError, saga, tool};
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "destructive", idempotent, rollback = "none", confirm(by = "human"))]
async fn wipe(disk: String) -> Result<Receipt, ShopError> {
    receipt(&disk)
}

fn found() -> Approval<Wipe> {
    std::process::abort() // it never runs
}

#[saga]
async fn place_order(saga: Saga, disk: String) -> Result<Receipt, StepError<ShopError>> {
    let (receipt, _) = saga.pivot(wipe(disk).approved(found())).await?;
    Ok(receipt)
}

fn main() {}
