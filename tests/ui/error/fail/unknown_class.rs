use tool_contract::ToolError;

#[derive(Debug, thiserror::Error, ToolError)]
pub enum Failed {
    #[error("busy")]
    #[outcome(fatal)]
    Busy,
}

fn main() {}
