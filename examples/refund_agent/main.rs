//! wip
mod client;
mod money;
mod provider;
mod tools;
fn main() {}
