use tool_contract::{Runtime, Saga, saga};
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[saga]
async fn place_order(saga: Saga, order_id: String) -> Result<Receipt, ShopError> {
    let _ = saga;
    receipt(&order_id)
}

async fn agent(runtime: &Runtime) {
    let _ = place_order("17".into()).call(runtime).await;
}

fn main() {}
