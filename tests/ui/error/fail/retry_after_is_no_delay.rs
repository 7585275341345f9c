use tool_contract::ToolError;

#[derive(Debug, thiserror::Error, ToolError)]
pub enum Failed {
    #[error("busy")]
    #[outcome(retryable)]
    Busy {
        #[retry_after]
        seconds: u64,
    },
}

fn main() {}
