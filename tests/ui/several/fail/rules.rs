use tool_contract::tool;
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(
    side_effect = "write",
    retry(max = 0, on = ["netwrok", "success"], jitter = "some"),
    timeout = "0s",
    timout = "5s",
)]
async fn charge(order_id: &str, #[arg(hidden)] cents: u64) -> Result<Receipt, ShopError> {
    receipt(&format!("{order_id}/{cents}"))
}

fn main() {}
