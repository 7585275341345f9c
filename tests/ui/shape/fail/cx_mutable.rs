use tool_contract::{Cx, tool};
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "read")]
async fn look_up(_: &mut Cx, order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

fn main() {}
