use tool_contract::tool;
use tool_contract_tests::ui::ShopError;

pub struct Handle;

#[tool(side_effect = "read")]
pub async fn look_up(order_id: String) -> Result<Handle, ShopError> {
    drop(order_id);
    Ok(Handle)
}

fn main() {}
