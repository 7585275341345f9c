use tool_contract::{Cx, saga};
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[saga]
async fn place_order(cx: &Cx, order_id: String) -> Result<Receipt, ShopError> {
    let _ = cx;
    receipt(&order_id)
}

fn main() {}
