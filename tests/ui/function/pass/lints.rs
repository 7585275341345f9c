#![deny(warnings)]
#![warn(
    missing_docs,
    unreachable_pub,
    unused,
    unused_qualifications,
    rust_2018_idioms,
    missing_debug_implementations
)]
#![warn(
    single_use_lifetimes,
    trivial_casts,
    unused_lifetimes,
    let_underscore_drop,
    non_local_definitions
)]
#![forbid(unsafe_code)]
//! Generated code is quiet under whatever the user asks for.

use tool_contract::{Asked, Done, ToolError, tool};
use tool_contract_tests::ui::{Provider, Receipt, ShopError, receipt};

/// Fails.
#[derive(Debug, thiserror::Error, ToolError)]
pub enum Failed {
    /// For a while.
    #[error("busy")]
    #[outcome(retryable)]
    Busy,
    /// For good.
    #[error("declined")]
    #[outcome(permanent_failure)]
    Declined,
    /// For good.
    #[error("forbidden")]
    #[outcome(permanent_failure)]
    Forbidden,
}

/// Charges an order.
#[tool(
    side_effect = "write",
    idempotent,
    retry(max = 3, on = "retryable"),
    rollback = "undo",
    reconcile = "find",
    state(Provider),
    rate_limit(per_tool = "1/s")
)]
pub async fn charge(
    order_id: String,
    user_id: String,
    gift_id: String,
) -> Result<Receipt, ShopError> {
    std::future::ready(()).await;
    receipt(&format!("{order_id}{user_id}{gift_id}"))
}

async fn undo(done: Done<Charge>) -> Result<(), ShopError> {
    std::future::ready(drop(done)).await;
    Ok(())
}

async fn find(asked: Asked<Charge>) -> Result<Option<Receipt>, ShopError> {
    std::future::ready(drop(asked)).await;
    Ok(None)
}

/// Looks up an order.
#[tool(side_effect = "read")]
pub fn look_up(
    order_id: String,
    open: bool,
    paid: bool,
    sent: bool,
    closed: bool,
) -> Result<Receipt, Failed> {
    receipt(&format!("{order_id}{open}{paid}{sent}{closed}")).map_err(|_| Failed::Busy)
}

#[tool(side_effect = "read")]
async fn never_called() -> Result<Receipt, ShopError> {
    std::future::ready(()).await;
    receipt("")
}

fn main() {}
