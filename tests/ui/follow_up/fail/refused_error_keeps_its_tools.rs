use tool_contract::{ToolError, tool};
use tool_contract_tests::ui::{Receipt, receipt};

#[derive(Debug, thiserror::Error, ToolError)]
pub enum Failed {
    #[error("busy")]
    Busy,
}

#[tool(side_effect = "read")]
pub async fn look_up(order_id: String) -> Result<Receipt, Failed> {
    receipt(&order_id).map_err(|_| Failed::Busy)
}

fn main() {}
