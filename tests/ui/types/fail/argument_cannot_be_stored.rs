use tool_contract::tool;
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

struct Handle;

#[tool(side_effect = "read")]
async fn look_up(handle: Handle) -> Result<Receipt, ShopError> {
    drop(handle);
    receipt("")
}

fn main() {}
