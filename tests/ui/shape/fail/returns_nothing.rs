use tool_contract::tool;

#[tool(side_effect = "read")]
async fn look_up(order_id: String) {
    drop(order_id);
}

fn main() {}
