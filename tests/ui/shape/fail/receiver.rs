use tool_contract::tool;
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

struct Shop;

impl Shop {
    #[tool(side_effect = "read")]
    async fn look_up(&self, order_id: String) -> Result<Receipt, ShopError> {
        receipt(&order_id)
    }
}

fn main() {
    let _ = Shop.look_up(String::new());
}
