use tool_contract::tool;
use tool_contract_tests::ui::ShopError;

#[tool(side_effect = "read", concurrency(per_tool = 4))]
async fn balance(account: String) -> Result<u64, ShopError> {
    let _ = account;
    Ok(1)
}

fn main() {}
