//! Processes that die, at each point of a saga.

use tool_contract::ledger::StateName;
use tool_contract::{Saga, saga};

use super::shop::{Act, Failed, Shop, reserve};
use super::yard::Yard;
use crate::world::Trouble;

/// Where the first process dies: once so many lines stand in the books, inside of
/// what meets this.
struct Death {
    within: &'static str,
    act: Act,
    tried: usize,
}

fn death(within: &'static str, act: Act, tried: usize) -> Death {
    Death { within, act, tried }
}

/// A process dies in a step; another one comes, once the claims have run out.
async fn goes_on_after(death: Death) -> Yard {
    let yard = Yard::new();
    yard.shop.then(death.within, death.act);
    let tried = death.tried;
    yard.die_within("o", move |shop| shop.tried().len() >= tried).await;
    assert_eq!(yard.shop.tried().len(), death.tried);
    yard.let_leases_lapse();
    yard
}

#[tokio::test]
async fn wherever_a_process_dies_the_next_one_finishes_what_can_be_known() {
    let deaths = [
        // What came of a held item and of a payment can be found out.
        death("hold lamp", Act::Hang, 2),
        death("hold lamp", Act::HappenThenHang, 2),
        death("pay 42", Act::HappenThenHang, 3),
    ];
    for death in deaths {
        let (within, act) = (death.within, death.act.clone());
        let yard = goes_on_after(death).await;
        let another = yard.another();
        yard.order_on(&another, "o").await.finished();
        let all = ["reserve lamp", "hold lamp", "pay 42", "ship lamp"];
        for line in all {
            assert_eq!(yard.shop.count(line), 1, "{line}, after a death in {within}: {act:?}");
        }
    }
}

#[tokio::test]
async fn what_nobody_can_know_rests_with_the_step_it_is_about() {
    for (within, act, tried) in
        [("reserve lamp", Act::HappenThenHang, 1), ("ship lamp", Act::HappenThenHang, 4)]
    {
        let yard = goes_on_after(death(within, act, tried)).await;
        let before = yard.shop.log();
        let another = yard.another();
        let rests = yard.order_on(&another, "o").await;
        let step = if tried == 1 { "`reserve` [o/0]" } else { "`ship` [o/3]" };
        assert!(rests.rests().contains(step), "{rests:?}");
        assert_eq!(yard.shop.log(), before, "nothing was done, and nothing undone");
    }
}

#[tokio::test]
async fn a_process_that_dies_while_it_undoes_is_followed_by_one_that_undoes_the_rest() {
    for act in [Act::Hang, Act::HappenThenHang] {
        for within in ["unhold lamp", "unreserve lamp"] {
            let yard = Yard::new();
            yard.shop.then("pay 42", Act::Fail(Trouble::Closed));
            yard.shop.then(within, act.clone());
            let is_there = move |shop: &Shop| shop.has_tried(within);
            yard.die_within("o", is_there).await;
            yard.let_leases_lapse();
            let another = yard.another();
            let error = yard.order_on(&another, "o").await.undone(&[1, 0]).to_owned();
            assert!(error.contains("closed for good"), "the first error stands: {error}");
            for line in ["reserve lamp", "hold lamp", "unhold lamp", "unreserve lamp"] {
                assert_eq!(yard.shop.count(line), 1, "{line} within {within} {act:?}");
            }
            assert_eq!(yard.shop.tried().iter().filter(|line| *line == "pay 42").count(), 1);
        }
    }
}

#[tokio::test]
async fn a_saga_that_gave_up_never_goes_forward_again() {
    let yard = Yard::new();
    yard.shop.then("pay 42", Act::Fail(Trouble::Closed));
    yard.shop.then("unhold lamp", Act::Hang);
    yard.die_within("o", |shop| shop.has_tried("unhold lamp")).await;
    assert!(yard.journal("o").await.unwinding.is_some());
    yard.let_leases_lapse();
    // The payment would succeed now.
    let another = yard.another();
    yard.order_on(&another, "o").await.undone(&[1, 0]);
    assert_eq!(yard.shop.count("pay 42"), 0);
}

/// A body that hangs and breaks beside its steps, the first times.
#[saga(state(Shop), timeout = "5s")]
async fn unsteady(saga: Saga, item: String) -> Result<u32, Failed> {
    let reserved = saga.step(reserve(item)).await?;
    match saga.cx().attempt() {
        1 => std::future::pending().await,
        2 => panic!("it breaks"),
        _ => Ok(reserved),
    }
}

#[tokio::test]
async fn a_body_that_panics_or_takes_too_long_gives_nothing_up() {
    let yard = Yard::new();
    let called = yard.through(unsteady("lamp".into()).key("u").call(&yard.runtime)).await;
    called.unwrap().into_inner().finished().unwrap();
    assert_eq!(yard.shop.log(), ["reserve lamp"]);
    assert_eq!(yard.stage.record("unsteady", "u").await.unwrap().attempts, 3);
}

#[tokio::test]
async fn a_step_that_panics_after_the_pivot_leaves_the_saga_to_a_person() {
    let yard = Yard::new();
    yard.shop.then("ship lamp", Act::Panic);
    let rests = yard.order("o").await;
    assert!(rests.rests().contains("`ship` [o/3]"), "{rests:?}");
    assert_eq!(yard.shop.stands(), ["reserve lamp", "hold lamp", "pay 42"]);
    assert_eq!(yard.state("order", "o").await, Some(StateName::Unknown));
}
