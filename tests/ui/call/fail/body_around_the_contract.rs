use tool_contract::tool;
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "read")]
async fn look_up(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

async fn agent() {
    let receipt: Receipt = look_up("17".into()).await;
    drop(receipt);
}

fn main() {}
