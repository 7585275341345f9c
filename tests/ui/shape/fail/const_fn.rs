use tool_contract::tool;
use tool_contract_tests::ui::ShopError;

#[tool(side_effect = "read")]
const fn look_up(order_id: u64) -> Result<u64, ShopError> {
    Ok(order_id)
}

fn main() {}
