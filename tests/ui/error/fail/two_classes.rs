use tool_contract::ToolError;
use tool_contract_tests::ui::*;

#[derive(Debug, thiserror::Error, ToolError)]
pub enum Failed {
    #[error("busy")]
    #[outcome(retryable)]
    #[outcome(permanent_failure)]
    Busy,
}

fn main() {}
