//! A tool whose other side is down is left alone for a while.

use tool_contract::spec::rulebook::Code;
use tool_contract::testing::Step;
use tool_contract::{Cx, tool};

use crate::stage::{Ending, Stage, secs};
use crate::world::{Act, Trouble, World};

/// Charge an order, unless the provider is down.
#[tool(
    side_effect = "write",
    idempotent(by = "downstream"),
    rollback = "none",
    breaker(failures = 2, cooldown = "30s"),
    state(World)
)]
async fn charge_guarded(cx: &Cx, order: String) -> Result<u32, Trouble> {
    cx.state::<World>().act(cx.idempotency_key()).await?;
    let _ = order;
    Ok(1)
}

/// Look, unless the provider is down.
#[tool(side_effect = "read", breaker(failures = 1), state(World))]
async fn look_guarded(cx: &Cx, order: String) -> Result<u32, Trouble> {
    cx.state::<World>().act(&order).await
}

#[tokio::test]
async fn after_a_run_of_failures_calls_are_refused_and_then_one_tries() {
    let stage = Stage::new();
    let call = |key: &str| charge_guarded(key.into()).key(key).call(&stage.runtime);
    stage.world.then(Act::Fail(Trouble::Down)).then(Act::Panic);
    call("k1").await.unwrap_err();
    call("k2").await.unwrap_err();
    // Nothing is asked of the ledger, and nobody's key is claimed.
    stage.ledger.fail(Step::Admit, tool_contract::testing::Fault::Lost, 1);
    let rejected = call("k3").await.refused(Code::BREAKER_OPEN);
    assert_eq!(rejected.retry_after, Some(secs(30)));
    assert_eq!(stage.state("charge_guarded", "k3").await, None);
    assert_eq!(stage.world.attempts(), 2);
    // Another process finds out for itself.
    let another = stage.another_runtime();
    charge_guarded("k4".into()).key("k4").call(&another).await.unwrap();
    // One tries, and is answered.
    stage.clock.advance(secs(30));
    call("k3").await.unwrap();
    call("k5").await.unwrap();
}

#[tokio::test]
async fn if_it_is_down_as_before_it_is_left_alone_again() {
    let stage = Stage::new();
    let call = || look_guarded("o".into()).call(&stage.runtime);
    for _ in 0..3 {
        stage.world.then(Act::Fail(Trouble::Down));
        call().await.unwrap_err();
        let rejected = call().await.refused(Code::BREAKER_OPEN);
        assert_eq!(rejected.retry_after, Some(secs(30)));
        stage.clock.advance(secs(30));
    }
    call().await.unwrap();
}

#[tokio::test]
async fn what_is_refused_by_the_other_side_does_not_count() {
    let stage = Stage::new();
    for _ in 0..5 {
        stage.world.then(Act::Fail(Trouble::Invalid));
        look_guarded("o".into()).call(&stage.runtime).await.failed();
    }
    look_guarded("o".into()).call(&stage.runtime).await.unwrap();
}
