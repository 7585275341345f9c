use tool_contract::{Asked, tool};
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "read", reconcile = "find")]
async fn look_up(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

async fn find(_: Asked<LookUp>) -> Result<Option<Receipt>, ShopError> {
    Ok(None)
}

fn main() {}
