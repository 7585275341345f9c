use tool_contract::tool;
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "read")]
async fn look_up(_: String) -> Result<Receipt, ShopError> {
    receipt("")
}

fn main() {}
