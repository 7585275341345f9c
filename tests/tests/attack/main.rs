//! What somebody tries who wants it to break: garbage, races, drops, panics,
//! full and lost files, stolen approvals, secrets.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

mod approvals;
mod clocks;
mod drops;
mod files;
mod garbage;
mod nesting;
mod panics;
mod races;
mod secrets;
mod stage;
