use tool_contract::{Saga, StepError, saga, tool};
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "destructive", idempotent, rollback = "none", confirm(by = "human"))]
async fn wipe(disk: String) -> Result<Receipt, ShopError> {
    receipt(&disk)
}

#[saga]
async fn place_order(saga: Saga, disk: String) -> Result<Receipt, StepError<ShopError>> {
    let (receipt, _) = saga.pivot(wipe(disk)).await?;
    Ok(receipt)
}

fn main() {}
