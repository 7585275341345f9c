//! The deadline holds for the whole call: waits, attempts, backoffs, and
//! finding out.

use std::time::Duration;

use tool_contract::ledger::StateName;
use tool_contract::spec::rulebook::Code;
use tool_contract::testing::{Fault, Step};
use tool_contract::{CallError, Failure};

use crate::slow::SlowLedger;
use crate::stage::{Ending, Stage, others, secs, soon};
use crate::tools::{Books, Glance, book, charge, look};
use crate::world::{Act, Gate, Trouble};

#[tokio::test]
async fn a_call_without_any_time_is_refused() {
    let stage = Stage::new();
    let call = charge("o".into(), 1).key("k").deadline(Duration::ZERO);
    call.call(&stage.runtime).await.refused(Code::DEADLINE_PASSED);
    look("o".into())
        .deadline(Duration::ZERO)
        .call(&stage.runtime)
        .await
        .refused(Code::DEADLINE_PASSED);
    assert_eq!((stage.world.attempts(), stage.state("charge", "k").await), (0, None));
}

#[tokio::test]
async fn while_it_waits_for_another_call_nothing_ran() {
    let stage = Stage::new();
    let gate = Gate::new();
    stage.world.then(gate.before(Act::Succeed));
    let first = tokio::spawn(charge("o".into(), 1).key("k").call(&stage.runtime));
    gate.reached().await;
    let second =
        tokio::spawn(charge("o".into(), 1).key("k").deadline(secs(7)).call(&stage.runtime));
    stage.pass(secs(6)).await;
    assert!(!second.is_finished());
    stage.pass(secs(1)).await;
    soon(second).await.unwrap().refused(Code::DEADLINE_PASSED);
    gate.open();
    soon(first).await.unwrap().unwrap();
}

#[tokio::test]
async fn in_the_middle_of_an_attempt_the_caller_is_let_go_and_the_result_recorded() {
    let stage = Stage::new();
    let gate = Gate::new();
    stage.world.then(gate.within(Act::Succeed));
    let call = tokio::spawn(charge("o".into(), 1).key("k").deadline(secs(3)).call(&stage.runtime));
    gate.reached().await;
    stage.pass(secs(3)).await;
    let unknown = soon(call).await.unwrap().unknown();
    assert!(unknown.cause.contains("deadline") && unknown.escalation.is_none(), "{unknown}");
    gate.open();
    soon(stage.runtime.drain()).await;
    assert_eq!(stage.state("charge", "k").await, Some(StateName::Succeeded));
    assert!(charge("o".into(), 1).key("k").call(&stage.runtime).await.unwrap().replayed());
    assert_eq!(stage.world.effects(), 1);
}

#[tokio::test]
async fn after_it_no_attempt_is_begun() {
    let stage = Stage::new();
    let gate = Gate::new();
    stage.world.then(gate.before(Act::Fail(Trouble::Busy)));
    let call = tokio::spawn(charge("o".into(), 1).key("k").deadline(secs(3)).call(&stage.runtime));
    gate.reached().await;
    stage.pass(secs(3)).await;
    soon(call).await.unwrap().unknown();
    gate.open();
    soon(stage.runtime.drain()).await;
    assert_eq!(
        (stage.world.attempts(), stage.state("charge", "k").await),
        (1, Some(StateName::Released))
    );
}

#[tokio::test]
async fn a_backoff_that_would_pass_it_is_not_begun() {
    let stage = Stage::new();
    stage.world.then(Act::Fail(Trouble::BusyFor { after: secs(30) }));
    let failure =
        charge("o".into(), 1).key("k").deadline(secs(20)).call(&stage.runtime).await.failed();
    assert_eq!(failure, Failure::Tool(Trouble::BusyFor { after: secs(30) }));
    assert_eq!((stage.world.attempts(), stage.clock.paused()), (1, Duration::ZERO));
}

#[tokio::test]
async fn a_read_ends_with_it() {
    let stage = Stage::new();
    stage.world.then(Act::Hang);
    let call = tokio::spawn(look("o".into()).deadline(secs(3)).call(&stage.runtime));
    stage.pass(secs(3)).await;
    let error = soon(call).await.unwrap().unwrap_err();
    assert!(
        matches!(&error, CallError::Failed(Failure::TimedOut, about) if about.attempts == 1),
        "{error:?}"
    );
}

#[tokio::test]
async fn while_it_finds_out_the_caller_is_let_go_and_what_is_found_recorded() {
    let stage = Stage::new();
    let (books, gate) = (Books::default(), Gate::new());
    let runtime = stage.builder().state(books.clone()).build().unwrap();
    stage.world.then(Act::HappenThenFail(Trouble::NoAnswer));
    books.then(Glance::Behind(gate.passage()));
    let call = tokio::spawn(book("s".into()).key("k").deadline(secs(3)).call(&runtime));
    gate.reached().await;
    stage.pass(secs(3)).await;
    let unknown = soon(call).await.unwrap().unknown();
    assert!(unknown.cause.contains("deadline"), "{unknown}");
    assert_eq!(stage.state("book", "k").await, Some(StateName::Reconciling));
    gate.open();
    soon(runtime.drain()).await;
    assert_eq!(stage.state("book", "k").await, Some(StateName::Succeeded));
    assert!(book("s".into()).key("k").call(&runtime).await.unwrap().replayed());
    assert_eq!(stage.world.attempts(), 1);
}

#[tokio::test]
async fn what_did_not_happen_is_not_waited_for_beyond_it() {
    let stage = Stage::new();
    let runtime = stage.builder().state(Books::default()).build().unwrap();
    stage.world.then(Act::Fail(Trouble::NoAnswer));
    // It would be believed after 10 s.
    let unknown = book("s".into()).key("k").deadline(secs(9)).call(&runtime).await.unknown();
    assert!(unknown.escalation.is_some());
    assert_eq!(
        (stage.world.attempts(), stage.state("book", "k").await),
        (1, Some(StateName::Unknown))
    );
    assert!(stage.clock.paused() < secs(9));
}

#[tokio::test]
async fn while_its_result_cannot_be_recorded_the_caller_is_let_go() {
    let stage = Stage::new();
    let clock = std::sync::Arc::new(crate::slow::PatientClock(std::sync::Arc::clone(&stage.clock)));
    let runtime = stage.builder().clock(clock).build().unwrap();
    stage.ledger.fail(Step::Settle, Fault::Lost, 4);
    let call = tokio::spawn(
        charge("o".into(), 1).key("k").deadline(Duration::from_millis(100)).call(&runtime),
    );
    others().await;
    stage.clock.advance(Duration::from_millis(100));
    let unknown = soon(call).await.unwrap().unknown();
    assert!(unknown.escalation.is_none());
    // It goes on trying.
    stage.pass(secs(2)).await;
    soon(runtime.drain()).await;
    assert_eq!(stage.state("charge", "k").await, Some(StateName::Succeeded));
}

#[tokio::test]
async fn what_ran_and_did_not_happen_is_no_refusal() {
    // An attempt was made, so nobody may be told that nothing ran.
    let stage = Stage::new();
    let runtime = stage.builder().state(Books::default()).build().unwrap();
    stage.world.then(Act::Fail(Trouble::NoAnswer));
    let call = book("s".into()).key("k").deadline(Duration::from_millis(10_500));
    let error = call.call(&runtime).await.unwrap_err();
    assert!(matches!(error, CallError::Failed(Failure::DidNotHappen, _)), "{error:?}");
    assert_eq!(
        (stage.world.attempts(), stage.state("book", "k").await),
        (1, Some(StateName::Released))
    );
}

#[tokio::test]
async fn an_admission_that_comes_with_it_lets_nothing_begin() {
    let stage = Stage::new();
    let slow = SlowLedger::new(stage.ledger.clone());
    let runtime = stage.builder().ledger(slow.clone()).build().unwrap();
    let gate = slow.gate(Step::Admit);
    let call = charge("o".into(), 1).key("k").deadline(secs(5));
    let call = tokio::spawn(call.call(&runtime));
    gate.reached().await;
    // Both at once: the answer is there, and the time is over.
    stage.clock.advance(secs(5));
    gate.open();
    soon(call).await.unwrap().refused(Code::DEADLINE_PASSED);
    soon(runtime.drain()).await;
    assert_eq!(stage.world.attempts(), 0);
    assert_eq!(stage.state("charge", "k").await, Some(StateName::Released));
}
