use tool_contract::tool;
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "read")]
async fn look_up(order_id: String) -> Result<Receipt, ShopError> {
    let id: u64 = order_id;
    receipt(&id.to_string())
}

fn main() {}
