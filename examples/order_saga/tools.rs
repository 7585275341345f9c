//! The steps of an order. Each of the three services is of another kind, and so each
//! contract says otherwise what a lost answer means.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_contract::{Asked, Cx, Done, ToolError, tool};

use crate::client::{HttpError, Shop};

/// Why a step failed.
#[derive(Debug, thiserror::Error, ToolError)]
pub enum ShopError {
    /// There is not enough of it.
    #[error("not in stock: {0}")]
    #[outcome(validation_failure)]
    OutOfStock(String),
    /// The card is not good for it.
    #[error("the card was declined: {0}")]
    #[outcome(validation_failure)]
    Declined(String),
    /// Anything else means what HTTP says.
    #[error(transparent)]
    #[outcome(transparent)]
    Http(HttpError),
}

impl From<HttpError> for ShopError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Refused { status: 402, why } => Self::Declined(why),
            HttpError::Refused { status: 409, why } => Self::OutOfStock(why),
            other => Self::Http(other),
        }
    }
}

/// Stock that is kept for an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reservation {
    /// Its name, which the shop chose.
    pub reservation_id: String,
}

/// A charge that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Charge {
    /// The payment service's name for it.
    pub charge_id: String,
}

/// A parcel that left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Parcel {
    /// The carrier's name for it.
    pub parcel_id: String,
}

/// Reserve stock for an order.
///
/// A reservation has a name that we choose: making it twice makes one.
#[tool(
    side_effect = "write",
    idempotent(by = "downstream"),
    retry(max = 4, on = ["retryable", "side_effect_unknown"], base = "50ms", cap = "1s", budget = "30s"),
    timeout = "5s",
    rollback = "release_stock",
    rate_limit(per_tool = "100/s"),
    state(Shop)
)]
pub async fn reserve_stock(
    cx: &Cx,
    order_id: String,
    item: String,
    quantity: u32,
) -> Result<Reservation, ShopError> {
    let reservation_id = cx.idempotency_key();
    Ok(cx.state::<Shop>().reserve(reservation_id, &order_id, &item, quantity).await?)
}

/// Releasing what is released changes nothing.
async fn release_stock(done: Done<ReserveStock>) -> Result<(), ShopError> {
    Ok(done.cx().state::<Shop>().release(&done.output.reservation_id).await?)
}

/// Charge the card on file for an order.
///
/// The payment service dedupes on the key that it is given.
#[tool(
    side_effect = "write",
    idempotent(by = "downstream"),
    retry(max = 4, on = ["retryable", "side_effect_unknown"], base = "50ms", cap = "1s", budget = "30s"),
    timeout = "5s",
    rollback = "refund_card",
    rate_limit(per_tool = "100/s"),
    state(Shop)
)]
pub async fn charge_card(cx: &Cx, order_id: String, cents: u64) -> Result<Charge, ShopError> {
    Ok(cx.state::<Shop>().charge(cx.idempotency_key(), &order_id, cents).await?)
}

/// So do refunds, by a key of their own.
async fn refund_card(done: Done<ChargeCard>) -> Result<(), ShopError> {
    Ok(done.cx().state::<Shop>().refund(done.idempotency_key(), &done.output.charge_id).await?)
}

/// Hand the parcel of an order to the carrier.
///
/// The carrier ships as often as it is told to, but it can be asked.
#[tool(
    side_effect = "write",
    idempotent,
    retry(max = 4, on = "retryable", base = "50ms", cap = "1s", budget = "30s"),
    timeout = "5s",
    rollback = "none",
    reconcile(with = "find_parcel", settle = "5s"),
    rate_limit(per_tool = "100/s"),
    state(Shop)
)]
pub async fn ship(cx: &Cx, order_id: String) -> Result<Parcel, ShopError> {
    Ok(cx.state::<Shop>().ship(&order_id).await?)
}

/// Finds out whether a parcel left whose answer was lost.
async fn find_parcel(asked: Asked<Ship>) -> Result<Option<Parcel>, ShopError> {
    Ok(asked.cx().state::<Shop>().parcels_of(&asked.args.order_id).await?.pop())
}
