//! The services behind the shop, on one real HTTP server on loopback: an inventory,
//! a payment service and a carrier. Their books outlive every process that calls them.

mod books;
mod fault;
mod server;

pub use self::books::{Account, Books, Desk};
pub use self::fault::Fault;
pub use self::server::Service;
