//! What a body knows of its call.

use std::time::Duration;

use tool_contract::testing::run_body;
use tool_contract::{Cx, tool};

use crate::stage::{Stage, secs};
use crate::world::{Act, Trouble, World};

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
struct Seen {
    downstream: String,
    key: Option<String>,
    attempt: u32,
    deadline: Duration,
    correlation_id: Option<String>,
    tenant: Option<String>,
    world: u32,
}

async fn seen(cx: &Cx) -> Result<Seen, Trouble> {
    let world = cx.state::<World>().act("o").await?;
    Ok(Seen {
        downstream: cx.idempotency_key().to_owned(),
        key: cx.key().map(ToString::to_string),
        attempt: cx.attempt(),
        deadline: cx.deadline(),
        correlation_id: cx.correlation_id().map(str::to_owned),
        tenant: cx.tenant().map(str::to_owned),
        world,
    })
}

/// Look around.
#[tool(
    side_effect = "write",
    idempotent,
    retry(max = 2, on = "retryable", backoff = "constant", base = "1s", jitter = "none"),
    rollback = "none",
    timeout = "12s",
    state(World)
)]
async fn look_around(cx: &Cx) -> Result<Seen, Trouble> {
    seen(cx).await
}

/// Look around without touching anything.
#[tool(side_effect = "read", timeout = "12s", state(World))]
async fn peek(cx: &Cx) -> Result<Seen, Trouble> {
    seen(cx).await
}

#[tokio::test]
async fn a_body_knows_its_call() {
    let stage = Stage::new();
    stage.world.then(Act::Fail(Trouble::Busy));
    let call = look_around().key("k").tenant("acme").correlation_id("any text at all");
    let seen = call.deadline(secs(9)).call(&stage.runtime).await.unwrap();
    assert_eq!(
        *seen,
        Seen {
            downstream: "@acme/look_around/k".into(),
            key: Some("k".into()),
            attempt: 2,
            deadline: secs(8),
            correlation_id: Some("any text at all".into()),
            tenant: Some("acme".into()),
            world: 1,
        }
    );
}

#[tokio::test]
async fn what_was_not_said_is_not_known() {
    let stage = Stage::new();
    let seen = look_around().key("k").call(&stage.runtime).await.unwrap();
    assert_eq!(
        *seen,
        Seen {
            downstream: "look_around/k".into(),
            key: Some("k".into()),
            attempt: 1,
            deadline: secs(12),
            correlation_id: None,
            tenant: None,
            world: 1,
        }
    );
}

#[tokio::test]
async fn a_read_has_no_key() {
    let stage = Stage::new();
    let seen = peek().tenant("acme").deadline(secs(60)).call(&stage.runtime).await.unwrap();
    assert_eq!((&*seen.downstream, &seen.key, seen.deadline), ("", &None, secs(12)));
    assert_eq!(seen.tenant.as_deref(), Some("acme"));
}

#[tokio::test]
async fn the_key_for_the_other_side_is_the_same_for_every_attempt_and_every_call() {
    let stage = Stage::new();
    stage
        .world
        .then(Act::Fail(Trouble::Busy))
        .then(Act::Fail(Trouble::Busy))
        .then(Act::Fail(Trouble::Busy));
    for _ in 0..2 {
        crate::tools::post("o".into()).key("k").call(&stage.runtime).await.ok();
        stage.clock.advance(secs(60));
    }
    assert_eq!(stage.world.keys(), ["post/k"; 4]);
}

#[tokio::test]
async fn the_correlation_id_is_on_record() {
    let stage = Stage::new();
    look_around().key("k").correlation_id("c-1").call(&stage.runtime).await.unwrap();
    assert_eq!(
        stage.record("look_around", "k").await.unwrap().correlation_id.as_deref(),
        Some("c-1")
    );
}

#[tokio::test]
async fn a_body_can_be_run_alone() {
    let stage = Stage::new();
    let seen = run_body(&stage.runtime, look_around().key("k")).await.unwrap();
    assert_eq!((seen.attempt, &*seen.downstream), (1, "look_around/test"));
    stage.world.then(Act::Fail(Trouble::Busy));
    assert_eq!(run_body(&stage.runtime, look_around()).await, Err(Trouble::Busy));
    assert_eq!(stage.state("look_around", "test").await, None);
}
