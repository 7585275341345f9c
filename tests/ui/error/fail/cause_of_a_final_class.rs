use tool_contract::ToolError;
use tool_contract_tests::ui::*;

#[derive(Debug, thiserror::Error, ToolError)]
pub enum Failed {
    #[error("busy")]
    #[outcome(permanent_failure(network))]
    Busy,
}

fn main() {}
