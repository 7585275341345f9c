//! The ledgers, put to the same checks.

mod cached;
pub(super) mod differential;
#[cfg(shuttle)]
pub(super) mod every_order;
mod model;

use std::sync::Arc;

use tempfile::TempDir;

use super::conformance::{self, Subject};
use super::{CachedLedger, Ledger, MemoryLedger, SqliteLedger};
use crate::testing::ManualClock;

/// A ledger, and what moves its clock; `kept` lives as long.
fn subject<K: Send + Sync + 'static>(
    ledger: impl Ledger,
    clock: Arc<ManualClock>,
    kept: K,
) -> Subject {
    Subject::new(ledger, move |span| {
        let _ = &kept;
        clock.advance(span);
        std::future::ready(())
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_conforms() {
    conformance::run(|| async {
        let clock = Arc::new(ManualClock::new());
        subject(MemoryLedger::with_clock(Arc::clone(&clock) as _), clock, ())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cache_conforms() {
    conformance::run(|| async {
        let clock = Arc::new(ManualClock::new());
        let ledger = MemoryLedger::with_clock(Arc::clone(&clock) as _);
        let cached = CachedLedger::new(ledger).clock(Arc::clone(&clock) as _);
        subject(cached, clock, ())
    })
    .await;
}

/// Opens a ledger in a directory of its own.
pub(super) async fn sqlite(clock: &Arc<ManualClock>) -> (SqliteLedger, TempDir) {
    let directory = TempDir::new().expect("a temporary directory");
    let options = SqliteLedger::options().clock(Arc::clone(clock) as _);
    let ledger = options.open(directory.path().join("ledger.db")).await.expect("a new ledger");
    (ledger, directory)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_conforms() {
    conformance::run(|| async {
        let clock = Arc::new(ManualClock::new());
        let (ledger, directory) = sqlite(&clock).await;
        subject(ledger, clock, directory)
    })
    .await;
}
