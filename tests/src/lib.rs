//! What belongs to no test alone: tools as another release of a program has
//! them, in a crate of their own because one crate has each name once.

#![allow(missing_docs, reason = "only tests use it")]

use std::convert::Infallible;

use tool_contract::tool;

/// Charge an order, as the next release does.
#[tool(side_effect = "write", idempotent, rollback = "none", version = 2)]
pub async fn charge(order: String, cents: u64) -> Result<u32, Infallible> {
    let _ = (order, cents);
    Ok(1)
}

pub mod shared;
pub mod ui;

/// Put a value, of which this release no longer says that repeating it is
/// harmless.
#[tool(side_effect = "write", idempotent, rollback = "none")]
pub async fn put(order: String) -> Result<u32, Infallible> {
    let _ = order;
    Ok(1)
}
