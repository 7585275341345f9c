//! Repeating what may have happened, where somebody other than our ledger
//! makes that harmless; and what is said afterwards.

use std::sync::Arc;

use tool_contract::Failure;
use tool_contract::ledger::StateName;
use tool_contract::spec::rulebook::Code;
use tool_contract::testing::{Fault, Step};

use crate::slow::{PatientClock, SlowLedger};
use crate::stage::{Ending, Stage, others, secs, soon};
use crate::tools::{charge, post, put};
use crate::world::{Act, Gate, Trouble, World};

#[tokio::test]
async fn an_api_that_dedupes_is_asked_again_with_the_same_key() {
    let stage = Stage::before(World::deduping());
    stage
        .world
        .then(Act::HappenThenFail(Trouble::NoAnswer))
        .then(Act::HappenThenFail(Trouble::NoAnswer));
    let done = post("o".into()).key("k").call(&stage.runtime).await.unwrap();
    assert_eq!((done.attempts(), stage.world.effects()), (3, 1));
    assert_eq!(stage.world.keys(), ["post/k"; 3]);
}

#[tokio::test]
async fn the_ledgers_own_promise_covers_no_repetition() {
    // The negative control: the same world, a tool deduped by the ledger.
    let stage = Stage::new();
    stage.world.then(Act::HappenThenFail(Trouble::NoAnswer));
    charge("o".into(), 1).key("k").call(&stage.runtime).await.unknown();
    assert_eq!(stage.world.attempts(), 1);
}

#[tokio::test]
async fn an_unknown_followed_by_failures_never_ends_as_if_nothing_had_happened() {
    for later in [
        Trouble::Busy,
        Trouble::Down,
        Trouble::Invalid,
        Trouble::Forbidden,
        Trouble::Closed,
        Trouble::NoAnswer,
    ] {
        let stage = Stage::new();
        stage.world.then(Act::HappenThenFail(Trouble::NoAnswer));
        for _ in 0..5 {
            stage.world.then(Act::Fail(later.clone()));
        }
        let unknown = put("o".into()).key("k").call(&stage.runtime).await.unknown();
        assert!(unknown.cause.contains("no answer"), "{}", unknown.cause);
        assert!(unknown.escalation.is_some());
        assert_eq!(stage.state("put", "k").await, Some(StateName::Unknown), "{later}");
        // Nor for other arguments.
        put("p".into()).key("k").call(&stage.runtime).await.refused(Code::CONFLICT);
    }
}

#[tokio::test]
async fn the_doubt_outlives_the_call() {
    let stage = Stage::new();
    for _ in 0..3 {
        stage.world.then(Act::HappenThenFail(Trouble::NoAnswer));
    }
    put("o".into()).key("k").call(&stage.runtime).await.unknown();
    // The next call may repeat it, and knows that it may have happened.
    for later in [Trouble::Busy, Trouble::Invalid] {
        stage.world.then(Act::Fail(later.clone()));
        if later == Trouble::Busy {
            stage.world.then(Act::Fail(later.clone())).then(Act::Fail(later));
        }
        put("o".into()).key("k").call(&stage.another_runtime()).await.unknown();
        assert_eq!(stage.state("put", "k").await, Some(StateName::Unknown));
        stage.clock.advance(secs(60));
    }
    // Success ends it.
    let done = put("o".into()).key("k").call(&stage.runtime).await.unwrap();
    assert!(!done.replayed());
    assert!(put("o".into()).key("k").call(&stage.runtime).await.unwrap().replayed());
}

#[tokio::test]
async fn an_api_that_dedupes_answers_for_the_whole_operation() {
    let stage = Stage::before(World::deduping());
    stage.world.then(Act::Fail(Trouble::NoAnswer)).then(Act::Fail(Trouble::Invalid));
    let failure = post("o".into()).key("k").call(&stage.runtime).await.failed();
    assert_eq!(failure, Failure::Tool(Trouble::Invalid));
    assert_eq!(stage.state("post", "k").await, Some(StateName::Released));
    // A mere "not now" is no such answer.
    let stage = Stage::before(World::deduping());
    stage.world.then(Act::HappenThenFail(Trouble::NoAnswer));
    for _ in 0..2 {
        stage.world.then(Act::Fail(Trouble::Busy));
    }
    post("o".into()).key("k").call(&stage.runtime).await.unknown();
}

#[tokio::test]
async fn both_the_stored_and_the_calling_contract_must_allow_a_repetition() {
    // The stored one does, the calling one of another release does not.
    let stage = Stage::new();
    for _ in 0..3 {
        stage.world.then(Act::Fail(Trouble::NoAnswer));
    }
    put("o".into()).key("k").call(&stage.runtime).await.unknown();
    let unknown =
        tool_contract_tests::put("o".into()).key("k").call(&stage.another_runtime()).await;
    assert!(unknown.unknown().escalation.is_some());
    // The other way round.
    let stage = Stage::new();
    stage.ledger.fail(Step::Settle, Fault::Lost, usize::MAX);
    tool_contract_tests::put("o".into()).key("k").call(&stage.runtime).await.unknown();
    stage.ledger.heal();
    stage.clock.advance(crate::stage::LEASE);
    put("o".into()).key("k").call(&stage.another_runtime()).await.unknown();
    assert_eq!(stage.world.attempts(), 0);
}

#[tokio::test]
async fn a_repetition_too_is_capped_over_all_calls() {
    let stage = Stage::new();
    for _ in 0..50 {
        stage.world.then(Act::Fail(Trouble::NoAnswer));
    }
    for _ in 0..10 {
        put("o".into()).key("k").call(&stage.runtime).await.unknown();
        stage.clock.advance(secs(60));
    }
    assert_eq!(stage.world.attempts(), 10);
}

#[tokio::test]
async fn a_call_that_is_dropped_before_it_repeats_leaves_the_doubt() {
    let stage = Stage::new();
    let clock = Arc::new(PatientClock(Arc::clone(&stage.clock)));
    let runtime = stage.builder().clock(clock).build().unwrap();
    stage.world.then(Act::HappenThenFail(Trouble::NoAnswer));
    let call = tokio::spawn(put("o".into()).key("k").call(&runtime));
    others().await;
    assert_eq!(stage.world.attempts(), 1);
    call.abort();
    others().await;
    soon(runtime.drain()).await;
    assert_eq!(stage.state("put", "k").await, Some(StateName::Unknown));

    // So does one that was admitted to repeat it, and never did.
    let slow = SlowLedger::new(stage.ledger.clone());
    let runtime = stage.builder().ledger(slow.clone()).build().unwrap();
    let gate = slow.gate(Step::Admit);
    let call = tokio::spawn(put("o".into()).key("k").call(&runtime));
    gate.reached().await;
    call.abort();
    others().await;
    gate.open();
    soon(runtime.drain()).await;
    assert_eq!(stage.state("put", "k").await, Some(StateName::Unknown));
    assert_eq!(stage.world.attempts(), 1);
}

#[tokio::test]
async fn a_claim_that_is_lost_before_it_repeats_leaves_the_doubt() {
    let stage = Stage::new();
    let gate = Gate::new();
    stage.world.then(gate.within(Act::Fail(Trouble::NoAnswer)));
    stage.ledger.fail(Step::Renew, Fault::Lost, usize::MAX);
    let call = tokio::spawn(put("o".into()).key("k").call(&stage.runtime));
    gate.reached().await;
    stage.pass(secs(6)).await;
    gate.open();
    let unknown = soon(call).await.unwrap().unknown();
    assert!(unknown.cause.contains("no answer"), "{}", unknown.cause);
    assert_eq!(stage.world.attempts(), 1);
    assert_eq!(stage.state("put", "k").await, Some(StateName::Unknown));
}
