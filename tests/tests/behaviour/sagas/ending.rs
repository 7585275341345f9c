//! A body that ends too soon, or decided by what is not so.

use std::sync::Arc;

use tool_contract::ledger::Resolved;
use tool_contract::spec::policy::{Limit, Quota, SideEffect};
use tool_contract::{Saga, saga};

use super::shop::{Act, Failed, Shop, carry, hold, mail, reserve};
use super::yard::{Yard, built};
use crate::stage::{Ending, others};
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

/// It gives a step up that takes its time; or that it ever tried.
#[saga(state(Shop))]
async fn impatient(saga: Saga, item: String, for_ever: bool) -> Result<(), Failed> {
    let shop = saga.cx().state::<Shop>();
    let line = format!("hold {item}");
    tokio::select! {
        biased;
        () = async {
            while !shop.has_tried(&line) || (shop.count(&line) > 0 && !for_ever) {
                tokio::task::yield_now().await;
            }
        } => Ok(()),
        held = saga.step(hold(item)) => held.map(drop),
    }
}

#[tokio::test]
async fn a_body_that_went_on_without_what_happened_after_all_is_told_so() {
    for for_ever in [false, true] {
        Yard::each(|yard| async move {
            let gate = Gate::new();
            yard.shop.then("hold lamp", Act::Behind(gate.passage()));
            let call = impatient("lamp".into(), for_ever).key("k").call(&yard.runtime);
            let call = tokio::spawn(call);
            gate.reached().await;
            for _ in 0..100 {
                others().await;
            }
            gate.open();
            let told = yard.through(call).await.unwrap();
            assert_eq!(yard.shop.log(), ["hold lamp"]);
            if for_ever {
                let rests = told.unknown().cause;
                assert!(rests.contains("the body gives the step up too soon"), "{rests}");
            } else {
                let done = told.unwrap();
                assert!(done.attempts() > 1, "{done:?}");
                done.into_inner().finished().unwrap();
            }
        })
        .await;
    }
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
