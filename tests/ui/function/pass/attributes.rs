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

#[tool(side_effect = "read")]
#[cfg_attr(unix, doc = "Only here.")]
#[cfg_attr(all(), expect(unused_mut))]
async fn sometimes(mut order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

fn main() {
    #[allow(deprecated)]
    let _ = (
        look_up("17".into()),
        per_system("17".into()),
        unfinished("17".into()),
        sometimes("17".into()),
    );
}
