//! What calls do, through the public API: on a clock that tests hold, a ledger
//! that fails where they say, and a world that counts what happened in it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

mod keys;
mod replay;
mod retries;
mod stage;
mod tools;
mod world;
