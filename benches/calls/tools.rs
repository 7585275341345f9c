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

/// Ten arguments of the kinds that tools take.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Purchase {
    pub(crate) amount_cents: u64,
    pub(crate) currency: String,
    pub(crate) customer_id: String,
    pub(crate) express: bool,
    pub(crate) items: Vec<String>,
    pub(crate) note: Option<String>,
    pub(crate) order_id: String,
    pub(crate) quantity: u32,
    pub(crate) ship_to: String,
    pub(crate) weight_grams: u32,
}

impl Purchase {
    pub(crate) fn of(order_id: String) -> Self {
        Self {
            amount_cents: 4_200,
            currency: "EUR".to_owned(),
            customer_id: "cus_8f14e45fceea167a".to_owned(),
            express: true,
            items: vec!["sku-1001".to_owned(), "sku-2002".to_owned(), "sku-3003".to_owned()],
            note: None,
            order_id,
            quantity: 3,
            ship_to: "12 Harbour Street, 20457 Hamburg".to_owned(),
            weight_grams: 1_250,
        }
    }
}

/// Place an order.
#[tool(
    side_effect = "write",
    idempotent,
    retry(max = 3, on = "retryable"),
    rollback = "manual_only"
)]
#[expect(clippy::too_many_arguments, reason = "it is what is measured")]
pub(crate) async fn place_order(
    amount_cents: u64,
    currency: String,
    customer_id: String,
    express: bool,
    items: Vec<String>,
    note: Option<String>,
    order_id: String,
    quantity: u32,
    ship_to: String,
    weight_grams: u32,
) -> Result<Receipt, PaymentError> {
    std::hint::black_box((
        currency,
        customer_id,
        express,
        items,
        note,
        quantity,
        ship_to,
        weight_grams,
    ));
    charge(order_id, amount_cents).await
}
