use tool_contract::ToolError;

#[derive(Debug, thiserror::Error, ToolError)]
pub enum Failed {
    #[error("busy")]
    #[outcome(retryable)]
    Busy,
    #[error("declined: {reason}")]
    Declined { reason: String },
}

fn main() {}
