use tool_contract::ToolError;

#[derive(Debug, thiserror::Error, ToolError)]
pub enum Failed {
    #[error("busy")]
    #[outcome(retryable)]
    #[outcome(permanent_failure)]
    Busy,
}

fn main() {}
