use tool_contract::tool;
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "read")]
async fn größe(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

fn main() {}
