use tool_contract::ToolError;

#[derive(Debug, thiserror::Error, ToolError)]
#[error("it failed")]
pub struct Failed;

fn main() {}
