use tool_contract::tool;
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "read", name = "orders.find")]
async fn find(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

fn main() {
    let _ = find("order-17".into());
}
