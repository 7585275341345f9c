use tool_contract::{Cx, tool};
use tool_contract_tests::ui::ShopError;

#[tool(side_effect = "read")]
async fn look_up(_: &Cx, order_id: String) -> Result<&'static str, ShopError> {
    drop(order_id);
    Ok("")
}

fn main() {}
