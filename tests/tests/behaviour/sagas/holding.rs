//! One process has a saga, and one that lost it begins nothing.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::task::JoinHandle;
use tool_contract::ledger::{EventKind, Settlement, StateName, Verdict};
use tool_contract::testing::{Fault, Step};
use tool_contract::{CallError, Calling, Saga, saga};

use super::shop::{Act, Failed, Order, Shop, gather, mail, order};
use super::yard::Yard;
use crate::stage::{id, others, secs};
use crate::world::{Gate, Passage, Trouble};

/// An order that is stopped at a gate where the shop does `what`.
async fn stopped(
    yard: &Yard,
    what: &str,
    act: fn(Passage) -> Act,
) -> (Gate, JoinHandle<<Calling<Order> as Future>::Output>) {
    let gate = Gate::new();
    yard.shop.then(what, act(gate.passage()));
    let call = tokio::spawn(order("lamp".into(), 42).key("o").call(&yard.runtime));
    gate.reached().await;
    (gate, call)
}

#[tokio::test]
async fn a_process_that_lost_its_saga_begins_no_step() {
    let yard = Yard::new();
    let (gate, zombie) = stopped(&yard, "hold lamp", Act::Within).await;
    // It stands still for longer than its lease, and another takes over. The held
    // item is unknown, and found; the rest happens.
    yard.let_leases_lapse();
    let another = yard.another();
    yard.order_on(&another, "o").await.finished();
    let log = yard.shop.log();
    assert_eq!(log, ["reserve lamp", "hold lamp", "pay 42", "ship lamp"]);
    gate.open();
    let woken = yard.through(zombie).await.unwrap();
    // It learns that it lost the saga, and what that came to.
    assert!(woken.is_ok() || matches!(woken, Err(CallError::Unknown(_))), "{woken:?}");
    assert_eq!(yard.shop.log(), log, "nothing of it ran");
}

#[tokio::test]
async fn a_process_that_lost_its_saga_to_one_that_undid_it_begins_no_step() {
    let yard = Yard::new();
    yard.shop.then("pay 42", Act::Fail(Trouble::Closed));
    let (gate, zombie) = stopped(&yard, "hold lamp", Act::Within).await;
    yard.let_leases_lapse();
    let another = yard.another();
    yard.order_on(&another, "o").await.undone(&[1, 0]);
    assert_eq!(yard.shop.stands(), Vec::<String>::new());
    let log = yard.shop.log();
    gate.open();
    drop(yard.through(zombie).await.unwrap());
    assert_eq!(yard.shop.log(), log, "nothing of it ran: the payment would succeed now");
    assert_eq!(yard.state("bill", "o/2").await, Some(StateName::Released));
}

#[tokio::test]
async fn a_step_that_cannot_be_noted_does_not_run() {
    let yard = Yard::new();
    yard.stage.ledger.fail(Step::Renew, Fault::Lost, usize::MAX);
    let rests = yard.order("o").await;
    assert!(rests.rests().contains("could not be noted"), "{rests:?}");
    assert_eq!(yard.shop.tried(), Vec::<String>::new());
    assert_eq!(yard.state("reserve", "o/0").await, Some(StateName::Released));
    yard.stage.ledger.heal();
    yard.order("o").await.finished();
    assert_eq!(yard.journal("o").await.steps.len(), 4);
}

#[tokio::test]
async fn a_lost_answer_to_a_note_is_asked_for_again() {
    let yard = Yard::new();
    yard.stage.ledger.fail(Step::Renew, Fault::ReplyLost, 1);
    yard.order("o").await.finished();
    let kinds = yard.kinds("o").await;
    assert_eq!(kinds.iter().filter(|kind| **kind == EventKind::Stepped).count(), 5);
    assert_eq!(yard.shop.log().len(), 4);
}

#[tokio::test]
async fn of_two_that_call_it_one_runs_it() {
    Yard::each(|yard| async move {
        let gate = Gate::new();
        yard.shop.then("reserve lamp", Act::Behind(gate.passage()));
        let (one, two) = (yard.another(), yard.another());
        let one = tokio::spawn(order("lamp".into(), 42).key("o").call(&one));
        gate.reached().await;
        let two = tokio::spawn(order("lamp".into(), 42).key("o").call(&two));
        others().await;
        gate.open();
        let (one, two) = yard.through(async { tokio::join!(one, two) }).await;
        assert!(one.unwrap().unwrap().into_inner().finished().is_ok());
        assert!(two.unwrap().unwrap().replayed());
        assert_eq!(yard.shop.log().len(), 4);
    })
    .await;
}

#[tokio::test]
async fn a_long_saga_keeps_its_claim_through_its_steps() {
    let yard = Yard::new();
    let (gate, call) = stopped(&yard, "hold lamp", Act::Behind).await;
    yard.stage.pass(secs(25)).await;
    gate.open();
    yard.through(call).await.unwrap().unwrap().into_inner().finished().unwrap();
    assert_eq!(yard.shop.log().len(), 4);
}

/// Somebody else settles a saga, while the claims of its steps still hold.
async fn take_away(yard: &Yard, tool: &'static str, key: &str) {
    let fence = yard.stage.record(tool, key).await.unwrap().fence;
    let verdict = Verdict::Unknown { cause: "it was taken away".into() };
    let settlement =
        Settlement { id: id(tool, key), fence, used: 3, verdict, attempts: Vec::new() };
    yard.stage.ledger.inner().settle(&settlement).await.unwrap();
}

/// A step that rests for longer than a lease.
#[saga(state(Shop))]
async fn write_home(saga: Saga, letter: String) -> Result<u32, Failed> {
    saga.step(mail(letter)).await
}

#[tokio::test]
async fn a_step_that_rests_for_longer_than_a_lease_goes_on() {
    let yard = Yard::new();
    yard.shop.then("mail it", Act::Fail(Trouble::Down));
    yard.shop.then("mail it", Act::Fail(Trouble::Down));
    let called = yard.through(write_home("it".into()).key("w").call(&yard.patient())).await;
    called.unwrap().into_inner().finished().unwrap();
    assert_eq!(yard.shop.tried().len(), 3);
}

#[tokio::test]
async fn a_step_whose_saga_was_lost_while_it_rested_is_not_tried_again() {
    let yard = Yard::new();
    yard.shop.then("mail it", Act::Fail(Trouble::Down));
    let call = tokio::spawn(write_home("it".into()).key("w").call(&yard.patient()));
    others().await;
    assert_eq!(yard.shop.tried().len(), 1);
    // Somebody else has settled the saga; the step's own claim still holds.
    take_away(&yard, "write_home", "w").await;
    let called = yard.through(call).await.unwrap();
    assert!(matches!(called, Err(CallError::Unknown(_))), "{called:?}");
    assert_eq!(yard.shop.tried().len(), 1);
    assert_eq!(yard.state("mail", "w/0").await, Some(StateName::Released));
}

#[tokio::test]
async fn the_ledger_and_not_the_clock_says_whether_the_next_step_may_begin() {
    let yard = Yard::new();
    let (gate, call) = stopped(&yard, "reserve lamp", Act::Behind).await;
    // By its clock it holds the saga. The ledger gave it to somebody else.
    take_away(&yard, "order", "o").await;
    gate.open();
    let called = yard.through(call).await.unwrap();
    assert!(matches!(called, Err(CallError::Unknown(_))), "{called:?}");
    assert_eq!(yard.shop.tried(), ["reserve lamp"]);
    assert_eq!(yard.state("hold", "o/1").await, Some(StateName::Released));
}

#[tokio::test]
async fn who_lost_a_saga_to_one_that_holds_it_notes_no_step() {
    let yard = Yard::new();
    let (gate, call) = stopped(&yard, "reserve lamp", Act::Behind).await;
    take_away(&yard, "order", "o").await;
    // Another process has it, and waits for the step that the first one is at.
    let turns = AtomicUsize::new(0);
    yard.die_within("o", move |_| turns.fetch_add(1, Ordering::Relaxed) == 100).await;
    assert_eq!(yard.state("order", "o").await, Some(StateName::Running));
    gate.open();
    let called = yard.through(call).await.unwrap();
    assert!(matches!(called, Err(CallError::Unknown(_))), "{called:?}");
    assert_eq!(yard.shop.tried(), ["reserve lamp"]);
    assert_eq!(yard.journal("o").await.steps.len(), 1);
}

#[tokio::test]
async fn who_drops_a_saga_does_not_stop_it() {
    let yard = Yard::new();
    let gate = Gate::new();
    yard.shop.then("hold lamp", Act::Behind(gate.passage()));
    let mut call = Box::pin(order("lamp".into(), 42).key("o").call(&yard.runtime));
    tokio::select! {
        _ = &mut call => panic!("it waits at the gate"),
        () = gate.reached() => {}
    }
    drop(call);
    gate.open();
    yard.through(yard.runtime.drain()).await;
    yard.order("o").await.finished();
    assert_eq!(yard.shop.log().len(), 4);
}

#[tokio::test]
async fn steps_at_once_that_lose_their_saga_leave_no_claim() {
    let yard = Yard::new();
    yard.stage.ledger.fail(Step::Renew, Fault::Lost, usize::MAX);
    let items = ["a", "b"].map(str::to_owned).to_vec();
    let called = yard.through(gather(items).key("g").call(&yard.runtime)).await;
    assert!(matches!(called, Err(CallError::Unknown(_))), "{called:?}");
    assert_eq!(yard.shop.tried(), Vec::<String>::new());
    for key in ["g/0", "g/1"] {
        assert_eq!(yard.state("reserve", key).await, Some(StateName::Released), "{key}");
    }
}
