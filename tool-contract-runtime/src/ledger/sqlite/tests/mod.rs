//! What a ledger in a file does beyond what every ledger does.

mod clocks;
#[cfg(shuttle)]
mod every_order;
mod faults;
mod lifetime;
mod opening;
mod sharing;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use super::{SqliteLedger, SqliteOptions};
use crate::ledger::conformance::{call, happened, key};
use crate::ledger::{
    Admission, Admitted, Claim, Fence, Ledger, LedgerError, Query, Record, Settled, Settlement,
    Verdict, verify,
};
use crate::testing::ManualClock;

/// A directory with room for a ledger, and a clock.
struct Place {
    directory: TempDir,
    clock: Arc<ManualClock>,
}

impl Place {
    fn new() -> Self {
        Self { directory: TempDir::new().unwrap(), clock: Arc::new(ManualClock::new()) }
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("ledger.db")
    }

    fn options(&self) -> SqliteOptions {
        SqliteLedger::options().clock(Arc::clone(&self.clock) as _)
    }

    async fn open(&self) -> SqliteLedger {
        self.options().open(self.file()).await.unwrap()
    }

    /// A connection of somebody else's.
    fn connection(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.file()).unwrap()
    }
}

async fn claim(ledger: &SqliteLedger, request: Admission) -> Claim {
    match ledger.admit(&request).await.unwrap() {
        Admitted::Claimed(claim) => claim,
        other => panic!("not claimed: {other:?}"),
    }
}

async fn admit(ledger: &SqliteLedger, caller: u128, name: &str) -> Result<Admitted, LedgerError> {
    ledger.admit(&call(caller, &key(name))).await
}

async fn settle(
    ledger: &SqliteLedger,
    name: &str,
    fence: Fence,
    verdict: Verdict,
) -> Result<Settled, LedgerError> {
    let id = key(name);
    ledger.settle(&Settlement { id, fence, used: 1, verdict, attempts: Vec::new() }).await
}

/// Claims and succeeds.
async fn succeed(ledger: &SqliteLedger, name: &str, result: &str) {
    let claim = claim(ledger, call(1, &key(name))).await;
    let settled = settle(ledger, name, claim.fence, happened(result)).await;
    assert_eq!(settled, Ok(Settled::Recorded { escalation: None }));
}

async fn record(ledger: &SqliteLedger, name: &str) -> Record {
    ledger.find(key(name)).await.unwrap().expect("a record")
}

/// All that a ledger holds is whole.
async fn check(ledger: &SqliteLedger) {
    for (id, record) in ledger.list(Query::default()).await.unwrap() {
        let history = ledger.history(id.clone()).await.unwrap();
        assert_eq!(verify(&history, &record.chain), Ok(()), "{id}");
    }
}

/// Opening fails with an error that names the file.
async fn refused(path: &Path) -> LedgerError {
    match SqliteLedger::open(path).await {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => {
            let name = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default();
            assert!(error.to_string().contains(&name), "{error}");
            error
        }
    }
}
