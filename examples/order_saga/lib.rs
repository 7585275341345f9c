//! A shop that reserves, charges and ships, as one saga.
//!
//! `cargo run --example order_saga` tells what becomes of an order that breaks off;
//! `cargo test -p order-saga-example` kills it at every point that there is.
//!
//! | file | what it is |
//! |---|---|
//! | `order` | **read this first**: the saga |
//! | `tools` | its three steps, and what undoes or finds out each |
//! | `client`, `service` | HTTP, and the server at the other end with its books |
//! | `show` | the story, told by `cargo run` |
//! | `worker`, `tests` | the proof: processes that die, and the audit after each |

pub mod client;
pub mod order;
pub mod service;
pub mod tools;

// tool-contract.yaml is binding: what reviewers read there is what runs.
tool_contract::contract!();
