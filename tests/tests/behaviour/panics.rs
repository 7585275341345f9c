//! A body that panics takes nothing down with it, and decides nothing.

use tool_contract::ledger::{EventKind, StateName};
use tool_contract::{CallError, Failure};

use crate::stage::{Ending, Stage};
use crate::tools::{charge, charge_anew, look, put};
use crate::world::Act;

#[tokio::test]
async fn a_write_that_panics_may_have_happened() {
    for act in [Act::Panic, Act::HappenThenPanic] {
        let stage = Stage::new();
        stage.world.then(act);
        let unknown = charge("o".into(), 1).key("k").call(&stage.runtime).await.unknown();
        assert!(unknown.cause.contains("the body broke"), "{}", unknown.cause);
        assert!(unknown.escalation.is_some());
        assert_eq!(stage.kinds("charge", "k").await.last(), Some(&EventKind::BecameUnknown));
        assert_eq!(stage.state("charge", "k").await, Some(StateName::Unknown));
        charge("o".into(), 1).key("k").call(&stage.runtime).await.unknown();
        assert_eq!(stage.world.attempts(), 1);
        // The runtime goes on.
        charge("p".into(), 1).key("k2").call(&stage.runtime).await.unwrap();
        charge_anew("p".into()).call(&stage.runtime).await.unwrap();
    }
}

#[tokio::test]
async fn a_read_that_panics_is_tried_again_and_then_given_up() {
    let stage = Stage::new();
    stage.world.then(Act::Panic).then(Act::Panic);
    assert_eq!(look("o".into()).call(&stage.runtime).await.unwrap().attempts(), 3);
    for _ in 0..3 {
        stage.world.then(Act::Panic);
    }
    let error = look("o".into()).call(&stage.runtime).await.unwrap_err();
    assert!(
        matches!(&error, CallError::Failed(Failure::Panicked(why), about) if why == "the body broke" && about.attempts == 3),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_write_whose_repetition_is_harmless_is_tried_again() {
    let stage = Stage::new();
    stage.world.then(Act::HappenThenPanic);
    assert_eq!(put("o".into()).key("k").call(&stage.runtime).await.unwrap().attempts(), 2);
}
