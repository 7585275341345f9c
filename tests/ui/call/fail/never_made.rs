#![deny(unused_must_use)]

use tool_contract::{Runtime, tool};
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "write", idempotent, rollback = "none")]
async fn charge(order_id: String, cents: u64) -> Result<Receipt, ShopError> {
    receipt(&format!("{order_id}/{cents}"))
}

async fn agent(runtime: &Runtime) {
    charge("17".into(), 42).key("a");
    let _ = runtime;
}

fn main() {}
