//! What is called: the same bodies, bare and under a contract.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_contract::{ToolError, tool};

/// How the provider refuses. It never does here.
#[derive(Debug, thiserror::Error, ToolError)]
pub(crate) enum PaymentError {
    /// The card is no good.
    #[error("card declined: {0}")]
    #[outcome(validation_failure)]
    Declined(String),
    /// There is too much to do.
    #[error("provider is busy")]
    #[outcome(retryable_failure(rate_limited))]
    Busy,
}

/// What a charge gives.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Receipt {
    /// The order.
    pub order_id: String,
    /// How much.
    pub cents: u64,
}

/// The body of both tools: something to await that is ready at once.
pub(crate) async fn charge(order_id: String, cents: u64) -> Result<Receipt, PaymentError> {
    match std::hint::black_box(cents) {
        0 => Err(PaymentError::Declined(order_id)),
        u64::MAX => Err(PaymentError::Busy),
        cents => Ok(Receipt { order_id, cents }),
    }
}

/// Charge the card on file for an order.
#[tool(
    side_effect = "write",
    idempotent,
    retry(max = 3, on = "retryable"),
    rollback = "manual_only"
)]
pub(crate) async fn charge_card(order_id: String, cents: u64) -> Result<Receipt, PaymentError> {
    charge(order_id, cents).await
}

/// Find the charge of an order.
#[tool(side_effect = "read")]
pub(crate) async fn find_charge(order_id: String, cents: u64) -> Result<Receipt, PaymentError> {
    charge(order_id, cents).await
}
