use tool_contract::tool;
use tool_contract_tests::ui::{Receipt, receipt};

#[derive(Debug, thiserror::Error)]
#[error("it failed")]
pub struct Failed;

#[tool(side_effect = "read")]
pub async fn look_up(order_id: String) -> Result<Receipt, Failed> {
    receipt(&order_id).map_err(|_| Failed)
}

fn main() {}
