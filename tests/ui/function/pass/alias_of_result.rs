use tool_contract::tool;
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "read")]
pub async fn look_up(order_id: String) -> Answer {
    receipt(&order_id)
}

#[tool(side_effect = "read")]
pub fn find(order_id: String) -> shop::Result<Receipt> {
    receipt(&order_id)
}

pub type Answer = Result<Receipt, ShopError>;

pub mod shop {
    pub type Result<T> = std::result::Result<T, tool_contract_tests::ui::ShopError>;
}

fn main() {}
