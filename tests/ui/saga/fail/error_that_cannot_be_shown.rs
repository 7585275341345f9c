use tool_contract::{Saga, saga};
use tool_contract_tests::ui::{Receipt, receipt};

#[derive(Debug)]
struct Silent;

#[saga]
async fn place_order(saga: Saga, order_id: String) -> Result<Receipt, Silent> {
    let _ = saga;
    receipt(&order_id).map_err(|_| Silent)
}

fn main() {}
