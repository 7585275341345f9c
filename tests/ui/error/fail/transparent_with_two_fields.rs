use tool_contract::ToolError;
use tool_contract_tests::ui::ShopError;

#[derive(Debug, thiserror::Error, ToolError)]
pub enum Failed {
    #[error("{0}: {1}")]
    #[outcome(transparent)]
    Inner(ShopError, String),
}

fn main() {}
