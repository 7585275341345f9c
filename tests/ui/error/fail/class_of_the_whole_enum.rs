use tool_contract::ToolError;
use tool_contract_tests::ui::*;

#[derive(Debug, thiserror::Error, ToolError)]
#[outcome(permanent_failure)]
pub enum Failed {
    #[error("busy")]
    #[outcome(retryable)]
    Busy,
}

fn main() {}
