//! What cargo and the compiler make of whole packages.

#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod contract;
mod package;
mod pages;
