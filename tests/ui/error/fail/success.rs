use tool_contract::ToolError;

#[derive(Debug, thiserror::Error, ToolError)]
pub enum Failed {
    #[error("fine")]
    #[outcome(success)]
    Fine,
}

fn main() {}
