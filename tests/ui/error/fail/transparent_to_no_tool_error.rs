use tool_contract::ToolError;

#[derive(Debug, thiserror::Error, ToolError)]
pub enum Failed {
    #[error(transparent)]
    #[outcome(transparent)]
    Inner(std::fmt::Error),
}

fn main() {}
