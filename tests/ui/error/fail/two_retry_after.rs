use std::time::Duration;
use tool_contract::ToolError;

#[derive(Debug, thiserror::Error, ToolError)]
pub enum Failed {
    #[error("busy")]
    #[outcome(retryable)]
    Busy {
        #[retry_after]
        least: Duration,
        #[retry_after]
        most: Duration,
    },
}

fn main() {}
