use tool_contract::ToolError;

#[derive(Debug, ToolError)]
pub enum Failed {
    #[outcome(retryable)]
    Busy,
}

fn main() {}
