//! It is a ledger as all others are, on one server and in one slot of a cluster.

use std::sync::Arc;

use tool_contract_servers::Redis;

use super::super::{Bells, Durability, Keys, Line, RedisLedger, begin};
use super::{claim, new_prefix, settle_as, told};
use crate::ledger::conformance::{self, Subject, happened, id, unknown};
use crate::ledger::{CellId, StateName, shared};
use crate::testing::ManualClock;
use tool_contract_spec::policy::{Limit, Quota};

fn subject(ledger: RedisLedger, clock: Arc<ManualClock>) -> Subject {
    Subject::new(ledger, move |span| {
        clock.advance(span);
        std::future::ready(())
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_conforms() {
    let Some(server) = Redis::start() else { return };
    conformance::run(|| async {
        let clock = Arc::new(ManualClock::new());
        let ledger = told(&clock).connect(&server.url()).await.unwrap();
        subject(ledger, clock)
    })
    .await;
}

/// A cluster of one node, which has every slot and still refuses a script that
/// touches two.
fn cluster() -> Option<Redis> {
    let server = Redis::with(&[("cluster-enabled", "yes")])?;
    assert_eq!(server.ask(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]), "+OK");
    while !server.ask(&["CLUSTER", "INFO"]).contains("cluster_state:ok") {
        std::thread::yield_now();
    }
    Some(server)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_keys_of_a_step_are_in_one_slot() {
    let Some(server) = cluster() else { return };
    let refused = RedisLedger::connect(&server.url()).await.unwrap_err();
    assert!(refused.to_string().contains("cluster"), "{refused}");
    conformance::run(|| async {
        let clock = Arc::new(ManualClock::new());
        let (options, bells) = (told(&clock), Arc::<Bells>::default());
        let line = Line::connect(&server.url(), &options, &bells).await.unwrap();
        let keys = Keys::new(&options.prefix).unwrap();
        let store = begin(&options, keys, line, bells).await.unwrap();
        let shared = shared::SharedLedger::new(store, Arc::clone(&clock) as _);
        subject(RedisLedger { shared, durability: Durability::none() }, clock)
    })
    .await;
}

/// What is in an index and not wanted is passed over, but it would be for good.
#[tokio::test]
async fn what_nobody_has_to_look_at_any_more_leaves_its_index() {
    let Some(server) = Redis::start() else { return };
    let options = RedisLedger::options().prefix(new_prefix());
    let ledger = options.clone().connect(&server.url()).await.unwrap();
    let index = format!("{{{}:tool}}:state:unknown", options.prefix);
    let held = claim(&ledger, "k").await;
    settle_as(&ledger, "k", held.fence, unknown()).await;
    assert_eq!(server.ask(&["ZCARD", &index]), ":1");
    settle_as(&ledger, "k", held.fence, happened("7")).await;
    assert_eq!(server.ask(&["EXISTS", &index]), ":0");
}

#[test]
fn a_tool_may_be_called_anything() {
    let Some(server) = cluster() else { return };
    let keys = Keys::new("a:prefix").unwrap();
    let slot = |key: &str| server.ask(&["CLUSTER", "KEYSLOT", key]);
    let mut tags = std::collections::BTreeSet::new();
    for tool in ["tool", "", "}", "{}", "a:b", "%3A", ":", "{", "\u{1F980}"] {
        let of = keys.of(tool);
        let one = id(Some("t{}"), "tool", "k}{");
        let cell = |quota| CellId {
            over: "tool".into(),
            limit: Limit::for_all(quota),
            tenant: None,
            subject: Some("}{".into()),
        };
        let all = [
            of.meta(),
            of.operation(&one),
            of.names(),
            of.noted(StateName::Unknown).unwrap(),
            of.cells(&cell(Quota::per_day(1))),
            of.cells(&cell(Quota::Count(1))),
            of.cells(&cell(Quota::Concurrent(1))),
            of.changed(&one),
        ];
        let slots: std::collections::BTreeSet<_> = all.iter().map(|key| slot(key)).collect();
        assert_eq!(slots.len(), 1, "{tool}: {all:?}");
        assert!(tags.insert(of.tag().to_owned()), "{tool}");
    }
    assert_eq!(slot(&keys.ledger()), slot(&keys.tools()));
    assert_eq!(slot(&keys.ledger()), slot(&keys.fences()));
    let other = Keys::new("a").unwrap();
    assert_ne!(other.of("prefix:tool").tag(), keys.of("tool").tag());
}
