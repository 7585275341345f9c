use tool_contract::ToolError;
use tool_contract_tests::ui::*;

#[derive(Debug, thiserror::Error, ToolError)]
#[error("it failed")]
pub struct Failed;

fn main() {}
