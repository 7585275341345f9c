use tool_contract::tool;
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "write", idempotent, rollback = "none")]
async fn charge(
    order_id: String,
    #[arg(ignore)] memo: String,
    #[arg(secret)] card: String,
    mut cents: u64,
) -> Result<Receipt, ShopError> {
    cents += 1;
    receipt(&format!("{order_id}/{memo}/{card}/{cents}"))
}

#[tool(side_effect = "read")]
async fn nothing() -> Result<Receipt, ShopError> {
    receipt("")
}

#[tool(side_effect = "read")]
async fn documented(
    /// Whose order it is.
    user: String,
    /// What they wrote to it,
    /// in their words.
    #[arg(ignore)]
    note: Option<String>,
    #[doc = "The year."] year: u16,
) -> Result<Receipt, ShopError> {
    receipt(&format!("{user}/{note:?}/{year}"))
}

fn main() {}
