use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_contract::tool;
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[derive(Serialize, Deserialize, JsonSchema)]
struct Order {
    id: String,
}

#[tool(side_effect = "read")]
async fn look_up(order: Order) -> Result<Receipt, ShopError> {
    receipt(&order.id)
}

fn main() {}
