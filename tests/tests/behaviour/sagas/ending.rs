//! A body that ends too soon, or decided by what is not so.

use std::sync::Arc;

use tool_contract::ledger::Resolved;
use tool_contract::spec::policy::{Limit, Quota, SideEffect};
use tool_contract::{Cx, Done, Saga, saga, tool};

use super::shop::{Act, Ended, Failed, Shop, Yard, built, hold, mail, reserve};
use crate::stage::others;
use crate::world::{Gate, Trouble};

/// It leaves a step to a task of its own, and fails before that has begun.
#[saga(state(Shop))]
async fn leaving(saga: Saga, item: String) -> Result<(), Failed> {
    saga.step(reserve(item.clone())).await?;
    let saga = Arc::new(saga);
    let left = Arc::clone(&saga);
    tokio::spawn(async move {
        while left.cx().state::<Shop>().count("unreserve lamp") == 0 {
            tokio::task::yield_now().await;
        }
        left.step(mail("stray".into())).await
    });
    saga.step(hold(item)).await?;
    Ok(())
}

#[tokio::test]
async fn a_step_that_was_left_to_another_task_does_not_begin_after_the_body() {
    let yard = Yard::new();
    let gate = Gate::new();
    yard.shop.then("hold lamp", Act::Fail(Trouble::Closed));
    yard.shop.then("unreserve lamp", Act::Within(gate.passage()));
    let call = tokio::spawn(leaving("lamp".into()).key("k").call(&yard.runtime));
    gate.reached().await;
    for _ in 0..100 {
        others().await;
    }
    gate.open();
    let undone = yard.through(call).await.unwrap().unwrap().into_inner().finished().unwrap_err();
    assert_eq!(undone.steps.len(), 1, "{undone}");
    assert_eq!(yard.shop.log(), ["reserve lamp", "unreserve lamp"]);
}

/// If the one fails it takes the other.
#[saga(state(Shop))]
async fn either(saga: Saga, item: String) -> Result<(), Failed> {
    if saga.step(hold(item.clone())).await.is_err() {
        saga.step(reserve(item)).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_body_that_went_on_without_what_happened_after_all_has_not_finished() {
    let yard = Yard::new();
    yard.shop.then("hold lamp", Act::HappenThenFail(Trouble::NoAnswer));
    yard.shop.then("find", Act::Fail(Trouble::Down));
    let rests = yard.through(either("lamp".into()).key("k").call(&yard.runtime)).await;
    let rests = rests.expect_err("both stand, and it wanted one").to_string();
    assert!(rests.contains("step 1 (`reserve`)"), "{rests}");
    assert_eq!(yard.shop.log(), ["hold lamp", "reserve lamp"], "nothing is run again");
}

/// Carry an item, unless the carrier is down.
#[tool(
    side_effect = "write",
    idempotent,
    rollback = "uncarry",
    breaker(failures = 1, cooldown = "1h"),
    state(Shop)
)]
async fn carry(cx: &Cx, item: String) -> Result<u32, Trouble> {
    match cx.state::<Shop>().meet(&format!("carry {item}")) {
        Some(Act::Fail(trouble)) => Err(trouble),
        _ => std::future::ready(Ok(1)).await,
    }
}

async fn uncarry(_done: Done<Carry>) -> Result<(), Trouble> {
    std::future::ready(Ok(())).await
}

/// Carry, and tell.
#[saga(state(Shop))]
async fn carried(saga: Saga, item: String) -> Result<u32, Failed> {
    saga.step(carry(item.clone())).await?;
    saga.step(reserve(item)).await
}

#[tokio::test]
async fn a_step_that_happened_is_replayed_though_the_other_side_is_left_alone() {
    let yard = Yard::new();
    let call = || carried("lamp".into()).key("k").call(&yard.runtime);
    yard.shop.then("reserve lamp", Act::HappenThenFail(Trouble::NoAnswer));
    yard.through(call()).await.unwrap_err();
    yard.shop.then("carry rug", Act::Fail(Trouble::Down));
    carry("rug".into()).key("rug").call(&yard.runtime).await.unwrap_err();
    yard.resolve("reserve", "k/1", Resolved::Happened { result: "1".into() }).await;
    yard.through(call()).await.unwrap().into_inner().finished().unwrap();
}

#[tokio::test]
async fn what_undoes_draws_from_no_limit() {
    let yard = Yard::new();
    // The saga and its two steps use it up.
    let limit = Limit::for_all(Quota::per_day(3));
    let runtime = built(yard.stage.builder().limit(SideEffect::Write, limit), &yard.shop);
    yard.shop.then("hold lamp", Act::Fail(Trouble::Closed));
    match yard.order_on(&runtime, "k").await {
        Ended::Undone(_, steps) => assert_eq!(steps, [0]),
        other => panic!("{other:?}"),
    }
    assert_eq!(yard.shop.stands(), Vec::<String>::new());
}
