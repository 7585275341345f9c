//! The ledger fails at each of its steps, in each way, once and for ever.
//!
//! Whatever fails: nothing runs without admission, nothing happens twice under
//! one key, and nobody is told that nothing happened when something did.

use tool_contract::ledger::{EventKind, StateName};
use tool_contract::spec::rulebook::Code;
use tool_contract::testing::{Fault, Step};
use tool_contract::{CallError, Runtime};

use crate::slow::PatientClock;
use crate::stage::{Ending, LEASE, Stage, ms, secs, soon};
use crate::tools::{Books, book, charge};
use crate::world::{Act, Gate, Trouble};

/// What a caller was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Done,
    Refused(Code),
    Failed,
    Unknown,
    NoLedger,
}

fn told<T, E>(called: Result<T, CallError<E>>) -> Told {
    match called {
        Ok(_) => Told::Done,
        Err(CallError::Rejected(rejected)) => Told::Refused(rejected.code),
        Err(CallError::Failed(..)) => Told::Failed,
        Err(CallError::Unknown(_)) => Told::Unknown,
        Err(CallError::Ledger(_)) => Told::NoLedger,
        Err(_) => unreachable!("there are no others"),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An unknown outcome waits for a person.
    Charge,
    /// An unknown outcome is found out.
    Book,
}

/// One call, and whether what its caller was told is true.
async fn call(kind: Kind, stage: &Stage, runtime: &Runtime) -> Told {
    let (attempts, effects) = (stage.world.attempts(), stage.world.effects());
    let told = match kind {
        Kind::Charge => told(charge("o".into(), 1).key("k").call(runtime).await),
        Kind::Book => told(book("o".into()).key("k").call(runtime).await),
    };
    let ran = stage.world.attempts() > attempts;
    let happened = stage.world.effects() > effects;
    match told {
        Told::Done => assert_eq!(stage.world.effects(), 1, "it is done, and did not happen"),
        Told::Failed => {
            assert_eq!(stage.world.effects(), 0, "it failed without effect, and happened")
        }
        Told::Refused(_) | Told::NoLedger => assert!(!ran, "nothing ran, and it did"),
        Told::Unknown => {}
    }
    assert!(
        !happened || matches!(told, Told::Done | Told::Unknown),
        "it happened, and was {told:?}"
    );
    told
}

pub(crate) const STEPS: [Step; 5] =
    [Step::Admit, Step::Settle, Step::Renew, Step::BeginReconcile, Step::FinishReconcile];

fn acts() -> [Act; 7] {
    [
        Act::Succeed,
        Act::HappenThenFail(Trouble::NoAnswer),
        Act::Fail(Trouble::NoAnswer),
        Act::Fail(Trouble::Busy),
        Act::Fail(Trouble::Invalid),
        Act::Panic,
        Act::HappenThenPanic,
    ]
}

#[tokio::test]
async fn no_fault_at_any_step_makes_anything_happen_twice_or_a_caller_believe_what_is_not_so() {
    for kind in [Kind::Charge, Kind::Book] {
        for step in STEPS {
            for fault in [Fault::Lost, Fault::ReplyLost] {
                for times in [1, 2, 3, usize::MAX] {
                    for act in acts() {
                        one_fault(kind, step, fault, times, act).await;
                    }
                }
            }
        }
    }
}

async fn one_fault(kind: Kind, step: Step, fault: Fault, times: usize, act: Act) {
    soon(fault_on(&Stage::new(), kind, step, fault, times, act)).await;
}

/// One fault, at a stage where nothing has happened yet.
pub(crate) async fn fault_on(
    stage: &Stage,
    kind: Kind,
    step: Step,
    fault: Fault,
    times: usize,
    act: Act,
) {
    let case = format!("{kind:?} {step:?} {fault:?} {times} {act:?}");
    let runtime = stage.builder().state(Books::default()).build().unwrap();
    stage.ledger.fail(step, fault, times);
    stage.world.then(act.clone()).then(act);
    call(kind, stage, &runtime).await;
    // The ledger comes back, and the caller comes again.
    stage.ledger.heal();
    let mut last = Told::NoLedger;
    for _ in 0..8 {
        stage.clock.advance(secs(60));
        last = call(kind, stage, &runtime).await;
    }
    assert!(stage.world.effects() <= 1, "{case}: it happened {} times", stage.world.effects());
    match kind {
        Kind::Charge => assert!(matches!(last, Told::Done | Told::Unknown), "{case}: {last:?}"),
        // Here it can always be found out.
        Kind::Book => assert_eq!((last, stage.world.effects()), (Told::Done, 1), "{case}"),
    }
    let tool = if kind == Kind::Charge { "charge" } else { "book" };
    stage.history(tool, "k").await;
}

#[tokio::test]
async fn the_count_of_effects_does_catch_a_second_one() {
    // The negative control: an agent that comes again with another key.
    let stage = Stage::new();
    stage.ledger.fail(Step::Settle, Fault::Lost, usize::MAX);
    charge("o".into(), 1).key("k1").call(&stage.runtime).await.unknown();
    stage.ledger.heal();
    charge("o".into(), 1).key("k2").call(&stage.runtime).await.unwrap();
    assert_eq!((stage.world.effects(), stage.world.worst()), (2, 2));
}

// ---- admission ----

#[tokio::test]
async fn without_admission_nothing_runs() {
    let stage = Stage::new();
    stage.ledger.fail(Step::Admit, Fault::Lost, usize::MAX);
    for _ in 0..3 {
        charge("o".into(), 1).key("k").call(&stage.runtime).await.ledgerless();
    }
    assert_eq!((stage.world.attempts(), stage.state("charge", "k").await), (0, None));
    stage.ledger.heal();
    assert_eq!(charge("o".into(), 1).key("k").call(&stage.runtime).await.unwrap().attempts(), 1);
}

#[tokio::test]
async fn a_call_whose_admission_was_lost_asks_again_and_finds_its_own_claim() {
    for fault in [Fault::Lost, Fault::ReplyLost] {
        for times in [1, 2] {
            let stage = Stage::new();
            stage.ledger.fail(Step::Admit, fault, times);
            let call = charge("o".into(), 1).key("k").call(&stage.runtime);
            let done = soon(call).await.unwrap();
            assert_eq!((done.replayed(), done.attempts()), (false, 1));
            assert_eq!(
                stage.kinds("charge", "k").await,
                [EventKind::Claimed, EventKind::Succeeded]
            );
        }
    }
}

#[tokio::test]
async fn a_claim_whose_caller_never_heard_of_it_is_nobodys_licence() {
    let stage = Stage::new();
    stage.ledger.fail(Step::Admit, Fault::ReplyLost, 3);
    charge("o".into(), 1).key("k").call(&stage.runtime).await.ledgerless();
    assert_eq!(stage.state("charge", "k").await, Some(StateName::Running));
    let again = tokio::spawn(charge("o".into(), 1).key("k").call(&stage.runtime));
    stage.pass(LEASE).await;
    // Nobody can know that nothing ran.
    soon(again).await.unwrap().unknown();
    assert_eq!(stage.world.attempts(), 0);
}

// ---- settlement ----

#[tokio::test]
async fn what_could_not_be_recorded_at_once_is_recorded_while_the_lease_lives() {
    for fault in [Fault::Lost, Fault::ReplyLost] {
        let stage = Stage::new();
        stage.ledger.fail(Step::Settle, fault, 5);
        assert_eq!(*charge("o".into(), 1).key("k").call(&stage.runtime).await.unwrap(), 1);
        assert_eq!(stage.kinds("charge", "k").await, [EventKind::Claimed, EventKind::Succeeded]);
    }
}

#[tokio::test]
async fn after_an_effect_that_cannot_be_recorded_the_outcome_is_unknown() {
    let stage = Stage::new();
    stage.ledger.fail(Step::Settle, Fault::Lost, usize::MAX);
    let unknown = charge("o".into(), 1).key("k").call(&stage.runtime).await.unknown();
    assert_eq!(unknown.escalation, None);
    assert!(
        unknown.cause.contains("it succeeded, but that could not be recorded"),
        "{}",
        unknown.cause
    );
    assert!(stage.clock.paused() < LEASE, "it tried for longer than it held its claim");
    stage.ledger.heal();
    stage.clock.advance(LEASE);
    let again = charge("o".into(), 1).key("k").call(&stage.runtime).await.unknown();
    assert!(again.escalation.is_some());
    assert_eq!((stage.world.attempts(), stage.world.effects()), (1, 1));
}

#[tokio::test]
async fn what_was_recorded_though_its_answer_was_lost_is_replayed() {
    let stage = Stage::new();
    stage.ledger.fail(Step::Settle, Fault::ReplyLost, usize::MAX);
    charge("o".into(), 1).key("k").call(&stage.runtime).await.unknown();
    stage.ledger.heal();
    assert!(charge("o".into(), 1).key("k").call(&stage.runtime).await.unwrap().replayed());
    assert_eq!(stage.world.effects(), 1);
}

#[tokio::test]
async fn reserved_attempts_of_a_claim_that_was_never_settled_stay_counted() {
    let stage = Stage::new();
    stage.ledger.fail(Step::Settle, Fault::Lost, usize::MAX);
    stage.world.then(Act::Fail(Trouble::Invalid));
    charge("o".into(), 1).key("k").call(&stage.runtime).await.unknown();
    assert_eq!(stage.record("charge", "k").await.unwrap().attempts, 3);
}

// ---- a ledger that never answers ----

#[tokio::test]
async fn a_deadline_holds_while_the_ledger_hangs_at_admission() {
    for fault in [Fault::Hang, Fault::ReplyHang] {
        let stage = Stage::new();
        stage.ledger.fail(Step::Admit, fault, 1);
        let call =
            tokio::spawn(charge("o".into(), 1).key("k").deadline(secs(5)).call(&stage.runtime));
        soon(stage.ledger.hangs()).await;
        stage.pass(secs(5)).await;
        soon(call).await.unwrap().refused(Code::DEADLINE_PASSED);
        assert_eq!(stage.world.attempts(), 0);
    }
}

#[tokio::test]
async fn a_ledger_that_hangs_at_settlement_is_waited_for_while_the_lease_lives() {
    for fault in [Fault::Hang, Fault::ReplyHang] {
        let stage = Stage::new();
        stage.ledger.fail(Step::Settle, fault, 1);
        let call = tokio::spawn(charge("o".into(), 1).key("k").call(&stage.runtime));
        soon(stage.ledger.hangs()).await;
        stage.pass(LEASE - ms(1)).await;
        assert!(!call.is_finished());
        stage.pass(ms(1)).await;
        let unknown = soon(call).await.unwrap().unknown();
        assert!(unknown.cause.contains("it succeeded"), "{}", unknown.cause);
        assert_eq!(stage.world.effects(), 1);
    }
}

#[tokio::test]
async fn a_ledger_that_hangs_at_a_renewal_lets_no_attempt_begin() {
    let stage = Stage::new();
    let clock = std::sync::Arc::new(PatientClock(std::sync::Arc::clone(&stage.clock)));
    let runtime = stage.builder().clock(clock).build().unwrap();
    stage.world.then(Act::Fail(Trouble::BusyFor { after: secs(20) }));
    stage.ledger.fail(Step::Renew, Fault::Hang, 1);
    let call = tokio::spawn(charge("o".into(), 1).key("k").call(&runtime));
    stage.pass(secs(60)).await;
    soon(call).await.unwrap().failed();
    assert_eq!(stage.world.attempts(), 1);
}

#[tokio::test]
async fn a_renewal_that_hangs_does_not_disturb_the_attempt() {
    let stage = Stage::new();
    let gate = Gate::new();
    stage.world.then(gate.within(Act::Succeed));
    stage.ledger.fail(Step::Renew, Fault::Hang, 1);
    let call = tokio::spawn(charge("o".into(), 1).key("k").call(&stage.runtime));
    gate.reached().await;
    stage.pass(secs(10)).await;
    gate.open();
    assert_eq!(*soon(call).await.unwrap().unwrap(), 1);
}

// ---- while it is found out ----

#[tokio::test]
async fn what_was_found_and_could_not_be_recorded_is_found_again() {
    for (step, fault) in [
        (Step::BeginReconcile, Fault::Lost),
        (Step::BeginReconcile, Fault::ReplyLost),
        (Step::FinishReconcile, Fault::Lost),
        (Step::FinishReconcile, Fault::ReplyLost),
    ] {
        let stage = Stage::new();
        let runtime = stage.builder().state(Books::default()).build().unwrap();
        stage.ledger.fail(step, fault, 1);
        stage.world.then(Act::HappenThenFail(Trouble::NoAnswer));
        book("s".into()).key("k").call(&runtime).await.unknown();
        let again = tokio::spawn(book("s".into()).key("k").call(&runtime));
        stage.pass(LEASE).await;
        assert!(soon(again).await.unwrap().unwrap().replayed());
        assert_eq!((stage.world.attempts(), stage.world.effects()), (1, 1));
    }
}
