#![deny(warnings)]

use tool_contract::tool;
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

/// Looks up an order.
#[tool(side_effect = "read")]
#[deprecated(note = "use another")]
#[inline]
async fn look_up(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

#[tool(side_effect = "read")]
#[cfg(unix)]
async fn per_system(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

#[tool(side_effect = "read")]
#[cfg(not(unix))]
async fn per_system(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

#[tool(side_effect = "read")]
#[expect(unused_variables, reason = "it is not written yet")]
async fn unfinished(order_id: String) -> Result<Receipt, ShopError> {
    receipt("")
}

fn main() {
    #[allow(deprecated)]
    let _ = (look_up("17".into()), per_system("17".into()), unfinished("17".into()));
}
