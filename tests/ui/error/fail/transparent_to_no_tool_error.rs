use tool_contract::ToolError;
use tool_contract_tests::ui::*;

#[derive(Debug, thiserror::Error, ToolError)]
pub enum Failed {
    #[error(transparent)]
    #[outcome(transparent)]
    Inner(std::fmt::Error),
}

fn main() {}
