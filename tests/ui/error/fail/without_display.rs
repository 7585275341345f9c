use tool_contract::ToolError;
use tool_contract_tests::ui::*;

#[derive(Debug, ToolError)]
pub enum Failed {
    #[outcome(retryable)]
    Busy,
}

fn main() {}
