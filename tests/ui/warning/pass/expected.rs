#![deny(warnings)]

use tool_contract::tool;
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "write", idempotent, rollback = "none")]
#[expect(deprecated)]
async fn charge(dollars: f64) -> Result<Receipt, ShopError> {
    receipt(&dollars.to_string())
}

#[deprecated]
fn old() {}

#[tool(side_effect = "read")]
#[expect(deprecated)]
async fn look_up(order_id: String) -> Result<Receipt, ShopError> {
    old();
    receipt(&order_id)
}

fn main() {}
