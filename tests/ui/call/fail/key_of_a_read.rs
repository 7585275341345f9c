use tool_contract::{Runtime, tool};
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "read")]
async fn look_up(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

async fn agent(runtime: &Runtime) {
    let _ = look_up("17".into()).key("a").call(runtime).await;
}

fn main() {}
