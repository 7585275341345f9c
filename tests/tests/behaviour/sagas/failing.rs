//! What fails, and how it is undone.

use tool_contract::ledger::{EventKind, Query, Reconciled, Resolved, StateName};
use tool_contract::{Cx, Done, Saga, saga, tool};

use super::shop::{Act, Failed, Shop, bill, gather, reserve, ship};
use super::yard::{Ended, Yard};
use crate::stage::secs;
use crate::world::Trouble;

#[tokio::test]
async fn what_happened_before_a_failure_is_undone_newest_first() {
    Yard::each(|yard| async move {
        let failures: [(&str, &[u32], &[&str]); 3] = [
            ("reserve lamp", &[], &[]),
            ("hold lamp", &[0], &["unreserve lamp"]),
            ("pay 42", &[1, 0], &["unhold lamp", "unreserve lamp"]),
        ];
        for (number, (what, undone, log)) in failures.into_iter().enumerate() {
            let key = format!("o-{number}");
            let before = yard.shop.log().len();
            yard.shop.then(what, Act::Fail(Trouble::Closed));
            let error = yard.order(&key).await.undone(undone).to_owned();
            assert!(error.contains("closed for good"), "{error}");
            let happened = yard.shop.log()[before..].to_vec();
            let steps: Vec<_> = happened.iter().filter(|line| line.starts_with("un")).collect();
            assert_eq!(steps, log, "{happened:?}");
            assert_eq!(yard.shop.stands(), Vec::<String>::new());

            // It is what the key comes to, for good.
            let tried = yard.shop.tried();
            yard.order_on(&yard.another(), &key).await.undone(undone);
            assert_eq!(yard.shop.tried(), tried);
        }
        let unwinding = yard.kinds("o-2").await;
        assert!(unwinding.contains(&EventKind::Unwinding));
        assert_eq!(yard.state("hold.rollback", "o-2/1").await, Some(StateName::Succeeded));
    })
    .await;
}

/// Hand an item over, twice at most.
#[tool(
    side_effect = "write",
    idempotent,
    retry(max = 2, max_total = 2, on = "retryable", backoff = "constant", base = "1s"),
    rollback = "take_back",
    state(Shop)
)]
async fn hand_over(cx: &Cx, item: String) -> Result<u32, Trouble> {
    cx.state::<Shop>().act(&format!("hand {item}")).await
}

async fn take_back(_: Done<HandOver>) -> Result<(), Trouble> {
    unreachable!("it never happened")
}

/// Reserve an item, and hand it over.
#[saga(state(Shop))]
async fn errand(saga: Saga, item: String) -> Result<u32, Failed> {
    saga.step(reserve(item.clone())).await?;
    saga.step(hand_over(item)).await
}

#[tokio::test]
async fn a_step_that_uses_up_its_attempts_waits_for_nobody_since_its_saga_is_undone() {
    Yard::each(|yard| async move {
        yard.shop.then_times(2, "hand lamp", &Act::Fail(Trouble::Down));
        let call = errand("lamp".into()).key("o").call(&yard.runtime);
        let undone = yard.through(call).await.unwrap().into_inner().finished().unwrap_err();
        assert_eq!(undone.steps.len(), 1, "{undone}");
        assert_eq!(yard.state("hand_over", "o/1").await, Some(StateName::Released));
        let queue = yard.runtime.escalations().list(Query::default()).await.unwrap();
        assert!(queue.is_empty(), "{queue:?}");
        // Beside an undone saga nobody says that it was done by hand.
        let said = yard.say("hand_over", "o/1", Resolved::Happened { result: "7".into() }).await;
        assert!(matches!(said, Reconciled::Superseded { .. }), "{said:?}");
    })
    .await;
}

#[tokio::test]
async fn after_the_pivot_nothing_is_undone_and_it_goes_forward() {
    Yard::each(|yard| async move {
        yard.shop.then_times(3, "ship lamp", &Act::Fail(Trouble::Down));
        yard.order("o").await.finished();
        assert_eq!(yard.shop.count("ship lamp"), 1);
        assert_eq!(yard.shop.stands().len(), 4);
    })
    .await;
}

#[tokio::test]
async fn what_fails_for_good_after_the_pivot_is_not_tried_again_before_a_person_lets_it() {
    Yard::each(|yard| async move {
        yard.shop.then("ship lamp", Act::Fail(Trouble::Closed));
        let mut names = Vec::new();
        for _ in 0..3 {
            let rests = yard.order("p").await;
            for part in ["after its point of no return", "`ship` [p/3]"] {
                assert!(rests.rests().contains(part), "{rests:?}");
            }
            let Ended::Rests(unknown) = rests else { unreachable!() };
            let told = unknown.to_string();
            assert!(told.contains("call it again with this key"), "{told}");
            assert!(!told.contains("no call with this key"), "{told}");
            names.extend(unknown.escalation);
        }
        assert!(names.len() == 3 && names.iter().all(|name| *name == names[0]), "{names:?}");
        let shipped = yard.shop.tried().into_iter().filter(|line| line == "ship lamp");
        assert_eq!(shipped.count(), 1);
        assert_eq!(yard.shop.stands(), ["reserve lamp", "hold lamp", "pay 42"]);
        assert!(!yard.kinds("p").await.contains(&EventKind::Unwinding));
        let recovery = yard.recover().await;
        assert!(recovery.recovered.is_empty(), "{recovery:?}");
        assert!(recovery.waiting[0].1.contains("ship[p/3]"), "{recovery:?}");

        yard.resolve("ship", "p/3", Resolved::Reopened).await;
        yard.order("p").await.finished();
    })
    .await;
}

#[tokio::test]
async fn a_saga_that_waits_for_a_person_is_not_said_to_want_time() {
    let yard = Yard::new();
    yard.shop.then_times(20, "ship lamp", &Act::Fail(Trouble::Down));
    while yard.state("ship", "o/3").await != Some(StateName::Exhausted) {
        yard.order("o").await.rests();
    }
    let before = yard.decided("o").await.len();
    yard.order("o").await.rests();
    let decided = yard.decided("o").await;
    assert_eq!(
        decided[before..],
        [
            "escalate: it may have happened; no other attempt would change that; there is no reconcile function"
        ]
    );
    assert!(decided.iter().all(|decided| !decided.contains("no time left")), "{decided:?}");
}

#[tokio::test]
async fn after_the_pivot_a_step_that_a_person_gives_up_leaves_the_end_to_that_person() {
    let yard = Yard::new();
    yard.shop.then("ship lamp", Act::Fail(Trouble::Closed));
    yard.order("o").await.rests();
    yard.resolve("ship", "o/3", Resolved::Abandoned).await;
    let rests = yard.order("o").await;
    assert!(rests.rests().contains("ada gave it up"), "{rests:?}");
    yard.resolve("order", "o", Resolved::Happened { result: r#"{"finished":7}"#.into() }).await;
    yard.order("o").await.finished();
    assert_eq!(yard.shop.count("ship lamp"), 0);
}

#[tokio::test]
async fn an_unknown_step_that_happened_goes_on() {
    Yard::each(|yard| async move {
        yard.shop.then("hold lamp", Act::HappenThenFail(Trouble::NoAnswer));
        yard.order("o").await.finished();
        assert_eq!(yard.shop.count("hold lamp"), 1);
    })
    .await;
}

#[tokio::test]
async fn an_unknown_step_that_did_not_happen_is_not_undone() {
    Yard::each(|yard| async move {
        yard.shop.then("pay 42", Act::Fail(Trouble::NoAnswer));
        yard.order("o").await.undone(&[1, 0]);
        assert_eq!(yard.shop.count("pay 42"), 0);
        assert_eq!(yard.shop.stands(), Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn as_long_as_a_step_is_unknown_nothing_is_undone() {
    Yard::each(|yard| async move {
        // Nothing but a person can tell what came of a reservation.
        yard.shop.then("reserve lamp", Act::HappenThenFail(Trouble::NoAnswer));
        let rests = yard.order("o").await;
        assert!(rests.rests().contains("`reserve` [o/0]"), "{rests:?}");
        assert!(matches!(rests, Ended::Rests(unknown) if unknown.escalation.is_some()));
        assert_eq!(yard.state("order", "o").await, Some(StateName::Unknown));
        assert!(!yard.kinds("o").await.contains(&EventKind::Unwinding));
        // To ask again changes nothing.
        yard.order("o").await.rests();
        assert_eq!(yard.shop.tried(), ["reserve lamp"]);
        // Once a person says, it goes on: forward, for it never gave up.
        yard.resolve("reserve", "o/0", Resolved::Happened { result: "1".into() }).await;
        yard.order("o").await.finished();
        assert_eq!(yard.shop.count("reserve lamp"), 1);
        assert_eq!(yard.shop.stands().len(), 4);
    })
    .await;
}

#[tokio::test]
async fn beside_an_unknown_step_a_failure_undoes_nothing() {
    Yard::each(|yard| async move {
        yard.shop.then("reserve a", Act::Fail(Trouble::Closed));
        yard.shop.then("reserve c", Act::HappenThenFail(Trouble::NoAnswer));
        let call = || gather(["a", "b", "c"].map(str::to_owned).to_vec()).key("g");
        let rests = yard.through(call().call(&yard.runtime)).await.unwrap_err();
        assert!(rests.to_string().contains("`reserve` [g/2]"), "{rests}");
        assert_eq!(yard.shop.stands(), ["reserve b", "reserve c"]);
        yard.resolve("reserve", "g/2", Resolved::Happened { result: "1".into() }).await;
        let undone = yard.through(call().call(&yard.runtime)).await.unwrap().into_inner();
        let undone = undone.finished().unwrap_err();
        let numbers: Vec<_> = undone.steps.iter().map(|step| step.step).collect();
        assert_eq!(numbers, [2, 1]);
        assert_eq!(yard.shop.stands(), Vec::<String>::new());
        assert_eq!(yard.shop.count("reserve a"), 0, "what failed in it stays failed");
    })
    .await;
}

#[tokio::test]
async fn what_undoes_a_step_is_tried_again() {
    Yard::each(|yard| async move {
        yard.shop.then("pay 42", Act::Fail(Trouble::Closed));
        yard.shop.then("unhold lamp", Act::Fail(Trouble::Down));
        yard.shop.then("unhold lamp", Act::HappenThenFail(Trouble::NoAnswer));
        yard.order("o").await.undone(&[1, 0]);
        assert_eq!(yard.shop.count("unhold lamp"), 1);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_undone_rests_and_stops_no_other() {
    Yard::each(|yard| async move {
        yard.stick("o").await;
        assert_eq!(yard.shop.stands(), ["hold lamp"], "the other one is undone");
        let record = yard.stage.record("hold.rollback", "o/1").await.unwrap();
        assert_eq!(record.state.name(), StateName::Unknown);
        assert!(record.escalation.is_some(), "it is in the human queue");
        assert!(record.arguments.contains("lamp"), "with what a person needs");

        // A person does it by hand, says so, and the saga comes to its end.
        yard.resolve("hold.rollback", "o/1", Resolved::Happened { result: "null".into() }).await;
        yard.order("o").await.undone(&[1, 0]);
        assert_eq!(yard.shop.count("unhold lamp"), 0, "it was not called again");
        assert_eq!(yard.shop.count("unreserve lamp"), 1);
    })
    .await;
}

#[tokio::test]
async fn a_deadline_that_passes_undoes_what_happened() {
    let yard = Yard::new();
    yard.shop.then("hold lamp", Act::Fail(Trouble::Closed));
    yard.shop.then_times(2, "reserve lamp", &Act::Fail(Trouble::Down));
    let call = super::shop::order("lamp".into(), 42).key("o").deadline(secs(1));
    let called = yard.through(call.call(&yard.runtime)).await;
    drop(called);
    yard.through(yard.runtime.drain()).await;
    assert_eq!(yard.shop.stands(), Vec::<String>::new());
}

/// It reserves and pays as its mood is, which is no way to write a saga.
#[saga(state(Shop))]
async fn moody(saga: Saga, item: String) -> Result<u32, Failed> {
    let moody = |when: &str| match saga.cx().state::<Shop>().meet(when) {
        Some(_) => Err(Failed::Before { error: format!("no mood for {when}") }),
        None => Ok(()),
    };
    moody("beginning")?;
    saga.step(reserve(item.clone())).await?;
    moody("paying")?;
    let (_, saga) = saga.pivot(bill(42)).await?;
    saga.step(ship(item)).await
}

#[tokio::test]
async fn what_was_paid_for_stays_so_whatever_a_later_run_says() {
    let yard = Yard::new();
    let call = || moody("lamp".into()).key("m").call(&yard.runtime);
    yard.shop.then_times(3, "ship lamp", &Act::Fail(Trouble::Closed));
    assert!(yard.through(call()).await.is_err());
    yard.shop.then_times(3, "beginning", &Act::Panic);
    let rests = yard.through(call()).await.unwrap_err();
    assert!(rests.to_string().contains("after its point of no return"), "{rests}");
    assert_eq!(yard.shop.stands(), ["reserve lamp", "pay 42"]);
}

#[tokio::test]
async fn who_gave_up_for_a_mood_does_not_go_forward_in_another() {
    let yard = Yard::new();
    let call = || moody("lamp".into()).key("m").call(&yard.runtime);
    yard.shop.then("paying", Act::Panic);
    yard.shop.then_times(5, "unreserve lamp", &Act::Fail(Trouble::Down));
    assert!(yard.through(call()).await.is_err(), "it cannot be undone yet");
    let undone = yard.through(call()).await.unwrap().into_inner().finished().unwrap_err();
    assert!(undone.error.contains("no mood for paying"), "{undone}");
    assert_eq!(yard.shop.stands(), Vec::<String>::new());
    assert_eq!(yard.shop.count("pay 42"), 0);
}
