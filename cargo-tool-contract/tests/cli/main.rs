//! The command line, as somebody at a prompt meets it.

#![allow(clippy::expect_used, reason = "a helper that fails fails its test")]

mod approvals;
mod check;
mod decide;
mod explain;
mod ledger;
mod project;
mod sagas;
mod shell;
