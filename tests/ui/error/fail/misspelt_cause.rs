use tool_contract::ToolError;

#[derive(Debug, thiserror::Error, ToolError)]
pub enum Failed {
    #[error("busy")]
    #[outcome(retryable_failure(rate_limit))]
    Busy,
}

fn main() {}
