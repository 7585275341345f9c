//! Random exchanges and random histories: Redis and the store that says exactly what one does answer
//! alike, and remember alike.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tool_contract_servers::Redis;
use tool_contract_spec::key::OperationId;

use super::super::store::RedisStore;
use super::super::{RedisLedger, open};
use super::new_prefix;
use crate::ledger::shared::tests::differential::{Other, alike};
use crate::ledger::shared::{Exchange, Exchanged, SharedLedger, Store};
use crate::ledger::tests::differential::{Server, with_server};
use crate::ledger::{Answer, BoxFuture, Draw, Event, Fence, Limited, Query, Record};
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
            drops_idle_cells: false,
        }
    });
}

#[test]
fn it_answers_as_all_ledgers_do() {
    let Some(server) = Redis::with(&[("appendonly", "no")]) else { return };
    with_server(128, |clock| async {
        let options = RedisLedger::options()
            .prefix(new_prefix())
            .allow_weak_persistence()
            .told(Arc::clone(&clock));
        let (store, _) = open(&options, &server.url()).await.unwrap();
        let store = FromOne(store, AtomicU64::new(1));
        let ledger = Box::new(SharedLedger::new(store, Arc::clone(&clock)));
        Server { ledger, clock, tell: Box::new(|_| Box::pin(std::future::ready(()))) }
    });
}

/// The store with fences from 1, as the others count them.
struct FromOne(RedisStore, AtomicU64);

impl Store for FromOne {
    fn reserve_fences(&self, count: u64) -> Answer<'_, Fence> {
        let first = Fence(self.1.fetch_add(count, Ordering::SeqCst));
        Box::pin(std::future::ready(Ok(first)))
    }

    fn exchange(&self, exchange: Exchange) -> Answer<'_, Exchanged> {
        self.0.exchange(exchange)
    }

    fn draw(&self, draws: Vec<Draw>) -> Answer<'_, Result<(), Limited>> {
        self.0.draw(draws)
    }

    fn over(&self, most: usize) -> Answer<'_, Vec<OperationId>> {
        self.0.over(most)
    }

    fn archive(&self, id: OperationId) -> Answer<'_, ()> {
        self.0.archive(id)
    }

    fn history(&self, id: OperationId) -> Answer<'_, Vec<Event>> {
        self.0.history(id)
    }

    fn list(&self, query: Query) -> Answer<'_, Vec<(OperationId, Record)>> {
        self.0.list(query)
    }

    fn changed(&self, id: OperationId, within: Duration) -> BoxFuture<'_, ()> {
        self.0.changed(id, within)
    }
}
