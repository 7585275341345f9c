use tool_contract::ToolError;

#[derive(Debug, thiserror::Error, ToolError)]
pub enum Failed {
    #[error("busy")]
    Busy,
    #[error("declined")]
    #[outcome(validation_error)]
    Declined,
    #[error("{0}{1}")]
    #[outcome(transparent)]
    Inner(u8, u8),
}

fn main() {}
