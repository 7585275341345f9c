use tool_contract::{Saga, saga};
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[saga(side_effect = "write")]
async fn place_order(saga: Saga, order_id: String) -> Result<Receipt, ShopError> {
    let _ = saga;
    receipt(&order_id)
}

fn main() {}
