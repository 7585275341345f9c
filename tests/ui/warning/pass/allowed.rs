#![deny(warnings)]

use tool_contract::tool;
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "write", idempotent, rollback = "none", allow(TC0104, TC0105))]
async fn in_the_attribute(dollars: f64, request_id: String) -> Result<Receipt, ShopError> {
    receipt(&format!("{dollars}/{request_id}"))
}

#[tool(side_effect = "write", idempotent, rollback = "none")]
#[allow(deprecated)]
async fn on_the_item(dollars: f64) -> Result<Receipt, ShopError> {
    receipt(&dollars.to_string())
}

#[tool(side_effect = "write", idempotent, rollback = "none")]
async fn out_of_the_hash(
    #[arg(ignore)] dollars: f64,
    order_id: String,
) -> Result<Receipt, ShopError> {
    receipt(&format!("{order_id}/{dollars}"))
}

fn main() {}
