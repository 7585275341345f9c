use tool_contract::ToolError;
use tool_contract_tests::ui::*;

#[derive(Debug, thiserror::Error, ToolError)]
pub enum Failed {
    #[error("fine")]
    #[outcome(success)]
    Fine,
}

fn main() {}
