//! Bodies, arguments and errors that panic.

use std::convert::Infallible;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tool_contract::ledger::{MemoryLedger, StateName};
use tool_contract::{CallError, Runtime, Status, ToolError, testing, tool};

use crate::stage::{effects, happen, on, send, state};

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("dropped");
        }
    }
}

/// Never ends, and must not be dropped.
#[tool(side_effect = "write", idempotent, rollback = "none", timeout = "5s")]
async fn hang_with_a_bomb(order: String) -> Result<u32, Infallible> {
    let _bomb = Bomb;
    happen(&order);
    std::future::pending().await
}

/// Panics with something that must not be dropped.
#[tool(side_effect = "write", idempotent, rollback = "none", timeout = "5s")]
async fn panic_with_a_bomb(order: String) -> Result<u32, Infallible> {
    happen(&order);
    std::panic::panic_any(Bomb)
}

#[derive(Debug, Clone, JsonSchema)]
struct Moody(u8);

impl Serialize for Moody {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        assert!(self.0 != 1, "not today");
        serializer.serialize_u8(self.0)
    }
}

impl<'de> Deserialize<'de> for Moody {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mood = u8::deserialize(deserializer)?;
        assert!(mood != 2, "not today");
        Ok(Self(mood))
    }
}

/// Has moods.
#[tool(side_effect = "write", idempotent, rollback = "none", args = "MoodyCall")]
async fn moody(order: String, moody: Moody) -> Result<Moody, Infallible> {
    happen(&order);
    Ok(Moody(moody.0 / 2))
}

#[tokio::test]
async fn what_panics_when_dropped_takes_no_call_down() {
    let (builder, clock) = testing::runtime();
    let runtime = builder.build().unwrap();
    let call = tokio::spawn(hang_with_a_bomb("bomb".into()).key("bomb").call(&runtime));
    for _ in 0..100 {
        clock.advance(Duration::from_millis(100));
        tokio::task::yield_now().await;
    }
    let ended = call.await.expect("no panic");
    assert!(matches!(ended, Err(CallError::Unknown(_))), "{ended:?}");
    assert_eq!(state(&runtime, "hang_with_a_bomb", "bomb").await, Some(StateName::Unknown));
    runtime.drain().await;
}

#[tokio::test]
async fn a_panic_that_panics_takes_no_call_down() {
    let runtime = on(MemoryLedger::new());
    let ended = tokio::spawn(panic_with_a_bomb("bomb2".into()).key("bomb").call(&runtime))
        .await
        .expect("no panic");
    assert!(matches!(ended, Err(CallError::Unknown(_))), "{ended:?}");
    assert_eq!(state(&runtime, "panic_with_a_bomb", "bomb").await, Some(StateName::Unknown));
    runtime.drain().await;
}

#[tokio::test]
async fn what_panics_when_written_runs_at_most_once() {
    let runtime = on(MemoryLedger::new());
    for _ in 0..3 {
        let call = moody("moody".into(), Moody(2)).key("k").call(&runtime);
        let ended = call.await;
        assert!(matches!(ended, Err(CallError::Unknown(_))), "{ended:?}");
    }
    assert_eq!(effects("moody"), 1);
}

#[derive(Debug)]
struct Rude;

impl std::fmt::Display for Rude {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("unspeakable")
    }
}

impl ToolError for Rude {
    fn outcome(&self) -> tool_contract::Outcome {
        tool_contract::OutcomeClass::SideEffectUnknown.into()
    }
}

/// Fails with what cannot be said, and cannot find out why.
#[tool(
    side_effect = "write",
    idempotent,
    rollback = "none",
    reconcile = "find_rude",
    args = "RudeCall"
)]
async fn rude(order: String) -> Result<u32, Rude> {
    happen(&order);
    Err(Rude)
}

fn find_rude(
    asked: tool_contract::Asked<RudeCall>,
) -> std::future::Ready<Result<Option<u32>, Rude>> {
    assert!(asked.args.order.is_empty(), "no idea");
    std::future::ready(Err(Rude))
}

#[tokio::test]
async fn what_panics_when_asked_or_shown_leaves_it_unknown() {
    let (builder, _clock) = testing::runtime();
    let runtime = builder.build().unwrap();
    for order in ["rude", ""] {
        for _ in 0..2 {
            let key = format!("k{order}");
            let call = tokio::spawn(rude(order.into()).key(&key).call(&runtime));
            let ended = call.await.expect("no panic");
            let Err(CallError::Unknown(unknown)) = &ended else { panic!("it is unknown") };
            assert!(unknown.escalation.is_some());
            assert_eq!(state(&runtime, "rude", &key).await, Some(StateName::Unknown));
        }
        assert_eq!(effects(order), 1);
    }
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Unclonable(u32);

impl Clone for Unclonable {
    fn clone(&self) -> Self {
        panic!("one of a kind")
    }
}

/// Takes what cannot be given twice, as a second attempt would have it.
#[tool(
    side_effect = "write",
    idempotent,
    retry(max = 2, on = "retryable"),
    rollback = "none",
    args = "UnclonableCall"
)]
async fn unclonable(order: String, thing: Unclonable) -> Result<u32, Infallible> {
    happen(&order);
    Ok(thing.0)
}

#[tokio::test]
async fn what_cannot_be_cloned_is_settled_all_the_same() {
    let runtime = on(MemoryLedger::new());
    let call = tokio::spawn(unclonable("unclonable".into(), Unclonable(1)).key("k").call(&runtime));
    assert!(matches!(call.await.expect("no panic"), Err(CallError::Unknown(_))));
    assert_eq!(state(&runtime, "unclonable", "k").await, Some(StateName::Unknown));
}

#[tokio::test]
async fn what_panics_when_read_or_hashed_is_refused() {
    let runtime =
        Runtime::builder().ledger(MemoryLedger::new()).tool::<MoodyCall>().build().unwrap();
    for mood in [1, 2] {
        let call = json!({"tool": "moody", "arguments": {"order": "moody?", "moody": mood}, "meta": {"idempotency_key": "k"}});
        let sent = tokio::spawn({
            let runtime = runtime.clone();
            async move { send(&runtime, &call).await }
        });
        let response = sent.await.expect("it always answers");
        assert_eq!(response.status, Status::Refused);
    }
    assert_eq!((effects("moody?"), state(&runtime, "moody", "k").await), (0, None));
}
