//! Dropping a call's future never loses an outcome, and begins nothing.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tool_contract::ledger::StateName;
use tool_contract::spec::rulebook::Code;
use tool_contract::testing::Step;
use tool_contract::{Meta, Request};

use crate::slow::{PatientClock, SlowLedger};
use crate::stage::{Ending, LEASE, Stage, others, secs, soon};
use crate::tools::{Books, Charge, Glance, book, charge, charge_blocking, look};
use crate::world::{Act, Gate, Trouble};

/// Polls a call until it gets no further, as `select!` does before it drops it.
async fn poll_until_stuck<F: Future + Unpin>(call: &mut F) {
    for _ in 0..64 {
        let poll = poll_fn(|cx| Poll::Ready(Pin::new(&mut *call).poll(cx))).await;
        assert!(poll.is_pending(), "it came to its end");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_call_that_was_never_polled_never_was() {
    let stage = Stage::new();
    drop(charge("o".into(), 1).key("k").call(&stage.runtime));
    others().await;
    soon(stage.runtime.drain()).await;
    assert_eq!((stage.world.attempts(), stage.state("charge", "k").await), (0, None));
}

#[tokio::test]
async fn dropped_while_the_ledger_answers_the_claim_is_given_back_unused() {
    let stage = Stage::new();
    let slow = SlowLedger::new(stage.ledger.clone());
    let runtime = stage.builder().ledger(slow.clone()).build().unwrap();
    let gate = slow.gate(Step::Admit);
    let mut call = charge("o".into(), 1).key("k").call(&runtime);
    poll_until_stuck(&mut call).await;
    assert_eq!(stage.state("charge", "k").await, Some(StateName::Running));
    drop(call);
    gate.open();
    soon(runtime.drain()).await;
    assert_eq!(
        (stage.world.attempts(), stage.state("charge", "k").await),
        (0, Some(StateName::Released))
    );
    assert_eq!(stage.record("charge", "k").await.unwrap().attempts, 0);
    slow.ungate(Step::Admit);
    assert_eq!(charge("o".into(), 1).key("k").call(&runtime).await.unwrap().attempts(), 1);
}

#[tokio::test]
async fn dropped_while_it_waits_for_another_call_it_leaves_that_one_alone() {
    let stage = Stage::new();
    let gate = Gate::new();
    stage.world.then(gate.before(Act::Fail(Trouble::Busy))).then(gate.before(Act::Succeed));
    let first = tokio::spawn(charge("o".into(), 1).key("k").call(&stage.runtime));
    gate.reached().await;
    let another = stage.another_runtime();
    let mut waiting = charge("o".into(), 1).key("k").call(&another);
    poll_until_stuck(&mut waiting).await;
    drop(waiting);
    soon(another.drain()).await;
    gate.open();
    gate.reached().await;
    gate.open();
    assert_eq!(soon(first).await.unwrap().unwrap().attempts(), 2);
    assert_eq!(stage.world.effects(), 1);
}

#[tokio::test]
async fn dropped_in_the_middle_of_an_attempt_the_attempt_is_finished_and_recorded() {
    let stage = Stage::new();
    let gate = Gate::new();
    stage.world.then(gate.within(Act::Succeed));
    let mut call = charge("o".into(), 1).key("k").call(&stage.runtime);
    poll_until_stuck(&mut call).await;
    drop(call);
    let drain = tokio::spawn({
        let runtime = stage.runtime.clone();
        async move { runtime.drain().await }
    });
    others().await;
    assert!(!drain.is_finished(), "it drained while an attempt ran");
    assert_eq!(stage.state("charge", "k").await, Some(StateName::Running));
    gate.open();
    soon(drain).await.unwrap();
    assert_eq!(
        (stage.world.finished(), stage.state("charge", "k").await),
        (1, Some(StateName::Succeeded))
    );
    assert!(charge("o".into(), 1).key("k").call(&stage.runtime).await.unwrap().replayed());
    assert_eq!(stage.world.effects(), 1);
}

#[tokio::test]
async fn dropped_in_the_middle_of_an_attempt_that_fails_no_other_is_begun() {
    let stage = Stage::new();
    let gate = Gate::new();
    stage.world.then(gate.before(Act::Fail(Trouble::BusyFor { after: secs(9) })));
    let mut call = charge("o".into(), 1).key("k").call(&stage.runtime);
    poll_until_stuck(&mut call).await;
    drop(call);
    gate.open();
    soon(stage.runtime.drain()).await;
    assert_eq!(stage.world.attempts(), 1);
    assert_eq!(stage.state("charge", "k").await, Some(StateName::Released));
    let rejected =
        charge("o".into(), 1).key("k").call(&stage.runtime).await.refused(Code::NOT_BEFORE);
    assert_eq!(rejected.retry_after, Some(secs(10)));
}

#[tokio::test]
async fn dropped_in_the_middle_of_an_attempt_its_timeout_still_holds() {
    let stage = Stage::new();
    stage.world.then(Act::HappenThenHang);
    let mut call = charge("o".into(), 1).key("k").call(&stage.runtime);
    poll_until_stuck(&mut call).await;
    drop(call);
    stage.pass(secs(30)).await;
    soon(stage.runtime.drain()).await;
    assert_eq!(stage.state("charge", "k").await, Some(StateName::Unknown));
    charge("o".into(), 1).key("k").call(&stage.runtime).await.unknown();
    assert_eq!(stage.world.effects(), 1);
}

#[tokio::test]
async fn dropped_in_a_backoff_the_key_is_released_and_the_backoff_stands() {
    let stage = Stage::new();
    let clock = Arc::new(PatientClock(Arc::clone(&stage.clock)));
    let runtime = stage.builder().clock(clock).build().unwrap();
    stage.world.then(Act::Fail(Trouble::BusyFor { after: secs(60) }));
    let mut call = charge("o".into(), 1).key("k").call(&runtime);
    poll_until_stuck(&mut call).await;
    assert_eq!(stage.world.attempts(), 1);
    stage.clock.advance(secs(4));
    poll_until_stuck(&mut call).await;
    drop(call);
    soon(runtime.drain()).await;
    let record = stage.record("charge", "k").await.unwrap();
    assert_eq!((record.state.name(), record.attempts), (StateName::Released, 1));
    // What the other side asked for binds the next call too.
    let rejected = charge("o".into(), 1).key("k").call(&runtime).await.refused(Code::NOT_BEFORE);
    assert_eq!(rejected.retry_after, Some(secs(57)));
    assert_eq!(stage.world.attempts(), 1);
    stage.clock.advance(secs(57));
    assert_eq!(charge("o".into(), 1).key("k").call(&runtime).await.unwrap().attempts(), 2);
}

#[tokio::test]
async fn dropped_while_it_finds_out_what_is_found_is_recorded() {
    for (act, effects) in
        [(Act::HappenThenFail(Trouble::NoAnswer), 1), (Act::Fail(Trouble::NoAnswer), 0)]
    {
        let stage = Stage::new();
        let (books, gate) = (Books::default(), Gate::new());
        let runtime = stage.builder().state(books.clone()).build().unwrap();
        stage.world.then(act);
        books.then(Glance::Behind(gate.passage()));
        let mut call = book("s".into()).key("k").call(&runtime);
        poll_until_stuck(&mut call).await;
        assert_eq!(stage.state("book", "k").await, Some(StateName::Reconciling));
        drop(call);
        gate.open();
        soon(runtime.drain()).await;
        let state = stage.state("book", "k").await.unwrap();
        if effects == 1 {
            assert_eq!(state, StateName::Succeeded);
        } else {
            // Nobody waits for the time after which it would be believed.
            assert_eq!(state, StateName::Unknown);
        }
        assert_eq!((stage.world.attempts(), stage.world.effects()), (1, effects));
    }
}

#[tokio::test]
async fn dropped_while_its_result_is_recorded_it_is_recorded() {
    let stage = Stage::new();
    let slow = SlowLedger::new(stage.ledger.clone());
    let runtime = stage.builder().ledger(slow.clone()).build().unwrap();
    let gate = slow.gate(Step::Settle);
    let mut call = charge("o".into(), 1).key("k").call(&runtime);
    poll_until_stuck(&mut call).await;
    drop(call);
    gate.open();
    soon(runtime.drain()).await;
    assert_eq!(stage.state("charge", "k").await, Some(StateName::Succeeded));
}

#[tokio::test]
async fn a_dynamic_call_that_is_dropped_is_finished_and_recorded_too() {
    let stage = Stage::new();
    let runtime = stage.builder().tool::<Charge>().build().unwrap();
    let gate = Gate::new();
    stage.world.then(gate.within(Act::Succeed));
    let meta = Meta { idempotency_key: Some("k".into()), ..Meta::default() };
    let arguments = serde_json::json!({ "order": "o", "cents": 1 });
    let request = Request::new("charge", &arguments, meta).unwrap();
    let mut call = Box::pin(runtime.dispatch(request.clone()));
    poll_until_stuck(&mut call).await;
    drop(call);
    gate.open();
    soon(runtime.drain()).await;
    assert_eq!(stage.state("charge", "k").await, Some(StateName::Succeeded));
    assert!(runtime.dispatch(request).await.replayed);
    assert_eq!(stage.world.effects(), 1);
}

#[tokio::test]
async fn a_body_that_blocks_is_waited_for_when_its_call_is_dropped() {
    let stage = Stage::new();
    let gate = Gate::new();
    stage.world.then(gate.within(Act::Succeed));
    let call = tokio::spawn(charge_blocking("o".into()).key("k").call(&stage.runtime));
    gate.reached_by_thread().await;
    call.abort();
    others().await;
    gate.open();
    stage.runtime.drain().await;
    assert_eq!(stage.state("charge_blocking", "k").await, Some(StateName::Succeeded));
}

#[tokio::test]
async fn a_read_that_is_dropped_is_gone() {
    let stage = Stage::new();
    let gate = Gate::new();
    stage.world.then(gate.before(Act::Succeed));
    let mut call = look("o".into()).call(&stage.runtime);
    poll_until_stuck(&mut call).await;
    drop(call);
    gate.open();
    others().await;
    soon(stage.runtime.drain()).await;
    assert_eq!(stage.world.finished(), 0);
}

#[test]
fn where_the_executor_is_gone_the_lease_makes_it_unknown() {
    let stage = Stage::new();
    let gate = Gate::new();
    stage.world.then(gate.within(Act::Succeed));
    let executor = tokio::runtime::Builder::new_current_thread().build().unwrap();
    executor.block_on(async {
        let mut call = charge("o".into(), 1).key("k").call(&stage.runtime);
        poll_until_stuck(&mut call).await;
        tokio::spawn(call);
    });
    drop(executor);
    let executor = tokio::runtime::Builder::new_current_thread().build().unwrap();
    executor.block_on(async {
        let again = || charge("o".into(), 1).key("k").call(&stage.runtime);
        stage.clock.advance(LEASE);
        let unknown = soon(again()).await.unknown();
        assert!(unknown.cause.contains("lease"), "{}", unknown.cause);
        assert_eq!((stage.world.attempts(), stage.world.effects()), (1, 1));
    });
}

#[test]
fn without_any_executor_a_dropped_call_is_unknown_by_its_lease() {
    let stage = Stage::new();
    stage.world.then(Act::HappenThenHang);
    let mut call = charge("o".into(), 1).key("k").call(&stage.runtime);
    let poll = Pin::new(&mut call).poll(&mut Context::from_waker(Waker::noop()));
    assert!(poll.is_pending());
    drop(call);
    stage.clock.advance(LEASE);
    let executor = tokio::runtime::Builder::new_current_thread().build().unwrap();
    executor.block_on(async {
        soon(charge("o".into(), 1).key("k").call(&stage.runtime)).await.unknown();
        // What was dropped is no longer counted as running.
        soon(stage.runtime.drain()).await;
    });
    assert_eq!(stage.world.effects(), 1);
}
