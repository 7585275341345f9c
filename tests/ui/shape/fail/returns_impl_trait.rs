use tool_contract::tool;
use tool_contract_tests::ui::{ShopError, receipt};

#[tool(side_effect = "read")]
async fn look_up(order_id: String) -> Result<impl Send, ShopError> {
    receipt(&order_id)
}

fn main() {}
