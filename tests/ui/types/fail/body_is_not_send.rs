use tool_contract::tool;
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "read")]
async fn look_up(order_id: String) -> Result<Receipt, ShopError> {
    let held = std::cell::Cell::new(1);
    let borrowed = &held;
    work().await;
    borrowed.set(2);
    receipt(&order_id)
}

async fn work() {}

fn main() {}
