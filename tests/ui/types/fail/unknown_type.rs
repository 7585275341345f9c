use tool_contract::tool;
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "read")]
async fn look_up(order: Order) -> Result<Receipt, ShopError> {
    drop(order);
    receipt("")
}

fn main() {}
