//! The order: all of it happens, or none of it stands.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_contract::{Saga, StepError, saga};

use crate::tools::{Parcel, ShopError, charge_card, reserve_stock, ship};

/// What somebody ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Order {
    /// Its number.
    pub id: String,
    /// What.
    pub item: String,
    /// How many of it.
    pub quantity: u32,
    /// The price of all.
    pub cents: u64,
}

/// Place an order: reserve its stock, charge the card on file, ship it.
///
/// Until the parcel is handed over all can be undone: the charge is refunded, the
/// stock released. A parcel that left does not come back, so that is the point of no
/// return.
#[saga]
pub async fn place_order(saga: Saga, order: Order) -> Result<Parcel, StepError<ShopError>> {
    let Order { id, item, quantity, cents } = order;
    saga.step(reserve_stock(id.clone(), item, quantity)).await?;
    saga.step(charge_card(id.clone(), cents)).await?;
    let (parcel, _saga) = saga.pivot(ship(id)).await?;
    Ok(parcel)
}
