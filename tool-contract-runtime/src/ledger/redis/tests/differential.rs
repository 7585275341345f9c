//! Random exchanges: Redis and the store that says exactly what one does answer
//! alike, and remember alike.

use std::sync::Arc;

use tool_contract_servers::Redis;

use super::super::{RedisLedger, open};
use super::new_prefix;
use crate::ledger::shared::tests::differential::{Other, alike};
use crate::testing::ManualClock;

#[test]
fn it_is_the_store_that_was_described() {
    let Some(server) = Redis::with(&[("appendonly", "no")]) else { return };
    alike(96, || async {
        let clock = Arc::new(ManualClock::new());
        let options = RedisLedger::options()
            .prefix(new_prefix())
            .allow_weak_persistence()
            .told(Arc::clone(&clock) as _);
        let (store, _) = open(&options, &server.url()).await.unwrap();
        Other {
            store,
            clock,
            tell: Box::new(|_| Box::pin(std::future::ready(()))),
            largest: u64::MAX,
            begins_with_one: false,
        }
    });
}
