//! Bodies that go another way when a step does not succeed: whoever goes on with them
//! goes the same way.

use tool_contract::{Runtime, Saga, saga};

use super::shop::{Act, Failed, Shop, carry, hold, lend, price, reserve};
use super::yard::Yard;
use crate::world::Trouble;

async fn make(saga: &Saga, what: &str, item: String) -> Result<(), Failed> {
    match what {
        "carry" => saga.step(carry(item)).await.map(drop),
        "hold" => saga.step(hold(item)).await.map(drop),
        "lend" => saga.step(lend(item)).await.map(drop),
        "price" => saga.step(price(item)).await.map(drop),
        _ => saga.step(reserve(item)).await.map(drop),
    }
}

/// If the one fails it takes the other.
#[saga(state(Shop))]
async fn either(saga: Saga, one: String, other: String) -> Result<(), Failed> {
    if make(&saga, &one, "lamp".into()).await.is_err() {
        make(&saga, &other, "lamp".into()).await?;
    }
    Ok(())
}

/// It makes its steps before it awaits the first of them.
#[saga(state(Shop))]
async fn line_up(saga: Saga, item: String) -> Result<(), Failed> {
    let (one, other) = (saga.step(reserve(item.clone())), saga.step(hold(item)));
    if one.await.is_err() {
        other.await?;
    }
    Ok(())
}

async fn begin(runtime: &Runtime, one: &str, other: &str) -> Result<(), String> {
    let ended = either(one.into(), other.into()).key("e").call(runtime).await;
    let outcome = ended.map_err(|error| error.to_string())?.into_inner();
    outcome.finished().map_err(|undone| undone.to_string())
}

/// A process whose first step does not succeed, and that dies in the other. Then
/// nothing stands in the way of the first any more.
async fn goes_on_the_same_way(one: &'static str, yard: Yard, runtime: Runtime) {
    yard.shop.then("hold lamp", Act::HappenThenHang);
    let tried = yard.shop.tried();
    let in_hold = |shop: &Shop| shop.count("hold lamp") == 1;
    yard.die_in(runtime, move |runtime| async move { begin(&runtime, one, "hold").await }, in_hold)
        .await;
    yard.let_leases_lapse();
    yard.through(begin(&yard.another(), one, "hold")).await.unwrap();
    let since = yard.shop.tried()[tried.len()..].to_vec();
    let in_vain = format!("{one} lamp");
    let was_tried = since.iter().filter(|line| **line == in_vain).count();
    assert!(was_tried <= 1 && since.last().unwrap() == "hold lamp", "{since:?}");
    assert_eq!(yard.shop.count(&in_vain), 0, "{since:?}");
    assert_eq!(yard.shop.count("hold lamp"), 1, "{since:?}");
}

#[tokio::test]
async fn a_step_that_failed_stays_failed_for_whoever_goes_on() {
    for one in ["reserve", "price"] {
        let yard = Yard::new();
        yard.shop.then(&format!("{one} lamp"), Act::Fail(Trouble::Closed));
        let runtime = yard.another();
        goes_on_the_same_way(one, yard, runtime).await;
    }
}

#[tokio::test]
async fn a_step_that_found_no_room_in_a_limit_stays_failed() {
    let yard = Yard::new();
    lend("rug".into()).key("rug").call(&yard.runtime).await.unwrap();
    let runtime = yard.another();
    goes_on_the_same_way("lend", yard, runtime).await;
}

#[tokio::test]
async fn a_step_that_found_the_other_side_left_alone_stays_failed() {
    let yard = Yard::new();
    let runtime = yard.another();
    yard.shop.then("carry rug", Act::Fail(Trouble::Down));
    carry("rug".into()).key("rug").call(&runtime).await.unwrap_err();
    // The next process has a breaker of its own.
    goes_on_the_same_way("carry", yard, runtime).await;
}

#[tokio::test]
async fn while_a_step_is_unknown_the_body_begins_nothing_in_its_place() {
    for act in [Act::HappenThenFail(Trouble::NoAnswer), Act::Fail(Trouble::NoAnswer)] {
        let yard = Yard::new();
        yard.shop.then("hold lamp", act).then("find", Act::Fail(Trouble::Down));
        yard.through(begin(&yard.runtime, "hold", "reserve")).await.unwrap();
        assert_eq!(
            yard.shop.log(),
            ["hold lamp"],
            "once it is found out, it goes the way that is so"
        );
    }
}

#[tokio::test]
async fn what_a_body_does_for_an_unknown_step_waits_until_a_person_has_said() {
    let yard = Yard::new();
    yard.shop.then("reserve lamp", Act::HappenThenFail(Trouble::NoAnswer));
    let rests = yard.through(begin(&yard.runtime, "reserve", "hold")).await.unwrap_err();
    assert!(rests.contains("`reserve` [e/0]"), "{rests}");
    assert_eq!(yard.shop.log(), ["reserve lamp"]);
    let happened = tool_contract::ledger::Resolved::Happened { result: "1".into() };
    yard.resolve("reserve", "e/0", happened).await;
    yard.through(begin(&yard.runtime, "reserve", "hold")).await.unwrap();
    assert_eq!(yard.shop.log(), ["reserve lamp"]);
}

#[tokio::test]
async fn what_was_made_before_a_step_was_unknown_is_not_begun_either() {
    let yard = Yard::new();
    yard.shop.then("reserve lamp", Act::HappenThenFail(Trouble::NoAnswer));
    let call = || line_up("lamp".into()).key("l").call(&yard.runtime);
    yard.through(call()).await.unwrap_err();
    assert_eq!(yard.shop.log(), ["reserve lamp"]);
    let happened = tool_contract::ledger::Resolved::Happened { result: "1".into() };
    yard.resolve("reserve", "l/0", happened).await;
    yard.through(call()).await.unwrap().into_inner().finished().unwrap();
    assert_eq!(yard.shop.log(), ["reserve lamp"]);
}
