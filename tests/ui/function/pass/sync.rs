use tool_contract::{Cx, tool};
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "read")]
fn look_up(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

#[tool(side_effect = "read")]
fn with_cx(cx: &Cx, order_id: String) -> Result<Receipt, ShopError> {
    receipt(&format!("{order_id}/{}", cx.attempt()))
}

fn main() {}
