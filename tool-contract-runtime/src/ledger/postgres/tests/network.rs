//! A line that breaks, and a server that is killed.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tool_contract_servers::{Fault, Postgres, Proxy};

use super::{Place, server};
use crate::ledger::conformance::{self, call, happened, key};
use crate::ledger::postgres::{PostgresLedger, PostgresOptions};
use crate::ledger::{
    Admission, Admitted, Claim, EventKind, Fence, Ledger, LedgerError, Refusal, Settled, Settlement,
};

/// What is short here is waited for in earnest.
const SHORT: Duration = Duration::from_millis(300);
/// Longer than any test.
pub(super) const LONG: Duration = Duration::from_mins(1);

/// A ledger behind a line, with one connection that is there already.
async fn behind(place: &Place) -> (Proxy, PostgresLedger) {
    let proxy = Proxy::start(server().expect("a server").port());
    let ledger = place.options().pool(1).connect(&through(&proxy)).await.unwrap();
    claim(&ledger, &call(1, &key("warm"))).await;
    (proxy, ledger)
}

fn through(proxy: &Proxy) -> String {
    format!("postgres://tool:sesame@127.0.0.1:{}/postgres", proxy.port())
}

pub(super) async fn claim(ledger: &PostgresLedger, request: &Admission) -> Claim {
    match ledger.admit(request).await.unwrap() {
        Admitted::Claimed(claim) => claim,
        other => panic!("not claimed: {other:?}"),
    }
}

fn unavailable<T: std::fmt::Debug>(answer: Result<T, LedgerError>) -> String {
    match answer {
        Err(LedgerError::Unavailable(told)) => {
            assert!(told.contains("127.0.0.1") && !told.contains("sesame"), "{told}");
            told
        }
        other => panic!("not unavailable: {other:?}"),
    }
}

pub(super) fn success(name: &str, fence: Fence) -> Settlement {
    Settlement { id: key(name), fence, used: 1, verdict: happened("7"), attempts: Vec::new() }
}

#[tokio::test]
async fn a_request_that_was_not_forwarded_left_nothing() {
    let Some(place) = Place::new().await else { return };
    let (proxy, ledger) = behind(&place).await;
    proxy.fail(Fault::CutBefore);
    let told = unavailable(ledger.admit(&call(1, &key("k"))).await);
    assert!(told.contains("may have been carried out or not"), "{told}");
    assert_eq!(ledger.find(key("k")).await, Ok(None));
    claim(&ledger, &call(1, &key("k"))).await;
    assert_eq!(proxy.cuts(), 1);
}

#[tokio::test]
async fn an_admission_whose_reply_was_lost_is_found_by_its_own_call_alone() {
    let Some(place) = Place::new().await else { return };
    let (proxy, ledger) = behind(&place).await;
    proxy.fail(Fault::CutAfter);
    unavailable(ledger.admit(&call(1, &key("k"))).await);
    let other = ledger.admit(&call(2, &key("k"))).await.unwrap();
    assert!(matches!(other, Admitted::Refused(Refusal::InFlight { .. })), "{other:?}");
    let again = claim(&ledger, &call(1, &key("k"))).await;
    assert_eq!(ledger.find(key("k")).await.unwrap().unwrap().fence, again.fence);
    assert_eq!(ledger.history(key("k")).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_settlement_whose_reply_was_lost_is_on_record_once() {
    let Some(place) = Place::new().await else { return };
    let (proxy, ledger) = behind(&place).await;
    let held = claim(&ledger, &call(1, &key("k"))).await;
    proxy.fail(Fault::CutAfter);
    unavailable(ledger.settle(&success("k", held.fence)).await);
    let settled = ledger.settle(&success("k", held.fence)).await;
    assert_eq!(settled, Ok(Settled::Recorded { escalation: None }));
    let kinds: Vec<_> =
        ledger.history(key("k")).await.unwrap().iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::Claimed, EventKind::Succeeded]);
}

#[tokio::test]
async fn a_line_that_is_silent_is_given_up() {
    let Some(place) = Place::new().await else { return };
    let proxy = Proxy::start(server().expect("a server").port());
    let options = place.options().pool(1).request_timeout(SHORT).connect_timeout(SHORT);
    let ledger = options.patience(LONG).connect(&through(&proxy)).await.unwrap();
    claim(&ledger, &call(1, &key("warm"))).await;
    proxy.fail(Fault::Swallow);
    let told = unavailable(ledger.admit(&call(1, &key("k"))).await);
    assert!(told.contains("no answer within"), "{told}");
    proxy.heal();
    claim(&ledger, &call(1, &key("k"))).await;
}

#[tokio::test]
async fn who_finds_no_place_is_told_so() {
    let Some(place) = Place::new().await else { return };
    let proxy = Proxy::start(server().expect("a server").port());
    let options = place.options().pool(1).queue(1).batch(1).patience(SHORT);
    let ledger = options.connect(&through(&proxy)).await.unwrap();
    claim(&ledger, &call(1, &key("warm"))).await;
    proxy.fail(Fault::Swallow);
    let ledger = Arc::new(ledger);
    // One is in flight, one waits, and there is no room for a third.
    let mut callers = JoinSet::new();
    for number in 0..3 {
        let ledger = Arc::clone(&ledger);
        callers.spawn(async move { ledger.admit(&call(1, &key(&format!("k{number}")))).await });
    }
    // That one is told first; the others when the line is cut.
    let mut answers = vec![callers.join_next().await.expect("three call").unwrap()];
    proxy.fail(Fault::Down);
    answers.extend(callers.join_all().await);
    let full = |answer: &&Result<_, _>| matches!(answer, Err(LedgerError::Overloaded(1)));
    assert_eq!(answers.iter().filter(full).count(), 1, "{answers:?}");
}

#[tokio::test]
async fn what_was_not_sent_waits_for_a_new_connection() {
    let Some(place) = Place::new().await else { return };
    let proxy = Proxy::start(server().expect("a server").port());
    let options = place.options().pool(1).patience(LONG);
    let ledger = Arc::new(options.connect(&through(&proxy)).await.unwrap());
    claim(&ledger, &call(1, &key("warm"))).await;
    proxy.fail(Fault::Down);
    // It is noticed that the connection is gone, one way or another.
    while ledger.0.store().link.is_connected() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let waiting = {
        let ledger = Arc::clone(&ledger);
        tokio::spawn(async move { ledger.admit(&call(1, &key("k"))).await })
    };
    let before = proxy.refused();
    while proxy.refused() < before + 2 {
        tokio::task::yield_now().await;
    }
    assert!(!waiting.is_finished());
    proxy.heal();
    assert!(matches!(waiting.await.unwrap(), Ok(Admitted::Claimed(_))));
}

#[tokio::test]
async fn a_server_that_is_killed_comes_back_with_all_it_answered() {
    let Some(server) = Postgres::start() else { return };
    let ledger = PostgresOptions::new().patience(SHORT).connect(&server.url()).await.unwrap();
    let held = claim(&ledger, &call(1, &key("held"))).await;
    let done = claim(&ledger, &call(1, &key("done"))).await;
    ledger.settle(&success("done", done.fence)).await.unwrap();
    server.kill9();
    // Its sessions may outlive it by a moment.
    let (mut late, mut refused) = (0, 0);
    while refused < 40 {
        let answer = ledger.admit(&call(1, &key(&format!("late-{late}")))).await;
        if answer.is_ok() {
            (late, refused) = (late + 1, 0);
        } else {
            unavailable(answer);
            refused += 1;
        }
    }
    let told = unavailable(ledger.admit(&call(1, &key("k"))).await);
    assert!(told.contains("nothing was sent"), "{told}");
    server.restart();
    let replay = ledger.admit(&call(2, &key("done"))).await.unwrap();
    assert!(matches!(replay, Admitted::Replay(_)), "{replay:?}");
    let settled = ledger.settle(&success("held", held.fence)).await;
    assert_eq!(settled, Ok(Settled::Recorded { escalation: None }));
    claim(&ledger, &call(1, &key("k"))).await;
}

#[tokio::test]
async fn who_waits_is_woken_when_the_line_is_lost_and_hears_again() {
    let Some(place) = Place::new().await else { return };
    let proxy = Proxy::start(server().expect("a server").port());
    let ledger = place.options().connect(&through(&proxy)).await.unwrap();
    let held = claim(&ledger, &call(1, &key("k"))).await;
    let mut waiting = ledger.changed(key("k"), LONG);
    conformance::settle_down(&ledger, &mut waiting).await;
    assert!(ledger.0.store().listener.hears().await);
    proxy.fail(Fault::Down);
    tokio::time::timeout(LONG, waiting).await.expect("woken, for something may be missed");
    proxy.heal();
    while !ledger.0.store().listener.hears().await {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Nobody rings here but the server.
    let elsewhere = place.open().await;
    let mut waiting = ledger.changed(key("k"), LONG);
    conformance::settle_down(&ledger, &mut waiting).await;
    elsewhere.settle(&success("k", held.fence)).await.unwrap();
    tokio::time::timeout(LONG, waiting).await.expect("woken");
}
