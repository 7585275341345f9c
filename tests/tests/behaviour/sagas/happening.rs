//! What goes well.

use tool_contract::ledger::{EventKind, StateName};
use tool_contract::{Saga, saga};

use super::shop::{Act, Failed, Shop, gather, price, reserve, ship};
use super::yard::Yard;
use crate::world::{Gate, Trouble};

#[tokio::test]
async fn each_step_happens_once_under_a_child_of_the_sagas_key() {
    Yard::each(|yard| async move {
        yard.order("o-7").await.finished();
        let all = ["reserve lamp", "hold lamp", "pay 42", "ship lamp"];
        assert_eq!(yard.shop.log(), all);
        for (tool, key) in
            [("reserve", "o-7/0"), ("hold", "o-7/1"), ("bill", "o-7/2"), ("ship", "o-7/3")]
        {
            assert_eq!(yard.state(tool, key).await, Some(StateName::Succeeded), "{tool}");
        }
        let mut kinds = vec![EventKind::Claimed];
        kinds.extend([EventKind::Stepped; 4]);
        kinds.push(EventKind::Succeeded);
        assert_eq!(yard.kinds("o-7").await, kinds);
        let journal = yard.journal("o-7").await;
        let pivots: Vec<_> = journal.steps.values().map(|stepped| stepped.pivot).collect();
        assert_eq!(pivots, [false, false, true, false]);

        // Its key replays what it came to, and nothing runs.
        yard.order_on(&yard.another(), "o-7").await.finished();
        assert_eq!(yard.shop.log(), all);
    })
    .await;
}

#[tokio::test]
async fn steps_at_once_have_their_places_by_where_they_are_written() {
    Yard::each(|yard| async move {
        let gate = Gate::new();
        yard.shop.then("reserve a", Act::Behind(gate.passage()));
        let items = ["a", "b", "c"].map(str::to_owned).to_vec();
        let call = tokio::spawn(gather(items).key("g").call(&yard.runtime));
        gate.reached_by_thread().await;
        while yard.shop.log().len() < 2 {
            tokio::task::yield_now().await;
        }
        gate.open();
        let gathered = yard.through(call).await.unwrap().unwrap().into_inner().finished().unwrap();
        assert_eq!(gathered.len(), 3);
        assert_eq!(yard.shop.log()[2], "reserve a", "the first was the last");
        for (number, item) in ["a", "b", "c"].iter().enumerate() {
            let record = yard.stage.record("reserve", &format!("g/{number}")).await.unwrap();
            assert_eq!(&*record.arguments, format!(r#"{{"item":"{item}"}}"#));
        }
    })
    .await;
}

/// Two equal steps.
#[saga(state(Shop))]
async fn twice(saga: Saga, item: String) -> Result<(), Failed> {
    saga.step(reserve(item.clone())).await?;
    saga.step(reserve(item)).await?;
    Ok(())
}

#[tokio::test]
async fn two_equal_steps_are_two_intents() {
    let yard = Yard::new();
    yard.through(twice("lamp".into()).key("t").call(&yard.runtime)).await.unwrap();
    assert_eq!(yard.shop.count("reserve lamp"), 2);
    for key in ["t/0", "t/1"] {
        let kinds = yard.stage.kinds("reserve", key).await;
        assert_eq!(kinds, [EventKind::Bound, EventKind::Claimed, EventKind::Succeeded]);
    }
}

/// Reserves for what it reads, and fails the first time.
#[saga(state(Shop))]
async fn quote(saga: Saga, item: String) -> Result<u64, Failed> {
    let price = saga.step(price(item)).await?;
    saga.step(reserve(format!("for {price}"))).await?;
    if saga.cx().attempt() == 1 {
        panic!("it breaks");
    }
    Ok(price)
}

#[tokio::test]
async fn what_was_read_first_holds_when_it_runs_again() {
    let yard = Yard::new();
    yard.shop.then("price lamp", Act::Fail(Trouble::Down));
    let failed = yard.through(quote("lamp".into()).key("q-0").call(&yard.runtime)).await.unwrap();
    assert!(failed.into_inner().finished().is_err(), "a read that fails is an error like others");
    let called = yard.through(quote("lamp".into()).key("q").call(&yard.runtime)).await.unwrap();
    let price = called.into_inner().finished().unwrap();
    assert_eq!(yard.shop.log(), ["price lamp", &format!("reserve for {price}")]);
    assert_eq!(yard.shop.count("price lamp"), 1, "a panic runs it again from the top");
    assert_eq!(yard.state("price", "q/0").await, None, "a read has no record of its own");
}

#[tokio::test]
async fn a_step_is_remembered_for_as_long_as_its_saga() {
    let yard = Yard::new();
    yard.order("o").await.finished();
    let day = std::time::Duration::from_hours(24);
    for (tool, key) in [("order", "o"), ("reserve", "o/0"), ("bill", "o/2")] {
        assert_eq!(yard.stage.record(tool, key).await.unwrap().terms.ttl, 30 * day, "{tool}");
    }
}

/// A read is its point of no return.
#[saga(state(Shop))]
async fn look_and_leap(saga: Saga, item: String) -> Result<u32, Failed> {
    saga.step(reserve(item.clone())).await?;
    let (_, saga) = saga.pivot(price(item.clone())).await?;
    saga.step(ship(item)).await
}

#[tokio::test]
async fn after_a_pivot_that_is_a_read_nothing_is_undone_either() {
    let yard = Yard::new();
    for _ in 0..2 {
        yard.shop.then("ship lamp", Act::Fail(Trouble::Closed));
        yard.shop.then("ship lamp", Act::Panic);
    }
    let call = || look_and_leap("lamp".into()).key("l");
    let called = yard.through(call().call(&yard.runtime)).await;
    assert!(called.is_err(), "{called:?}");
    assert_eq!(yard.shop.count("price lamp"), 1);
    assert_eq!(yard.shop.count("unreserve lamp"), 0);
    // Another process knows it by the journal alone.
    let called = yard.through(call().call(&yard.another())).await;
    assert!(called.is_err(), "{called:?}");
    assert_eq!(yard.shop.count("unreserve lamp"), 0);
}
