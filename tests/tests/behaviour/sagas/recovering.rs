//! What dead processes left, and who takes it up.

use tool_contract::ledger::{Resolved, StateName};
use tool_contract::{Saga, Status, saga};

use super::shop::{Act, Failed, Shop, bill, order, seal};
use super::yard::Yard;
use crate::world::Trouble;

#[tokio::test]
async fn what_a_dead_process_left_is_taken_up_once() {
    let yard = Yard::new();
    yard.shop.then("hold lamp", Act::HappenThenHang);
    yard.die_within("o", |shop| shop.tried().len() >= 2).await;
    let (one, two) = (yard.another(), yard.another());
    let early = yard.through(one.recover()).await.unwrap();
    assert!(early.recovered.is_empty(), "its process may live: {early:?}");

    yard.let_leases_lapse();
    let both = async { tokio::join!(one.recover(), two.recover()) };
    let (one, two) = yard.through(both).await;
    let answers: Vec<_> = [one.unwrap(), two.unwrap()]
        .into_iter()
        .flat_map(|recovery| recovery.recovered)
        .map(|recovered| recovered.response)
        .collect();
    assert!(!answers.is_empty());
    assert_eq!(answers.iter().filter(|answer| !answer.replayed).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|answer| answer.status == Status::Succeeded), "{answers:?}");
    for line in ["reserve lamp", "hold lamp", "pay 42", "ship lamp"] {
        assert_eq!(yard.shop.count(line), 1, "{line}");
    }
    let again = yard.recover().await;
    assert!(again.recovered.is_empty() && again.waiting.is_empty());
}

#[tokio::test]
async fn what_waits_for_a_person_is_left_alone_until_that_person_has_said() {
    let yard = Yard::new();
    yard.shop.then("reserve lamp", Act::HappenThenFail(Trouble::NoAnswer));
    yard.order("o").await.rests();
    let attempts = yard.stage.record("order", "o").await.unwrap().attempts;
    let recovery = yard.recover().await;
    assert!(recovery.recovered.is_empty(), "{recovery:?}");
    assert!(recovery.waiting[0].1.contains("reserve[o/0]"), "{recovery:?}");
    assert_eq!(yard.stage.record("order", "o").await.unwrap().attempts, attempts);

    yard.resolve("reserve", "o/0", Resolved::Happened { result: "1".into() }).await;
    let recovery = yard.recover().await;
    assert_eq!(recovery.recovered[0].response.status, Status::Succeeded);
    assert_eq!(yard.shop.stands().len(), 4);
}

#[tokio::test]
async fn a_failed_undoing_waits_for_a_person_and_then_is_taken_up() {
    let yard = Yard::new();
    yard.stick("o").await;
    let recovery = yard.recover().await;
    assert!(recovery.waiting[0].1.contains("hold.rollback[o/1]"), "{recovery:?}");
    // That it did not happen lets it be tried again.
    let resolved = Resolved::DidNotHappen { holder_is_dead: true };
    yard.resolve("hold.rollback", "o/1", resolved).await;
    let recovery = yard.recover().await;
    assert_eq!(recovery.recovered[0].response.status, Status::Failed, "it was undone");
    assert_eq!(yard.shop.stands(), Vec::<String>::new());
    yard.order("o").await.undone(&[1, 0]);
}

#[tokio::test]
async fn an_undoing_that_a_person_gives_up_lets_the_saga_end_and_is_told() {
    let yard = Yard::new();
    yard.stick("o").await;
    yard.resolve("hold.rollback", "o/1", Resolved::Abandoned).await;
    let recovery = yard.recover().await;
    let response = &recovery.recovered[0].response;
    assert_eq!(response.status, Status::Failed, "{recovery:?}");
    assert_eq!(yard.shop.stands(), ["hold lamp"], "nothing is tried again");
    assert!(response.message.as_ref().unwrap().contains("1 given up by a person"), "{response:?}");
    let told = serde_json::to_value(response).unwrap().to_string();
    assert!(told.contains(r#""given_up":true,"step":1"#), "{told}");
}

#[tokio::test]
async fn who_died_while_a_person_was_waited_for_had_more_to_undo() {
    let yard = Yard::new();
    yard.shop.then("pay 42", Act::Fail(Trouble::Closed));
    yard.shop.then_times(5, "unhold lamp", &Act::Fail(Trouble::Down));
    yard.shop.then("unreserve lamp", Act::Hang);
    yard.shop.then_times(5, "unhold lamp", &Act::Fail(Trouble::Down));
    yard.die_within("o", |shop| shop.has_tried("unreserve lamp")).await;
    yard.let_leases_lapse();
    // What failed does not keep the rest from being undone, in this process either.
    let recovery = yard.recover().await;
    assert_eq!(recovery.recovered[0].response.status, Status::Unknown, "{recovery:?}");
    assert_eq!(yard.shop.stands(), ["hold lamp"]);
    let recovery = yard.recover().await;
    assert!(recovery.recovered.is_empty(), "{recovery:?}");
    assert!(recovery.waiting[0].1.contains("hold.rollback[o/1]"), "{recovery:?}");
}

#[tokio::test]
async fn what_the_call_bound_is_bound_again() {
    let yard = Yard::new();
    yard.shop.then("reserve lamp", Act::HappenThenFail(Trouble::NoAnswer));
    let call = || {
        let bound = serde_json::json!({ "prices": 7 });
        order("lamp".into(), 42).key("o").fingerprint(&bound).correlation_id("c-1")
    };
    assert!(yard.through(call().call(&yard.runtime)).await.is_err());
    yard.resolve("reserve", "o/0", Resolved::Happened { result: "1".into() }).await;
    let recovery = yard.recover().await;
    assert_eq!(recovery.recovered[0].response.status, Status::Succeeded, "{recovery:?}");
    assert!(yard.through(call().call(&yard.runtime)).await.unwrap().replayed());
    let shipped = yard.stage.record("ship", "o/3").await.unwrap();
    assert_eq!(shipped.correlation_id.as_deref(), Some("c-1"));
}

/// A step with a secret, and then a payment.
#[saga(state(Shop))]
async fn send_sealed(saga: Saga, item: String) -> Result<(), Failed> {
    saga.step(seal(item, "1234".into())).await?;
    saga.pivot(bill(42)).await?;
    Ok(())
}

#[tokio::test]
async fn a_secret_step_is_undone_by_who_still_holds_its_secret() {
    let yard = Yard::new();
    yard.shop.then("pay 42", Act::Fail(Trouble::Closed));
    let called = yard.through(send_sealed("lamp".into()).key("s").call(&yard.runtime)).await;
    assert!(called.unwrap().into_inner().finished().is_err());
    assert_eq!(yard.shop.stands(), Vec::<String>::new());
    for (tool, key) in [("seal", "s/0"), ("seal.rollback", "s/0")] {
        let record = yard.stage.record(tool, key).await.unwrap();
        assert_eq!(record.state.name(), StateName::Succeeded);
        assert!(!record.arguments.contains("1234"), "{tool}: {}", record.arguments);
    }
}
