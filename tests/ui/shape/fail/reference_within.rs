use tool_contract::tool;
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "read")]
async fn look_up(order_ids: Vec<&'static str>) -> Result<Receipt, ShopError> {
    receipt(&order_ids.concat())
}

fn main() {}
