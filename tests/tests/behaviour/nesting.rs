//! Tools that call tools.

use tool_contract::ledger::StateName;
use tool_contract::spec::rulebook::Code;
use tool_contract::{CallError, Cx, tool};

use crate::stage::{Ending, Stage, secs, soon};
use crate::tools::charge;
use crate::world::{Act, Gate, Trouble, World};

/// What the inner call said, for the outer one to return.
fn told<T: std::fmt::Debug, E: std::fmt::Debug>(called: Result<T, CallError<E>>) -> String {
    match called {
        Ok(done) => format!("{done:?}"),
        Err(CallError::Rejected(rejected)) => rejected.code.to_string(),
        Err(error) => format!("{error:?}"),
    }
}

/// Call itself, each time with a key of its own.
#[tool(side_effect = "write", idempotent, rollback = "none", state(World))]
async fn countdown(cx: &Cx, from: u32) -> Result<u32, Trouble> {
    if from > 0 {
        let inner = countdown(from - 1).key(format!("count-{}", from - 1)).call(cx.runtime()).await;
        inner.map_err(|_| Trouble::Closed)?;
    }
    cx.state::<World>().act(&format!("count-{from}")).await
}

#[tokio::test]
async fn a_tool_that_calls_itself_goes_through_its_own_contract() {
    let stage = Stage::new();
    countdown(1).key("count-1").call(&stage.runtime).await.unwrap();
    assert_eq!(stage.world.effects(), 2);
    // What is done is replayed to the tool itself too.
    soon(countdown(3).key("count-3").call(&stage.runtime)).await.unwrap();
    assert_eq!((stage.world.effects(), stage.world.worst()), (4, 1));
    for from in 0..=3 {
        assert_eq!(stage.kinds("countdown", &format!("count-{from}")).await.len(), 2);
    }
}

/// Call itself with the key that it runs under.
#[tool(side_effect = "write", idempotent, rollback = "none")]
async fn ouroboros(cx: &Cx) -> Result<String, Trouble> {
    let own = cx.key().map(ToString::to_string).unwrap_or_default();
    Ok(told(ouroboros().key(own).call(cx.runtime()).await))
}

#[tokio::test]
async fn a_tool_that_calls_itself_with_its_own_key_is_refused_and_not_stuck() {
    let stage = Stage::new();
    let said = soon(ouroboros().key("k").call(&stage.runtime)).await.unwrap();
    assert_eq!(*said, Code::IN_FLIGHT.to_string());
}

/// Call the other one, which calls back.
#[tool(side_effect = "write", idempotent, rollback = "none")]
async fn ping(cx: &Cx) -> Result<String, Trouble> {
    Ok(told(pong().key("k").call(cx.runtime()).await.map(|done| done.into_inner())))
}

/// Call back.
#[tool(side_effect = "write", idempotent, rollback = "none")]
async fn pong(cx: &Cx) -> Result<String, Trouble> {
    Ok(told(ping().key("k").call(cx.runtime()).await.map(|done| done.into_inner())))
}

#[tokio::test]
async fn a_circle_of_calls_is_refused_and_not_stuck() {
    let stage = Stage::new();
    let said = soon(ping().key("k").call(&stage.runtime)).await.unwrap();
    assert!(said.contains(&Code::IN_FLIGHT.to_string()), "{}", *said);
}

/// Charge through another tool.
#[tool(side_effect = "write", idempotent, rollback = "none")]
async fn charge_twice(cx: &Cx, order: String) -> Result<u32, Trouble> {
    let key = cx.idempotency_key().to_owned();
    for _ in 0..2 {
        let inner = charge(order.clone(), 1).key(&*key).call(cx.runtime()).await;
        inner.map_err(|_| Trouble::Closed)?;
    }
    Ok(2)
}

#[tokio::test]
async fn a_tool_may_call_another_whose_contract_holds_too() {
    let stage = Stage::new();
    soon(charge_twice("o".into()).key("k").call(&stage.runtime)).await.unwrap();
    assert_eq!(stage.world.effects(), 1);
    assert_eq!(stage.kinds("charge", "charge_twice/k").await.len(), 2);
}

/// Charge through another tool, which may take longer than this one.
#[tool(side_effect = "write", idempotent, rollback = "none", timeout = "10s")]
async fn charge_hastily(cx: &Cx, order: String) -> Result<u32, Trouble> {
    let inner = charge(order, 1).key("inner").call(cx.runtime()).await;
    inner.map(|done| *done).map_err(|_| Trouble::NoAnswer)
}

#[tokio::test]
async fn what_an_attempt_had_begun_is_recorded_though_the_attempt_is_dropped() {
    let stage = Stage::new();
    let gate = Gate::new();
    stage.world.then(gate.within(Act::Succeed));
    let outer = tokio::spawn(charge_hastily("o".into()).key("outer").call(&stage.runtime));
    gate.reached().await;
    stage.pass(secs(10)).await;
    soon(outer).await.unwrap().unknown();
    gate.open();
    soon(stage.runtime.drain()).await;
    assert_eq!(stage.state("charge", "inner").await, Some(StateName::Succeeded));
    assert!(charge("o".into(), 1).key("inner").call(&stage.runtime).await.unwrap().replayed());
    assert_eq!(stage.world.effects(), 1);
}
