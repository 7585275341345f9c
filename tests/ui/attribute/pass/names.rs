use tool_contract::tool;
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "read", name = "orders-find_2", args = "FindOrder", version = 2, crate = again::tool_contract)]
async fn find(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

#[tool(side_effect = "read", args = Listing, crate = "tool_contract")]
async fn list(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

mod again {
    pub use tool_contract;
}

fn arguments(find: &FindOrder, list: &Listing) -> [String; 2] {
    [find.order_id.clone(), list.order_id.clone()]
}

fn main() {
    let _ = arguments;
}
