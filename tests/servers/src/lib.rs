//! Private servers for tests, started from the installed binaries on free
//! loopback ports, in temporary folders, and stopped by their process ids.
//!
//! Where a binary is missing the test is skipped and says so; with
//! `TOOL_CONTRACT_REQUIRE_SERVERS=1`, as in CI, missing is a failure.

mod pgbouncer;
mod postgres;
mod proxy;
mod redis;

pub use pgbouncer::PgBouncer;
pub use postgres::Postgres;
pub use proxy::{Fault, Proxy};
pub use redis::Redis;

/// Says that a test is skipped because `binary` is missing.
///
/// # Panics
/// If servers are required.
pub fn skip(binary: &str) {
    let is_required =
        std::env::var_os("TOOL_CONTRACT_REQUIRE_SERVERS").is_some_and(|set| set == "1");
    assert!(!is_required, "{binary} is missing, and TOOL_CONTRACT_REQUIRE_SERVERS=1 requires it");
    println!("skipped: {binary} is not installed");
}
