use std::future::Future;

use tool_contract::tool;
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "read")]
fn look_up(order_id: String) -> impl Future<Output = Result<Receipt, ShopError>> {
    std::future::ready(receipt(&order_id))
}

fn main() {}
