//! An async attempt that takes too long is dropped at its timeout.

use tool_contract::ledger::{EventKind, StateName};
use tool_contract::{CallError, Failure};

use crate::stage::{Ending, Stage, secs, soon};
use crate::tools::{charge, look, put};
use crate::world::{Act, Gate};

#[tokio::test]
async fn a_write_that_times_out_is_unknown_and_never_runs_again_by_itself() {
    let stage = Stage::new();
    stage.world.then(Act::HappenThenHang);
    let call = tokio::spawn(charge("o".into(), 1).key("k").call(&stage.runtime));
    stage.pass(secs(29)).await;
    assert!(!call.is_finished());
    stage.pass(secs(1)).await;
    let unknown = soon(call).await.unwrap().unknown();
    assert!(unknown.cause.contains("30s"), "{}", unknown.cause);
    let escalation = unknown.escalation.expect("it is on record");
    assert_eq!(stage.kinds("charge", "k").await.last(), Some(&EventKind::BecameUnknown));

    for runtime in [&stage.runtime, &stage.another_runtime()] {
        stage.clock.advance(secs(3_600));
        let again = charge("o".into(), 1).key("k").call(runtime).await.unknown();
        assert_eq!(again.escalation.as_ref(), Some(&escalation));
    }
    assert_eq!((stage.world.attempts(), stage.world.effects()), (1, 1));
}

#[tokio::test]
async fn an_attempt_is_dropped_at_its_timeout() {
    let stage = Stage::new();
    let gate = Gate::new();
    stage.world.then(gate.before(Act::Succeed));
    let call = tokio::spawn(charge("o".into(), 1).key("k").call(&stage.runtime));
    gate.reached().await;
    stage.pass(secs(30)).await;
    soon(call).await.unwrap().unknown();
    gate.open();
    crate::stage::others().await;
    assert_eq!((stage.world.finished(), stage.world.effects()), (0, 0));
    assert_eq!(stage.state("charge", "k").await, Some(StateName::Unknown));
}

#[tokio::test]
async fn a_read_that_times_out_is_tried_again() {
    let stage = Stage::new();
    stage.world.then(Act::Hang).then(Act::Hang);
    let call = tokio::spawn(look("o".into()).call(&stage.runtime));
    // Twice 30 s, and a second after each.
    stage.pass(secs(60)).await;
    assert_eq!(soon(call).await.unwrap().unwrap().attempts(), 3);
}

#[tokio::test]
async fn a_read_that_always_times_out_fails_without_effect() {
    let stage = Stage::new();
    for _ in 0..3 {
        stage.world.then(Act::Hang);
    }
    let call = tokio::spawn(look("o".into()).call(&stage.runtime));
    stage.pass(secs(90)).await;
    let error = soon(call).await.unwrap().unwrap_err();
    assert!(
        matches!(&error, CallError::Failed(Failure::TimedOut, about) if about.attempts == 3),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_write_whose_repetition_is_harmless_is_tried_again_after_a_timeout() {
    let stage = Stage::new();
    stage.world.then(Act::HappenThenHang);
    let call = tokio::spawn(put("o".into()).key("k").call(&stage.runtime));
    stage.pass(secs(30)).await;
    assert_eq!(soon(call).await.unwrap().unwrap().attempts(), 2);
    assert_eq!(
        stage.kinds("put", "k").await,
        [EventKind::Claimed, EventKind::Attempted, EventKind::Succeeded]
    );
}
