//! Many calls at once.

use tool_contract::Runtime;
use tool_contract::ledger::StateName;
use tool_contract::testing::Step;

use crate::slow::SlowLedger;
use crate::stage::{Stage, others, soon};
use crate::tools::{charge, look};
use crate::world::{Act, Gate, Trouble};

fn order(number: usize) -> String {
    format!("order-{number}")
}

#[tokio::test]
async fn they_are_answered_in_their_order_and_none_stops_another() {
    let stage = Stage::new();
    stage.world.then(Act::Succeed).then(Act::Fail(Trouble::Invalid)).then(Act::Succeed);
    let calls = (0..3).map(|number| charge(order(number), 1).key(order(number)));
    let called = stage.runtime.call_all(calls).await;
    let ends: Vec<_> = called.iter().map(Result::is_ok).collect();
    assert_eq!(ends, [true, false, true]);
    assert_eq!(stage.world.effects(), 2);
    let again = (0..3).map(|number| charge(order(number), 1).key(order(number)));
    let replayed = stage.runtime.call_all(again).await;
    let replayed: Vec<_> = replayed.iter().map(|done| done.as_ref().unwrap().replayed()).collect();
    assert_eq!(replayed, [true, false, true]);
    assert!(stage.runtime.call_all([(); 0].map(|()| look("o".into()))).await.is_empty());
}

#[tokio::test]
async fn two_of_one_key_are_one() {
    let stage = Stage::new();
    let called = stage.runtime.call_all([0, 0].map(|_| charge("o".into(), 1).key("k")));
    let called = soon(called).await;
    assert_eq!(called.iter().filter(|done| done.as_ref().unwrap().replayed()).count(), 1);
    assert_eq!(stage.world.effects(), 1);
}

#[tokio::test]
async fn so_many_are_under_way_and_no_more() {
    let stage = Stage::new();
    let gates: Vec<_> = (0..Runtime::AT_ONCE + 10).map(|_| Gate::new()).collect();
    for gate in &gates {
        stage.world.then(gate.before(Act::Succeed));
    }
    let runtime = stage.runtime.clone();
    let all = tokio::spawn(async move {
        let calls =
            (0..Runtime::AT_ONCE + 10).map(|number| charge(order(number), 1).key(order(number)));
        runtime.call_all(calls).await
    });
    others().await;
    assert_eq!(stage.world.attempts(), Runtime::AT_ONCE);
    gates[0].open();
    others().await;
    assert_eq!(stage.world.attempts(), Runtime::AT_ONCE + 1);
    drop(gates);
    assert_eq!(soon(all).await.unwrap().len(), Runtime::AT_ONCE + 10);
    assert_eq!(u32::try_from(Runtime::AT_ONCE + 10), Ok(stage.world.effects()));
}

#[tokio::test]
async fn dropped_together_each_is_finished() {
    let stage = Stage::new();
    let slow = SlowLedger::new(stage.ledger.clone());
    let runtime = stage.builder().ledger(slow.clone()).build().unwrap();
    let gate = slow.gate(Step::Settle);
    let called = tokio::spawn({
        let runtime = runtime.clone();
        async move {
            runtime.call_all((0..2).map(|number| charge(order(number), 1).key(order(number)))).await
        }
    });
    gate.reached().await;
    called.abort();
    others().await;
    drop(gate);
    soon(runtime.drain()).await;
    for number in 0..2 {
        let state = stage.state("charge", &order(number)).await;
        assert_eq!(state, Some(StateName::Succeeded));
    }
}
