//! The ledger on a Redis of its own. Where none is installed, these tests say so
//! and are skipped.

mod conforming;
mod differential;
mod failing;
mod losing;
mod network;
mod opening;
mod sharing;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::{RedisLedger, RedisOptions};
use crate::ledger::conformance::{call, happened, key};
use crate::ledger::{
    Admission, Admitted, Claim, Fence, Ledger, LedgerError, Settled, Settlement, Verdict,
};
use crate::testing::ManualClock;

/// How long a line may take to come back.
const PATIENCE: Duration = Duration::from_secs(30);

/// A prefix that no other ledger in this process has.
fn new_prefix() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("test:{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// Options of a ledger whose time a test tells.
fn told(clock: &Arc<ManualClock>) -> RedisOptions {
    RedisLedger::options().prefix(new_prefix()).told(Arc::clone(clock) as _)
}

async fn claim(ledger: &impl Ledger, name: &str) -> Claim {
    match ledger.admit(&call(1, &key(name))).await.unwrap() {
        Admitted::Claimed(claim) => claim,
        other => panic!("not claimed: {other:?}"),
    }
}

async fn settle_as(ledger: &impl Ledger, name: &str, fence: Fence, verdict: Verdict) -> Settled {
    let settlement = Settlement { id: key(name), fence, used: 1, verdict, attempts: Vec::new() };
    ledger.settle(&settlement).await.unwrap()
}

async fn settle(ledger: &impl Ledger, name: &str, fence: Fence, verdict: Verdict) {
    let settled = settle_as(ledger, name, fence, verdict).await;
    assert_eq!(settled, Settled::Recorded { escalation: None });
}

async fn succeed(ledger: &impl Ledger, name: &str) {
    let claim = claim(ledger, name).await;
    settle(ledger, name, claim.fence, happened("7")).await;
}

/// Asks until the line is back.
async fn admit(ledger: &impl Ledger, admission: &Admission) -> Result<Admitted, LedgerError> {
    let asking = async {
        loop {
            match ledger.admit(admission).await {
                Err(LedgerError::Unavailable(_)) => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                answer => return answer,
            }
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.expect("the line comes back")
}
