//! A body that ends too soon, or decided by what is not so.

use std::sync::Arc;

use tool_contract::ledger::Resolved;
use tool_contract::spec::policy::{Limit, Quota, SideEffect};
use tool_contract::{Saga, saga};

use super::shop::{Act, Failed, Shop, carry, hold, mail, reserve};
use super::yard::{Yard, built};
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
    yard.order_on(&runtime, "k").await.undone(&[0]);
    assert_eq!(yard.shop.stands(), Vec::<String>::new());
}
