//! The contract document: what is read, what is written, what differs.

#![allow(clippy::expect_used, reason = "a helper that fails fails its test")]

mod comparing;
mod fuzz;
mod limits;
mod pyyaml;
mod reading;
mod samples;
mod writing;
