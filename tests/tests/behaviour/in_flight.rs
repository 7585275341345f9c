//! A second call while the first one runs.

use tool_contract::spec::rulebook::Code;
use tool_contract::{Cx, Failure, tool};

use crate::stage::{Ending, Stage, others, secs, soon};
use crate::tools::charge;
use crate::world::{Act, Gate, Trouble, World};

#[tokio::test]
async fn whoever_waits_gets_the_result_of_the_first() {
    let stage = Stage::new();
    let gate = Gate::new();
    stage.world.then(gate.within(Act::Succeed));
    let call = |runtime: &tool_contract::Runtime| {
        tokio::spawn(charge("o".into(), 1).key("k").call(runtime))
    };
    let first = call(&stage.runtime);
    gate.reached().await;
    let another = stage.another_runtime();
    let waiting = [call(&stage.runtime), call(&another), call(&another), call(&stage.runtime)];
    others().await;
    assert!(waiting.iter().all(|call| !call.is_finished()));
    gate.open();
    assert!(!soon(first).await.unwrap().unwrap().replayed());
    for call in waiting {
        assert!(soon(call).await.unwrap().unwrap().replayed());
    }
    assert_eq!((stage.world.attempts(), stage.world.effects()), (1, 1));
}

#[tokio::test]
async fn of_many_calls_at_once_one_runs() {
    let stage = Stage::new();
    let another = stage.another_runtime();
    let runtimes = [&stage.runtime, &another];
    let calls: Vec<_> = (0..50)
        .map(|n| tokio::spawn(charge("o".into(), 1).key("k").call(runtimes[n % 2])))
        .collect();
    let mut fresh = 0;
    for call in calls {
        fresh += u32::from(!soon(call).await.unwrap().unwrap().replayed());
    }
    assert_eq!((fresh, stage.world.attempts(), stage.world.effects()), (1, 1, 1));
}

#[tokio::test]
async fn if_the_first_left_nothing_behind_whoever_waits_tries() {
    let stage = Stage::new();
    let gate = Gate::new();
    stage.world.then(gate.before(Act::Fail(Trouble::Invalid)));
    let first = tokio::spawn(charge("o".into(), 1).key("k").call(&stage.runtime));
    gate.reached().await;
    let second = tokio::spawn(charge("o".into(), 1).key("k").call(&stage.runtime));
    others().await;
    gate.open();
    assert_eq!(soon(first).await.unwrap().failed(), Failure::Tool(Trouble::Invalid));
    let second = soon(second).await.unwrap().unwrap();
    assert_eq!((second.replayed(), second.attempts(), stage.world.effects()), (false, 2, 1));
}

#[tokio::test]
async fn if_the_first_became_unknown_whoever_waits_is_told_so() {
    let stage = Stage::new();
    let gate = Gate::new();
    stage.world.then(gate.within(Act::Fail(Trouble::NoAnswer)));
    let first = tokio::spawn(charge("o".into(), 1).key("k").call(&stage.runtime));
    gate.reached().await;
    let second = tokio::spawn(charge("o".into(), 1).key("k").call(&stage.runtime));
    others().await;
    gate.open();
    let first = soon(first).await.unwrap().unknown();
    let second = soon(second).await.unwrap().unknown();
    assert!(first.escalation.is_some());
    assert_eq!(first.escalation, second.escalation);
    assert_eq!(stage.world.attempts(), 1);
}

/// Charge, and let nobody wait.
#[tool(side_effect = "write", idempotent, rollback = "none", in_flight = "reject", state(World))]
async fn charge_or_reject(cx: &Cx, order: String) -> Result<u32, Trouble> {
    cx.state::<World>().act(&order).await
}

#[tokio::test]
async fn where_the_contract_says_so_nobody_waits() {
    let stage = Stage::new();
    let gate = Gate::new();
    stage.world.then(gate.within(Act::Succeed));
    let first = tokio::spawn(charge_or_reject("o".into()).key("k").call(&stage.runtime));
    gate.reached().await;
    let second = soon(charge_or_reject("o".into()).key("k").call(&stage.runtime)).await;
    assert!(second.refused(Code::IN_FLIGHT).reason.contains("running"));
    gate.open();
    soon(first).await.unwrap().unwrap();
    assert!(charge_or_reject("o".into()).key("k").call(&stage.runtime).await.unwrap().replayed());
    assert_eq!(stage.world.effects(), 1);
}

/// Charge quickly, or never.
#[tool(
    side_effect = "write",
    idempotent,
    rollback = "none",
    timeout = "20s",
    retry(max = 1, on = "retryable", cap = "5s"),
    state(World)
)]
fn charge_for_ever(cx: &Cx, order: String) -> Result<u32, Trouble> {
    cx.state::<World>().act_blocking(&order)
}

#[tokio::test]
async fn without_a_deadline_nobody_waits_longer_than_a_retry_could_take() {
    let stage = Stage::new();
    let gate = Gate::new();
    // A body that is not async, and goes on for ever.
    stage.world.then(gate.within(Act::Succeed));
    let first = tokio::spawn(charge_for_ever("o".into()).key("k").call(&stage.runtime));
    gate.reached_by_thread().await;
    let second = tokio::spawn(charge_for_ever("o".into()).key("k").call(&stage.runtime));
    stage.pass(secs(24)).await;
    assert!(!second.is_finished());
    stage.pass(secs(1)).await;
    soon(second).await.unwrap().refused(Code::IN_FLIGHT);
    soon(first).await.unwrap().unknown();
    gate.open();
    stage.runtime.drain().await;
    assert_eq!(stage.world.effects(), 1);
}
