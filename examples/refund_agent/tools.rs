//! The agent's tools: four functions, each with what it does to the world
//! written above it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_contract::{Asked, Cx, Done, ToolError, tool};

use crate::client::{HttpError, Provider};
use crate::money::Money;

// tool-contract.yaml is binding: what reviewers read there is what runs.
tool_contract::contract!();

/// Why a tool failed.
#[derive(Debug, thiserror::Error, ToolError)]
pub(crate) enum ProviderError {
    /// The status says so, but what it means for a charge is known only here.
    #[error("the card was declined: {0}")]
    #[outcome(validation_failure)]
    Declined(String),
    /// Anything else means what HTTP says.
    #[error(transparent)]
    #[outcome(transparent)]
    Http(HttpError),
}

impl From<HttpError> for ProviderError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Refused { status: 402, why, .. } => Self::Declined(why),
            other => Self::Http(other),
        }
    }
}

/// A charge that was made.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Receipt {
    /// The provider's name for it.
    pub(crate) charge_id: String,
    /// How much.
    pub(crate) cents: Money,
}

/// What was paid for an order.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Paid {
    /// How many charges there are.
    pub(crate) charges: usize,
    /// What they come to.
    pub(crate) cents: Money,
}

/// Look up what was paid for an order.
#[tool(
    side_effect = "read",
    retry(max = 3, on = "retryable", budget = "20s"),
    timeout = "5s",
    state(Provider)
)]
pub(crate) async fn order_status(cx: &Cx, order_id: String) -> Result<Paid, ProviderError> {
    let charges = cx.state::<Provider>().charges_of(&order_id).await?;
    let cents = Money(charges.iter().map(|charge| charge.cents.0).sum());
    Ok(Paid { charges: charges.len(), cents })
}

/// Charge the card on file for an order.
///
/// The memo is what the customer reads on the statement; another wording does
/// not make it another charge.
#[tool(
    side_effect = "write",
    idempotent,
    retry(max = 3, on = ["rate_limited", "unavailable"], base = "100ms", cap = "1s", budget = "20s"),
    timeout = "5s",
    rollback = "refund_card",
    reconcile(with = "find_charge", settle = "1s"),
    remint = "replay",
    rate_limit(per_tool = "20/s"),
    state(Provider),
)]
pub(crate) async fn charge_card(
    cx: &Cx,
    order_id: String,
    cents: Money,
    #[arg(ignore)] memo: String,
) -> Result<Receipt, ProviderError> {
    let charge = cx.state::<Provider>().charge(&order_id, cents, &memo).await?;
    Ok(Receipt { charge_id: charge.id, cents: charge.cents })
}

/// Finds out whether a charge happened whose answer was lost.
async fn find_charge(asked: Asked<ChargeCard>) -> Result<Option<Receipt>, ProviderError> {
    let charges = asked.cx().state::<Provider>().charges_of(&asked.args.order_id).await?;
    let charge = charges.into_iter().find(|charge| charge.cents == asked.args.cents);
    Ok(charge.map(|charge| Receipt { charge_id: charge.id, cents: charge.cents }))
}

/// Undoes a charge.
async fn refund_card(done: Done<ChargeCard>) -> Result<(), ProviderError> {
    Ok(done.cx().state::<Provider>().refund(&done.output.charge_id).await?)
}

/// Mail the receipt for an order.
///
/// Nobody can ask whether a mail was sent: what is unknown stays so until a
/// person has looked.
#[tool(
    side_effect = "write",
    idempotent(key = "{order_id}"),
    timeout = "5s",
    rollback = "none",
    rate_limit(per_tool = "5/s"),
    allow(TC0102),
    state(Provider)
)]
pub(crate) async fn send_receipt(
    cx: &Cx,
    order_id: String,
    to: String,
) -> Result<(), ProviderError> {
    Ok(cx.state::<Provider>().send_receipt(&order_id, &to).await?)
}

/// Close a customer's account for good.
#[tool(
    side_effect = "destructive",
    idempotent(key = "{customer_id}"),
    confirm(by = "human", ttl = "15m"),
    timeout = "5s",
    rollback = "manual_only",
    rate_limit(per_tool = "1/s"),
    allow(TC0102),
    state(Provider)
)]
pub(crate) async fn close_account(cx: &Cx, customer_id: String) -> Result<(), ProviderError> {
    Ok(cx.state::<Provider>().close_account(&customer_id).await?)
}
