use tool_contract::{Cx, tool};
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "read")]
async fn look_up(cx: &Cx, order_id: String) -> Result<Receipt, ShopError> {
    if order_id.is_empty() {
        return receipt(&order_id);
    }
    // The name is the tool, with its contract, and not this function.
    let found = look_up(String::new()).call(cx.runtime()).await;
    found.map(|found| found.into_inner()).map_err(|_| ShopError::Busy)
}

fn main() {}
