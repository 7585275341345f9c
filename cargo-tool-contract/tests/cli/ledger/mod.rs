//! `ledger`: what people who look after one see and do.

mod access;
mod ls;
mod prune;
mod reopen;
mod resolve;
mod servers;
mod show;
mod stage;
mod verify;
