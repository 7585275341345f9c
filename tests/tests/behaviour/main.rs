//! What calls do, through the public API: on a clock that tests hold, a ledger
//! that fails where they say, and a world that counts what happened in it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

mod blocking;
mod context;
mod deadlines;
mod dropping;
mod in_flight;
mod keys;
mod leases;
mod nesting;
mod panics;
mod registering;
mod replay;
mod retries;
mod slow;
mod stage;
mod timeouts;
mod tools;
mod world;
