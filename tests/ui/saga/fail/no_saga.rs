use tool_contract::saga;
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[saga]
async fn place_order(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

fn main() {}
