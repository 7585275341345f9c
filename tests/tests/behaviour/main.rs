//! What calls do, through the public API: on a clock that tests hold, a ledger
//! that fails where they say, and a world that counts what happened in it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

mod approvals;
mod arguments;
mod blocking;
mod breaking;
mod budgets;
mod caching;
mod context;
mod deadlines;
mod dispatching;
mod doubt;
mod dropping;
mod escalations;
mod events;
mod faults;
mod fingerprints;
mod in_flight;
mod keys;
mod leases;
mod limits;
mod nesting;
mod notices;
mod panics;
mod reconciling;
mod registering;
mod remint;
mod replay;
mod retries;
mod sagas;
mod simulation;
mod slow;
mod sqlite;
mod stage;
mod tenants;
mod timeouts;
mod together;
mod tools;
mod two_phase;
mod versioned;
mod world;
