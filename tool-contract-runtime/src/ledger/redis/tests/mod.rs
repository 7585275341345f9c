//! The ledger on a Redis of its own. Where none is installed, these tests say so
//! and are skipped.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tool_contract_servers::Redis;

use super::*;
use crate::ledger::conformance::{self, Subject};
use crate::testing::ManualClock;

/// A prefix that no other ledger in this process has.
fn new_prefix() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("test-{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_conforms() {
    let Some(redis) = Redis::start() else { return };
    conformance::run(|| async {
        let clock = Arc::new(ManualClock::new());
        let options = RedisLedger::options().prefix(new_prefix()).told(Arc::clone(&clock) as _);
        let ledger = options.connect(&redis.url()).await.unwrap();
        let pass = move |span| -> BoxFuture<'static, ()> {
            clock.advance(span);
            Box::pin(std::future::ready(()))
        };
        Subject { ledger: Arc::new(ledger), pass: Box::new(pass) }
    })
    .await;
}
