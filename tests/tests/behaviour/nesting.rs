//! Tools that call tools.

use std::sync::LazyLock;

use tool_contract::ledger::StateName;
use tool_contract::spec::rulebook::Code;
use tool_contract::{CallError, Cx, Meta, Request, Runtime, tool};

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

/// A runtime that is in nobody's `Cx`.
static OUTSIDE: LazyLock<Runtime> = LazyLock::new(|| Runtime::builder().build().unwrap());

/// Look at itself, so many deep; answer what the innermost was told.
#[tool(side_effect = "read")]
async fn mirror(cx: &Cx, depth: u32, way: String) -> Result<String, Trouble> {
    if depth <= 1 {
        return Ok("there".to_owned());
    }
    let deeper = mirror(depth - 1, way.clone());
    let called = match &*way {
        "cx" => deeper.call(cx.runtime()).await,
        "task" => tokio::spawn(deeper.call(cx.runtime())).await.unwrap(),
        "dispatch" => {
            let arguments = serde_json::json!({ "depth": depth - 1, "way": way });
            let request = Request::new("mirror", &arguments, Meta::default()).unwrap();
            let response = cx.runtime().dispatch(request).await;
            let code = response.code.map(|code| code.to_string());
            return Ok(code.unwrap_or_else(|| response.result.unwrap().to_string()));
        }
        _ => deeper.call(&OUTSIDE).await,
    };
    Ok(match called {
        Ok(done) => done.into_inner(),
        Err(error) => told::<(), _>(Err(error)),
    })
}

/// So many calls may stand in one another.
const DEEPEST: u32 = 16;

#[tokio::test]
async fn calls_stand_in_one_another_to_a_bound() {
    let stage = Stage::new();
    let runtime = stage.builder().tool::<Mirror>().build().unwrap();
    for way in ["cx", "outside", "dispatch"] {
        let said = soon(mirror(DEEPEST, way.to_owned()).call(&runtime)).await.unwrap();
        assert!(said.contains("there"), "{way}: {}", *said);
        let said = soon(mirror(DEEPEST + 1, way.to_owned()).call(&runtime)).await.unwrap();
        assert!(said.contains(&Code::NESTED_TOO_DEEP.to_string()), "{way}: {}", *said);
    }
    // A task has a stack of its own.
    let said = soon(mirror(3 * DEEPEST, "task".to_owned()).call(&runtime)).await.unwrap();
    assert_eq!(*said, "there");
    // And calls that only follow one another are as many as anybody likes.
    for _ in 0..3 * DEEPEST {
        mirror(1, "cx".to_owned()).call(&runtime).await.unwrap();
    }
}

#[tokio::test]
async fn of_a_call_that_stands_too_deep_nothing_is_executed_or_recorded() {
    let stage = Stage::new();
    soon(countdown(DEEPEST - 1).key("deep").call(&stage.runtime)).await.unwrap();
    assert_eq!(stage.world.effects(), DEEPEST);

    let stage = Stage::new();
    // The others give up without an effect.
    soon(countdown(DEEPEST).key("deep").call(&stage.runtime)).await.unwrap_err();
    assert_eq!(stage.world.effects(), 0);
    assert!(stage.state("countdown", "count-1").await.is_some());
    assert_eq!(stage.state("countdown", "count-0").await, None);
}
