use tool_contract::tool;
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

#[tool(side_effect = "write", idempotent, rollback = "none", retry(max = 3, on = "retryable"))]
async fn every_cause(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

#[tool(side_effect = "write", idempotent, rollback = "none", retry(max = 3, on = ["rate_limited", "network"]))]
async fn some_causes(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

#[tool(side_effect = "write", idempotent(by = "nature"), rollback = "none", retry(max = 3, on = ["retryable_failure", "side_effect_unknown"]))]
async fn unknown_too(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

#[tool(
    side_effect = "write",
    idempotent,
    rollback = "none",
    retry(
        max = 4,
        max_total = 12,
        on = "retryable",
        backoff = "constant",
        base = "1s",
        cap = "5s",
        jitter = "none",
        budget = "2m"
    )
)]
async fn everything(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

#[tool(side_effect = "read", retry(max = 2, on = "unavailable"))]
async fn of_a_read(order_id: String) -> Result<Receipt, ShopError> {
    receipt(&order_id)
}

fn main() {}
