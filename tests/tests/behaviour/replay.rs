//! One key is one operation: fresh, replayed, in conflict, expired.

use std::sync::Arc;

use tool_contract::ledger::{EventKind, Resolution, Resolved, StateName};
use tool_contract::spec::rulebook::Code;
use tool_contract::{Cx, tool};

use crate::stage::{Ending, Stage, id, secs, soon};
use crate::tools::{charge, look};
use crate::world::{Act, Gate, Trouble, World};

#[tokio::test]
async fn a_repeated_call_is_answered_with_the_first_result() {
    let stage = Stage::new();
    let first = charge("o1".into(), 5).key("k").call(&stage.runtime).await.unwrap();
    assert!(!first.replayed());
    assert_eq!((*first, first.attempts(), first.key().unwrap().as_str()), (1, 1, "k"));

    let second = charge("o1".into(), 5).key("k").call(&stage.runtime).await.unwrap();
    assert!(second.replayed());
    assert_eq!((*second, second.attempts(), second.key().unwrap().as_str()), (1, 1, "k"));
    assert_eq!(stage.world.effects(), 1);
    assert_eq!(stage.kinds("charge", "k").await, [EventKind::Claimed, EventKind::Succeeded]);
}

#[tokio::test]
async fn another_runtime_on_the_ledger_replays_too() {
    let stage = Stage::new();
    charge("o1".into(), 5).key("k").call(&stage.runtime).await.unwrap();
    let replay = charge("o1".into(), 5).key("k").call(&stage.another_runtime()).await.unwrap();
    assert!(replay.replayed());
    assert_eq!(stage.world.effects(), 1);
}

#[tokio::test]
async fn the_same_operation_is_another_one_under_another_key() {
    // The negative control of every count here: the world does count twice.
    let stage = Stage::new();
    charge("o1".into(), 5).key("k1").call(&stage.runtime).await.unwrap();
    let second = charge("o1".into(), 5).key("k2").call(&stage.runtime).await.unwrap();
    assert!(!second.replayed());
    assert_eq!(stage.world.effects(), 2);
}

#[tokio::test]
async fn a_key_with_other_arguments_is_a_conflict() {
    let stage = Stage::new();
    charge("o1".into(), 5).key("k").call(&stage.runtime).await.unwrap();
    for (order, cents) in [("o1", 6), ("o2", 5)] {
        let rejected =
            charge(order.into(), cents).key("k").call(&stage.runtime).await.refused(Code::CONFLICT);
        assert!(rejected.reason.contains("succeeded"), "{rejected}");
    }
    assert_eq!(stage.world.attempts(), 1);
    // It did no harm to what the key stands for.
    assert!(charge("o1".into(), 5).key("k").call(&stage.runtime).await.unwrap().replayed());
}

#[tokio::test]
async fn a_conflict_is_one_while_the_first_runs_and_after_it_became_unknown() {
    let stage = Stage::new();
    let gate = Gate::new();
    stage.world.then(gate.before(Act::Fail(Trouble::NoAnswer)));
    let first = tokio::spawn(charge("o1".into(), 5).key("k").call(&stage.runtime));
    gate.reached().await;
    let rejected =
        charge("o1".into(), 6).key("k").call(&stage.runtime).await.refused(Code::CONFLICT);
    assert!(rejected.reason.contains("running"), "{rejected}");
    gate.open();
    soon(first).await.unwrap().unknown();
    let rejected =
        charge("o1".into(), 6).key("k").call(&stage.runtime).await.refused(Code::CONFLICT);
    assert!(rejected.reason.contains("unknown"), "{rejected}");
    assert_eq!(stage.world.attempts(), 1);
}

#[tokio::test]
async fn a_released_key_may_stand_for_other_arguments_and_keeps_its_count() {
    let stage = Stage::new();
    stage.world.then(Act::Fail(Trouble::Invalid));
    let failure = charge("o1".into(), 5).key("k").call(&stage.runtime).await.failed();
    assert_eq!(failure, tool_contract::Failure::Tool(Trouble::Invalid));
    let second = charge("o1".into(), 6).key("k").call(&stage.runtime).await.unwrap();
    assert_eq!((second.replayed(), second.attempts()), (false, 2));
    // Now it stands for those.
    charge("o1".into(), 5).key("k").call(&stage.runtime).await.refused(Code::CONFLICT);
}

/// Charge, remembered for an hour after each use.
#[tool(
    side_effect = "write",
    idempotent,
    rollback = "none",
    ttl(window = "1h", sliding),
    state(World)
)]
async fn charge_sliding(cx: &Cx, order: String) -> Result<u32, Trouble> {
    cx.state::<World>().act(&order).await
}

#[tokio::test]
async fn a_key_past_its_ttl_is_refused_and_never_runs_again() {
    let stage = Stage::new();
    charge("o1".into(), 5).key("k").call(&stage.runtime).await.unwrap();
    let day = secs(24 * 60 * 60);
    stage.clock.advance(day - secs(1));
    assert!(charge("o1".into(), 5).key("k").call(&stage.runtime).await.unwrap().replayed());
    stage.clock.advance(secs(1));
    for _ in 0..2 {
        charge("o1".into(), 5).key("k").call(&stage.runtime).await.refused(Code::EXPIRED);
        stage.clock.advance(day * 365);
    }
    assert_eq!(stage.state("charge", "k").await, Some(StateName::Expired));
    assert_eq!(stage.world.effects(), 1);
}

#[tokio::test]
async fn a_sliding_ttl_starts_again_with_each_replay() {
    let stage = Stage::new();
    let call = || charge_sliding("o1".into()).key("k").call(&stage.runtime);
    call().await.unwrap();
    for _ in 0..3 {
        stage.clock.advance(secs(59 * 60));
        assert!(call().await.unwrap().replayed());
    }
    stage.clock.advance(secs(60 * 60));
    call().await.refused(Code::EXPIRED);
    assert_eq!(stage.world.effects(), 1);
}

#[tokio::test]
async fn a_read_runs_each_time_and_leaves_no_record() {
    let stage = Stage::new();
    for count in 1..=3 {
        let seen = look("o1".into()).call(&stage.runtime).await.unwrap();
        assert_eq!((*seen, seen.replayed(), seen.key()), (count, false, None));
    }
    assert!(
        stage
            .ledger
            .inner()
            .list(tool_contract::ledger::Query::default())
            .await
            .unwrap()
            .is_empty()
    );
}

// ---- results that cannot be read ----

#[tokio::test]
async fn a_stored_result_of_another_form_is_unreadable_and_nothing_runs() {
    let stage = Stage::new();
    stage.world.then(Act::Fail(Trouble::NoAnswer));
    charge("o1".into(), 5).key("k").call(&stage.runtime).await.unknown();
    let resolution = Resolution {
        escalation: None,
        id: id("charge", "k"),
        by: "ann".into(),
        why: "saw the charge".into(),
        resolved: Resolved::Happened { result: Arc::from("\"receipt 7\"") },
    };
    stage.ledger.inner().resolve(resolution).await.unwrap();
    let rejected =
        charge("o1".into(), 5).key("k").call(&stage.runtime).await.refused(Code::RESULT_UNREADABLE);
    assert!(rejected.reason.contains("it succeeded before"), "{rejected}");
    assert_eq!(stage.world.attempts(), 1);
}

/// Something that cannot be written down.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, schemars::JsonSchema)]
struct Unwritable(u32);

impl serde::Serialize for Unwritable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("no ink"))
    }
}

/// Give what cannot be written down.
#[tool(side_effect = "write", idempotent, rollback = "none", state(World))]
async fn charge_unwritable(cx: &Cx, order: String) -> Result<Unwritable, Trouble> {
    cx.state::<World>().act(&order).await.map(Unwritable)
}

#[tokio::test]
async fn an_output_that_cannot_be_stored_is_given_once_and_never_run_again() {
    let stage = Stage::new();
    let call = || charge_unwritable("o1".into()).key("k").call(&stage.runtime);
    assert_eq!(*call().await.unwrap(), Unwritable(1));
    call().await.refused(Code::RESULT_UNREADABLE);
    assert_eq!(stage.world.effects(), 1);
}

#[tokio::test]
async fn a_raised_version_makes_old_keys_conflict() {
    let stage = Stage::new();
    charge("o1".into(), 5).key("k").call(&stage.runtime).await.unwrap();
    let newer = stage.another_runtime();
    tool_contract_tests::charge("o1".into(), 5).key("k").call(&newer).await.refused(Code::CONFLICT);
    assert_eq!(stage.world.effects(), 1);
}
