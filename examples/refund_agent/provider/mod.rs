//! The payment provider: a real HTTP server on loopback, in a process of its
//! own, so that it outlives the agent and nobody can talk it out of its books.
//!
//! Like many real ones it does not dedupe: two requests are two charges.

pub(crate) mod books;
mod fault;
mod server;

pub(crate) use self::fault::Fault;
pub(crate) use self::server::serve;
