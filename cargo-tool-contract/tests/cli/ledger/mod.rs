//! `ledger`: what people who look after one see and do.

mod access;
mod ls;
mod prune;
mod reopen;
mod resolve;
#[cfg(any(feature = "postgres", feature = "redis"))]
mod servers;
mod show;
pub(crate) mod stage;
mod verify;
