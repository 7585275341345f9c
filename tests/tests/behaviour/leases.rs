//! A claim holds while its holder renews it, and nothing is begun without it.

use std::sync::Arc;

use tool_contract::ledger::{Reconciled, Resolution, Resolved, State, StateName, Timestamp};
use tool_contract::testing::{Fault, Step};
use tool_contract::{CallError, Failure};

use crate::stage::{Ending, LEASE, Stage, id, ms, others, secs, soon};
use crate::tools::{Books, book, charge};
use crate::world::{Act, Gate, Trouble};

async fn lease_until(stage: &Stage) -> Timestamp {
    match stage.record("charge", "k").await.unwrap().state {
        State::Running { lease_until } => lease_until,
        state => panic!("it is {state:?}"),
    }
}

#[tokio::test]
async fn a_long_attempt_keeps_its_claim() {
    let stage = Stage::new();
    let gate = Gate::new();
    stage.world.then(gate.within(Act::Succeed));
    let call = tokio::spawn(charge("o".into(), 1).key("k").call(&stage.runtime));
    gate.reached().await;
    let first = lease_until(&stage).await;
    for _ in 0..4 {
        stage.pass(secs(5)).await;
        // Another process never sees it expired.
        assert!(lease_until(&stage).await >= first);
        let another = stage.another_runtime();
        let waiting = charge("o".into(), 1).key("k").deadline(ms(500)).call(&another);
        let waiting = tokio::spawn(waiting);
        stage.pass(secs(1)).await;
        soon(waiting).await.unwrap().refused(tool_contract::spec::rulebook::Code::DEADLINE_PASSED);
    }
    assert!(lease_until(&stage).await >= first.after(secs(19)));
    gate.open();
    assert_eq!(*soon(call).await.unwrap().unwrap(), 1);
    assert_eq!(stage.kinds("charge", "k").await.len(), 2);
}

#[tokio::test]
async fn a_claim_whose_holder_vanishes_becomes_unknown_and_is_no_licence() {
    let stage = Stage::new();
    stage.world.then(Act::HappenThenHang);
    let executor = tokio::task::spawn_blocking({
        let runtime = stage.runtime.clone();
        move || {
            let executor = tokio::runtime::Builder::new_current_thread().build().unwrap();
            executor.block_on(async {
                tokio::spawn(charge("o".into(), 1).key("k").call(&runtime));
                others().await;
            });
        }
    });
    executor.await.unwrap();
    let another = stage.another_runtime();
    let call = tokio::spawn(charge("o".into(), 1).key("k").call(&another));
    stage.pass(LEASE - secs(1)).await;
    assert!(!call.is_finished(), "the holder might still be there");
    stage.pass(secs(1)).await;
    let unknown = soon(call).await.unwrap().unknown();
    assert!(unknown.escalation.is_some() && unknown.cause.contains("lease"), "{unknown}");
    assert_eq!((stage.world.attempts(), stage.world.effects()), (1, 1));
}

#[tokio::test]
async fn a_holder_whose_renewal_fails_begins_no_attempt() {
    let stage = Stage::new();
    let gate = Gate::new();
    stage.world.then(gate.before(Act::Fail(Trouble::Busy)));
    stage.ledger.fail(Step::Renew, Fault::Lost, 100);
    let call = tokio::spawn(charge("o".into(), 1).key("k").call(&stage.runtime));
    gate.reached().await;
    // The lease is due for renewal at 5 s, and holds until 15 s.
    stage.pass(secs(6)).await;
    gate.open();
    assert_eq!(soon(call).await.unwrap().failed(), Failure::Tool(Trouble::Busy));
    assert_eq!(
        (stage.world.attempts(), stage.state("charge", "k").await),
        (1, Some(StateName::Released))
    );
}

#[tokio::test]
async fn no_attempt_begins_after_the_lease_is_over_whenever_its_renewals_failed() {
    for late in [ms(15_000), ms(15_200), ms(15_400), ms(16_000)] {
        let stage = Stage::new();
        let gate = Gate::new();
        stage.world.then(gate.before(Act::Fail(Trouble::Busy)));
        stage.ledger.fail(Step::Renew, Fault::Lost, 10_000);
        let call = tokio::spawn(charge("o".into(), 1).key("k").call(&stage.runtime));
        gate.reached().await;
        stage.pass(late - secs(1)).await;
        gate.open();
        soon(call).await.unwrap().failed();
        assert_eq!(stage.world.attempts(), 1, "after {late:?}");
    }
}

#[tokio::test]
async fn before_the_first_attempt_a_slow_admission_is_renewed() {
    let stage = Stage::new();
    let slow = crate::slow::SlowLedger::new(stage.ledger.clone());
    let runtime = stage.builder().ledger(slow.clone()).build().unwrap();
    let gate = slow.gate(Step::Admit);
    stage.ledger.fail(Step::Renew, Fault::Lost, 100);
    let call = tokio::spawn(charge("o".into(), 1).key("k").call(&runtime));
    gate.reached().await;
    stage.clock.advance(secs(6));
    gate.open();
    // Nothing ran, so it says so, and the key is free.
    soon(call).await.unwrap().ledgerless();
    assert_eq!(
        (stage.world.attempts(), stage.state("charge", "k").await),
        (0, Some(StateName::Released))
    );
}

#[tokio::test]
async fn a_holder_that_slept_through_its_lease_settles_a_late_truth() {
    let stage = Stage::new();
    let gate = Gate::new();
    stage.world.then(gate.within(Act::Succeed));
    let call = tokio::spawn(charge("o".into(), 1).key("k").call(&stage.runtime));
    gate.reached().await;
    // The whole process stood still for longer than the lease.
    stage.clock.advance(LEASE + secs(1));
    others().await;
    assert_eq!(stage.state("charge", "k").await, Some(StateName::Unknown));
    gate.open();
    assert_eq!(*soon(call).await.unwrap().unwrap(), 1);
    assert!(charge("o".into(), 1).key("k").call(&stage.runtime).await.unwrap().replayed());
}

#[tokio::test]
async fn a_holder_that_slept_through_its_lease_begins_no_attempt() {
    let stage = Stage::new();
    let gate = Gate::new();
    stage.world.then(gate.before(Act::Fail(Trouble::Busy)));
    let call = tokio::spawn(charge("o".into(), 1).key("k").call(&stage.runtime));
    gate.reached().await;
    stage.clock.advance(LEASE + secs(1));
    others().await;
    gate.open();
    assert_eq!(soon(call).await.unwrap().failed(), Failure::Tool(Trouble::Busy));
    assert_eq!(stage.world.attempts(), 1);
}

#[tokio::test]
async fn a_process_that_stood_still_does_not_act_on_what_others_have_found_out_since() {
    let stage = Stage::new();
    let runtime = || stage.builder().state(Books::default()).build().unwrap();
    let (frozen, awake) = (runtime(), runtime());
    let gate = Gate::new();
    stage.world.then(gate.before(Act::Succeed));
    let first = tokio::spawn(book("s".into()).key("k").call(&frozen));
    gate.reached().await;
    // Its lease is over after 15 s, its attempt after 30 more, and an effect
    // would show after 10 more. Then it may go on, and must not.
    stage.clock.advance(secs(55));
    gate.open();
    let second = soon(book("s".into()).key("k").call(&awake)).await.unwrap();
    assert!(!second.replayed());
    soon(first).await.unwrap().unknown();
    assert_eq!((stage.world.effects(), stage.world.finished()), (1, 1));
}

#[tokio::test]
async fn a_holder_that_was_superseded_records_nothing_and_says_so() {
    let stage = Stage::new();
    let gate = Gate::new();
    stage.world.then(gate.within(Act::Succeed));
    let call = tokio::spawn(charge("o".into(), 1).key("k").call(&stage.runtime));
    gate.reached().await;
    stage.clock.advance(LEASE + secs(1));
    let resolution = Resolution {
        escalation: None,
        id: id("charge", "k"),
        by: "ann".into(),
        why: "saw it".into(),
        resolved: Resolved::Happened { result: Arc::from("9") },
    };
    let resolved = stage.ledger.inner().resolve(resolution).await.unwrap();
    assert!(
        matches!(resolved, Reconciled::Recorded { state: StateName::Succeeded, .. }),
        "{resolved:?}"
    );
    gate.open();
    let unknown = soon(call).await.unwrap().unknown();
    assert!(unknown.cause.contains("succeeded"), "{}", unknown.cause);
    // What the person said stands.
    assert_eq!(*charge("o".into(), 1).key("k").call(&stage.runtime).await.unwrap(), 9);
    assert_eq!(stage.world.attempts(), 1);
}

#[tokio::test]
async fn failures_before_the_claim_was_lost_are_no_missing_ledger() {
    // Something ran, so nobody may be told that nothing did.
    let stage = Stage::new();
    let gate = Gate::new();
    stage.world.then(gate.before(Act::Fail(Trouble::Busy)));
    stage.ledger.fail(Step::Renew, Fault::Lost, 100);
    let call = tokio::spawn(charge("o".into(), 1).key("k").call(&stage.runtime));
    gate.reached().await;
    stage.pass(secs(6)).await;
    gate.open();
    let error = soon(call).await.unwrap().unwrap_err();
    assert!(!matches!(error, CallError::Ledger(_)), "{error:?}");
}
