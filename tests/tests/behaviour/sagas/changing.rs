//! Code that changes under a saga.

use tool_contract::spec::rulebook::Code;
use tool_contract::testing::{Fault, Step};
use tool_contract::{CallError, Saga, saga};

use super::shop::{Act, Failed, Shop, bill, hold, reserve};
use super::yard::Yard;
use crate::world::Trouble;

/// The order as a later version has it, under the same name.
mod later {
    use super::*;

    /// How the code changed.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(super) enum Change {
        Nothing,
        OtherArguments,
        Swapped,
        LeftOut,
        NoPivot,
        Added,
    }

    tokio::task_local! {
        pub(super) static CHANGE: Change;
    }

    /// Reserve, hold, pay, as the version of the day has it.
    #[saga(name = "changing", state(Shop))]
    pub(super) async fn changing(saga: Saga, item: String) -> Result<(), Failed> {
        let change = CHANGE.try_with(|change| *change).unwrap_or(Change::Nothing);
        if change == Change::Swapped {
            saga.step(hold(item.clone())).await?;
            saga.step(reserve(item)).await?;
            return Ok(());
        }
        let other = if change == Change::OtherArguments { "rug".to_owned() } else { item.clone() };
        saga.step(reserve(other)).await?;
        if change == Change::LeftOut {
            return Ok(());
        }
        saga.step(hold(item.clone())).await?;
        if change == Change::NoPivot {
            saga.step(reserve(item)).await?;
            return Ok(());
        }
        let (_, saga) = saga.pivot(bill(42)).await?;
        if change == Change::Added {
            saga.step(super::super::shop::ship(item)).await?;
        }
        Ok(())
    }
}
use later::{CHANGE, Change, changing};

/// A saga that stands after three steps, and did not end.
async fn interrupted(yard: &Yard) {
    yard.shop.then("pay 42", Act::HappenThenFail(Trouble::NoAnswer));
    yard.shop.then("find", Act::Fail(Trouble::Down));
    yard.stage.ledger.fail(Step::BeginReconcile, Fault::Lost, usize::MAX);
    let call = changing("lamp".into()).key("c").call(&yard.runtime);
    let called = yard.through(CHANGE.scope(Change::Nothing, call)).await;
    assert!(matches!(called, Err(CallError::Unknown(_))), "{called:?}");
    yard.stage.ledger.heal();
}

#[tokio::test]
async fn steps_that_changed_do_not_run_and_the_saga_rests() {
    let changes = [
        (Change::OtherArguments, "step 0 called `reserve` with other arguments before"),
        (Change::Swapped, "step 0 was `reserve` and is `hold` now"),
        (Change::LeftOut, "step 2 (`bill`) was made before"),
        (Change::NoPivot, "step 2 was `bill` as its pivot and is `reserve` now"),
    ];
    for (change, expected) in changes {
        let yard = Yard::new();
        interrupted(&yard).await;
        let log = yard.shop.log();
        let call = changing("lamp".into()).key("c").call(&yard.runtime);
        let called = yard.through(CHANGE.scope(change, call)).await;
        let Err(CallError::Unknown(unknown)) = called else { panic!("{change:?}: {called:?}") };
        assert!(unknown.cause.contains(expected), "{change:?}: {}", unknown.cause);
        assert!(unknown.cause.contains(&Code::SAGA_CHANGED.to_string()), "{}", unknown.cause);
        assert_eq!(yard.shop.log(), log, "{change:?}: nothing ran, and nothing was undone");

        // With the code that began it, it goes on.
        let call = changing("lamp".into()).key("c").call(&yard.runtime);
        let called = yard.through(CHANGE.scope(Change::Nothing, call)).await.unwrap();
        assert!(called.into_inner().finished().is_ok());
        assert_eq!(yard.shop.stands(), ["reserve lamp", "hold lamp", "pay 42"]);
    }
}

#[tokio::test]
async fn what_is_added_at_the_end_is_no_change() {
    let yard = Yard::new();
    interrupted(&yard).await;
    let call = changing("lamp".into()).key("c").call(&yard.runtime);
    let called = yard.through(CHANGE.scope(Change::Added, call)).await.unwrap();
    assert!(called.into_inner().finished().is_ok());
    assert_eq!(yard.shop.count("ship lamp"), 1);
}

#[tokio::test]
async fn a_key_that_leaves_no_room_for_its_steps_is_refused_before_anything_runs() {
    use crate::stage::Ending as _;
    let yard = Yard::new();
    let longest = "k".repeat(251);
    yard.order(&longest).await.finished();
    let key = "k".repeat(252);
    let called = super::shop::order("lamp".into(), 42).key(key).call(&yard.runtime).await;
    let rejected = called.refused(Code::KEY_MALFORMED);
    assert!(rejected.reason.contains("it may have 251"), "{}", rejected.reason);
    assert_eq!(yard.shop.log().len(), 4);
}

/// One step too many.
#[saga(state(Shop))]
async fn endless(saga: Saga, steps: u32) -> Result<(), Failed> {
    for _ in 0..steps {
        saga.step(super::shop::price("lamp".into())).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_saga_has_a_thousand_steps_at_most() {
    let yard = Yard::new();
    let called = yard.through(endless(1_000).key("e").call(&yard.runtime)).await.unwrap();
    assert!(called.into_inner().finished().is_ok());
    let called = yard.through(endless(1_001).key("f").call(&yard.runtime)).await;
    let Err(CallError::Unknown(unknown)) = called else { panic!("{called:?}") };
    assert!(unknown.cause.contains(&Code::SAGA_TOO_LONG.to_string()), "{}", unknown.cause);
    assert_eq!(yard.shop.log().len(), 2_000);
}
