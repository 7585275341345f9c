//! The same operation under another key: a key that a model made anew for an
//! old intent.

use tool_contract::ledger::{EventKind, Resolution, Resolved, StateName};
use tool_contract::spec::rulebook::Code;
use tool_contract::{Cx, tool};

use crate::stage::{Ending, Stage, id, secs, soon};
use crate::tools::{charge, charge_anew};
use crate::world::{Act, Gate, Trouble, World};

/// Charge, and refuse keys made anew.
#[tool(
    side_effect = "write",
    idempotent,
    rollback = "none",
    remint = "reject",
    ttl = "2h",
    state(World)
)]
async fn charge_strictly(cx: &Cx, order: String) -> Result<u32, Trouble> {
    cx.state::<World>().act(&order).await
}

/// Charge, and answer for keys made anew.
#[tool(side_effect = "write", idempotent, rollback = "none", remint = "replay", state(World))]
async fn charge_kindly(cx: &Cx, order: String) -> Result<u32, Trouble> {
    cx.state::<World>().act(&order).await
}

#[tokio::test]
async fn by_default_it_runs_and_the_caller_and_the_history_are_told() {
    let stage = Stage::new();
    let first = charge("o".into(), 1).key("k1").call(&stage.runtime).await.unwrap();
    assert_eq!(first.reminted_from(), None);
    let second = charge("o".into(), 1).key("k2").call(&stage.runtime).await.unwrap();
    assert_eq!(second.reminted_from().unwrap().as_str(), "k1");
    let history = stage.history("charge", "k2").await;
    assert_eq!(
        (history[0].kind, history[0].detail.as_deref()),
        (EventKind::ClaimedReminted, Some("k1"))
    );
    assert_eq!(stage.world.effects(), 2);
}

#[tokio::test]
async fn without_a_key_it_is_told_too() {
    let stage = Stage::new();
    let first = charge_anew("o".into()).call(&stage.runtime).await.unwrap();
    let second = charge_anew("o".into()).call(&stage.runtime).await.unwrap();
    assert_eq!(second.reminted_from(), first.key());
}

#[tokio::test]
async fn a_strict_tool_refuses_it_and_leaves_no_record() {
    let stage = Stage::new();
    charge_strictly("o".into()).key("k1").call(&stage.runtime).await.unwrap();
    let rejected = charge_strictly("o".into())
        .key("k2")
        .call(&stage.runtime)
        .await
        .refused(Code::LIKELY_REMINT);
    assert!(rejected.reason.contains("`k1`"), "{rejected}");
    assert_eq!((stage.world.effects(), stage.state("charge_strictly", "k2").await), (1, None));
    // Another operation, the same key, another tenant, after the ttl: all fine.
    charge_strictly("p".into()).key("k3").call(&stage.runtime).await.unwrap();
    assert!(charge_strictly("o".into()).key("k1").call(&stage.runtime).await.unwrap().replayed());
    charge_strictly("o".into()).key("k2").tenant("acme").call(&stage.runtime).await.unwrap();
    stage.clock.advance(secs(2 * 60 * 60));
    assert!(!charge_strictly("o".into()).key("k2").call(&stage.runtime).await.unwrap().replayed());
}

#[tokio::test]
async fn it_is_refused_while_the_first_runs_or_is_unknown_and_not_once_it_was_released() {
    let stage = Stage::new();
    let gate = Gate::new();
    stage.world.then(gate.before(Act::Fail(Trouble::NoAnswer)));
    let first = tokio::spawn(charge_strictly("o".into()).key("k1").call(&stage.runtime));
    gate.reached().await;
    let again = || charge_strictly("o".into()).key("k2").call(&stage.runtime);
    assert!(again().await.refused(Code::LIKELY_REMINT).reason.contains("running"));
    gate.open();
    soon(first).await.unwrap().unknown();
    assert!(again().await.refused(Code::LIKELY_REMINT).reason.contains("unknown"));
    assert_eq!(stage.world.attempts(), 1);
    let resolved = Resolved::DidNotHappen { holder_is_dead: true };
    let resolution = Resolution {
        escalation: None,
        id: id("charge_strictly", "k1"),
        by: "ann".into(),
        why: "asked".into(),
        resolved,
    };
    stage.ledger.inner().resolve(resolution).await.unwrap();
    assert!(!again().await.unwrap().replayed());
}

#[tokio::test]
async fn a_kind_tool_answers_with_the_first_result() {
    let stage = Stage::new();
    charge_kindly("o".into()).key("k1").call(&stage.runtime).await.unwrap();
    let again = charge_kindly("o".into()).key("k2").call(&stage.runtime).await.unwrap();
    assert!(again.replayed());
    assert_eq!((*again, again.reminted_from().unwrap().as_str()), (1, "k1"));
    assert_eq!((stage.world.effects(), stage.state("charge_kindly", "k2").await), (1, None));
}

#[tokio::test]
async fn a_kind_tool_has_no_answer_where_the_first_is_unknown() {
    let stage = Stage::new();
    stage.world.then(Act::HappenThenFail(Trouble::NoAnswer));
    charge_kindly("o".into()).key("k1").call(&stage.runtime).await.unknown();
    charge_kindly("o".into()).key("k2").call(&stage.runtime).await.refused(Code::LIKELY_REMINT);
    assert_eq!(
        (stage.world.effects(), stage.state("charge_kindly", "k1").await),
        (1, Some(StateName::Unknown))
    );
}
