use tool_contract::tool;
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "write", idempotent, rollback = "none", concurrency(per_user = 0))]
async fn charge(order_id: String, cents: u64) -> Result<Receipt, ShopError> {
    receipt(&format!("{order_id}/{cents}"))
}

#[tool(side_effect = "read", concurrency(per_tool = 4))]
async fn balance(account: String) -> Result<u64, ShopError> {
    let _ = account;
    Ok(1)
}

fn main() {}
