use tool_contract::ToolError;

#[derive(Debug, thiserror::Error, ToolError)]
#[outcome(permanent_failure)]
pub enum Failed {
    #[error("busy")]
    #[outcome(retryable)]
    Busy,
}

fn main() {}
