use tool_contract::tool;
use tool_contract_tests::ui::{Receipt, ShopError};

#[tool(side_effect = "read")]
async fn receipt(order_id: String) -> Result<Receipt, ShopError> {
    Ok(Receipt { order_id })
}

fn main() {}
