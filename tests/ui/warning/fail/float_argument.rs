#![deny(deprecated)]

use tool_contract::tool;
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "write", idempotent, rollback = "none")]
async fn charge(order_id: String, dollars: f64) -> Result<Receipt, ShopError> {
    receipt(&format!("{order_id}/{dollars}"))
}

fn main() {}
