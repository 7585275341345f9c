//! The ledger on a store that forgets nothing and lets others in between.

#[cfg(feature = "postgres")]
pub(in crate::ledger) mod differential;
pub(in crate::ledger) mod fake;

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use self::fake::{FakeStore, Mishap};
use super::*;
use crate::clock::Clock as _;
use crate::ledger::conformance::{self, Subject, call, happened, key, terms, unknown};
use crate::ledger::{Claim, LedgerError, State, StateName, Terms, Timestamp};
use crate::testing::ManualClock;
use tool_contract_spec::policy::Remint;

const LEASE: Duration = Duration::from_secs(10);

/// A store whose clock is not its clients'.
struct Place {
    store: FakeStore,
    /// The store's clock.
    server: Arc<ManualClock>,
    /// The clients'.
    client: Arc<ManualClock>,
}

impl Place {
    fn new() -> Self {
        let (server, client) = (Arc::new(ManualClock::new()), Arc::new(ManualClock::new()));
        server.step_wall(3_600_000);
        Self { store: FakeStore::new(Arc::clone(&server) as _), server, client }
    }

    fn ledger(&self) -> SharedLedger<FakeStore> {
        SharedLedger::new(self.store.clone(), Arc::clone(&self.client) as _)
    }

    /// A ledger that has been told the time, and has fences.
    async fn warm(&self) -> SharedLedger<FakeStore> {
        let ledger = self.ledger();
        claim(&ledger, "warm").await;
        self.store.exchanges();
        ledger
    }

    fn pass(&self, span: Duration) {
        self.server.advance(span);
        self.client.advance(span);
    }
}

async fn claim(ledger: &impl Ledger, name: &str) -> Claim {
    match ledger.admit(&call(1, &key(name))).await.unwrap() {
        Admitted::Claimed(claim) => claim,
        other => panic!("not claimed: {other:?}"),
    }
}

async fn settle_as(ledger: &impl Ledger, name: &str, fence: Fence, verdict: Verdict) -> Settled {
    let settlement = Settlement { id: key(name), fence, used: 1, verdict, attempts: Vec::new() };
    ledger.settle(&settlement).await.unwrap()
}

async fn state(ledger: &impl Ledger, name: &str) -> StateName {
    ledger.find(key(name)).await.unwrap().expect("a record").state.name()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_conforms() {
    conformance::run(|| async {
        let clock = Arc::new(ManualClock::new());
        let store = FakeStore::new(Arc::clone(&clock) as _);
        let ledger = SharedLedger::new(store, Arc::clone(&clock) as _);
        Subject::new(ledger, move |span| {
            clock.advance(span);
            std::future::ready(())
        })
    })
    .await;
}

// ---- round trips ----

#[tokio::test]
async fn a_claim_a_settlement_and_a_replay_take_one_round_trip_each() {
    let place = Place::new();
    let ledger = place.warm().await;
    let held = claim(&ledger, "k").await;
    assert_eq!(place.store.exchanges(), 1);
    settle_as(&ledger, "k", held.fence, happened("7")).await;
    assert_eq!(place.store.exchanges(), 1);
    assert!(matches!(ledger.admit(&call(2, &key("k"))).await, Ok(Admitted::Replay(_))));
    assert_eq!(place.store.exchanges(), 1);
    // Another process knows nothing of it, and is told in one as well.
    let other = place.warm().await;
    assert!(matches!(other.admit(&call(3, &key("k"))).await, Ok(Admitted::Replay(_))));
    assert_eq!(place.store.exchanges(), 1);
}

#[tokio::test]
async fn what_is_written_under_a_lost_reply_is_found_again() {
    let place = Place::new();
    let ledger = place.warm().await;
    place.store.fail_next(Mishap::ReplyLost);
    assert!(matches!(ledger.admit(&call(1, &key("k"))).await, Err(LedgerError::Unavailable(_))));
    let held = claim(&ledger, "k").await;
    for mishap in [Mishap::ReplyLost, Mishap::Lost] {
        place.store.fail_next(mishap);
        let settlement = Settlement {
            id: key("k"),
            fence: held.fence,
            used: 1,
            verdict: happened("7"),
            attempts: Vec::new(),
        };
        let settled = ledger.settle(&settlement).await;
        // What is on record already writes nothing, and so nothing is lost.
        assert_eq!(settled.is_err(), mishap == Mishap::ReplyLost);
        assert_eq!(ledger.settle(&settlement).await, Ok(Settled::Recorded { escalation: None }));
    }
}

// ---- time ----

#[tokio::test]
async fn no_holder_believes_in_its_lease_for_longer_than_the_ledger() {
    let place = Place::new();
    let ledger = place.warm().await;
    // The store's clock runs ahead of what the client was told.
    place.server.advance(Duration::from_secs(3));
    let begun = place.server.now();
    let held = claim(&ledger, "k").await;
    let believed = held.lease_until.since(held.now);
    assert!(begun.after(believed) <= held.lease_until, "{held:?}");
    assert!(believed < LEASE);
    // From then on it knows better.
    let Renewed::Until { lease_until, now } =
        ledger.renew(key("k"), held.fence, None).await.unwrap()
    else {
        panic!("it holds")
    };
    assert_eq!(lease_until.since(now), LEASE);
}

#[tokio::test]
async fn a_date_that_is_too_old_is_not_taken() {
    let place = Place::new();
    let ledger = place.warm().await;
    place.server.advance(Put::OLDEST + Duration::from_millis(1));
    let held = claim(&ledger, "k").await;
    assert_eq!((held.lease_until, place.store.exchanges()), (place.server.now().after(LEASE), 2));
}

#[tokio::test]
async fn a_store_whose_clock_is_set_back_is_followed() {
    let place = Place::new();
    let ledger = place.warm().await;
    place.server.step_wall(-3_600_000);
    let held = claim(&ledger, "k").await;
    assert_eq!(held.lease_until, place.server.now().after(LEASE));
}

#[tokio::test]
async fn a_clients_clock_decides_nothing() {
    let place = Place::new();
    let ledger = place.warm().await;
    place.client.step_wall(86_400_000);
    claim(&ledger, "k").await;
    place.pass(LEASE.saturating_sub(Duration::from_millis(1)));
    let refused = ledger.admit(&call(2, &key("k"))).await.unwrap();
    assert!(matches!(refused, Admitted::Refused(Refusal::InFlight { .. })), "{refused:?}");
    place.pass(Duration::from_millis(1));
    let refused = ledger.admit(&call(2, &key("k"))).await.unwrap();
    assert!(matches!(refused, Admitted::Refused(Refusal::Unknown { .. })), "{refused:?}");
}

#[tokio::test]
async fn what_is_unknown_is_not_dated_before_it_was_said() {
    let place = Place::new();
    let ledger = place.warm().await;
    let held = claim(&ledger, "k").await;
    // The client cannot know how late it is.
    place.server.advance(Duration::from_secs(3));
    settle_as(&ledger, "k", held.fence, unknown()).await;
    let record = ledger.find(key("k")).await.unwrap().unwrap();
    let State::Unknown(unknown) = record.state else { panic!("{record:?}") };
    assert_eq!(unknown.believed_from, Some(place.server.now().after(terms().settle)));
}

// ---- others ----

#[tokio::test]
async fn what_another_changed_meanwhile_is_seen() {
    let place = Place::new();
    let (one, other) = (place.warm().await, place.ledger());
    let held = claim(&one, "k").await;
    place.pass(LEASE);
    // The other one notices that the lease ran out.
    assert!(matches!(other.admit(&call(2, &key("k"))).await, Ok(Admitted::Refused(_))));
    assert_eq!(state(&other, "k").await, StateName::Unknown);
    // It builds on what it wrote, is told better, and the late truth counts.
    let settled = settle_as(&one, "k", held.fence, happened("7")).await;
    assert_eq!(settled, Settled::Recorded { escalation: None });
    assert_eq!(state(&one, "k").await, StateName::Succeeded);
}

#[tokio::test]
async fn an_older_block_of_fences_is_given_up_where_a_newer_was_used() {
    let place = Place::new();
    let repeatable = |caller, name: &str| Admission {
        terms: Terms { repeatable: true, ..terms() }.into(),
        ..call(caller, &key(name))
    };
    let (old, new) = (place.warm().await, place.ledger());
    let Ok(Admitted::Claimed(first)) = new.admit(&repeatable(1, "k")).await else { panic!() };
    place.pass(LEASE);
    let Ok(Admitted::Claimed(second)) = old.admit(&repeatable(2, "k")).await else { panic!() };
    assert!(second.fence > first.fence);
}

/// A call with one intent, that is refused where a twin speaks.
fn twin(caller: u128, name: &str) -> Admission {
    Admission {
        hash: conformance::hash(1),
        terms: Terms { remint: Remint::Reject, ..terms() }.into(),
        ..call(caller, &key(name))
    }
}

/// Whoever has looked for twins knows the newest of them: that there is another
/// must show.
#[tokio::test]
async fn a_twin_from_an_older_block_is_seen_all_the_same() {
    let place = Place::new();
    let (old, new) = (place.warm().await, place.warm().await);
    let Ok(Admitted::Claimed(first)) = new.admit(&twin(1, "a")).await else { panic!() };
    settle_as(&new, "a", first.fence, Verdict::Released { delay: Duration::ZERO }).await;
    let Ok(Admitted::Claimed(second)) = old.admit(&twin(2, "b")).await else { panic!() };
    assert!(second.fence > first.fence);
}

/// An old twin's new claim may be older than the newest twin's: it must show.
#[tokio::test]
async fn an_old_twin_that_is_claimed_again_is_seen() {
    let place = Place::new();
    let (old, new) = (place.warm().await, place.warm().await);
    for (ledger, name) in [(&old, "a"), (&new, "b")] {
        let Ok(Admitted::Claimed(held)) = ledger.admit(&twin(1, name)).await else { panic!() };
        settle_as(ledger, name, held.fence, Verdict::Released { delay: Duration::ZERO }).await;
    }
    let third = twin(2, "c");
    let mut admitted = new.admit(&third);
    // It has looked, and not written yet.
    assert!(poll_fn(|cx| Poll::Ready(admitted.as_mut().poll(cx).is_pending())).await);
    let Ok(Admitted::Claimed(_)) = old.admit(&twin(3, "a")).await else { panic!() };
    let admitted = admitted.await.unwrap();
    assert!(
        matches!(&admitted, Admitted::Refused(Refusal::Reminted { first, .. }) if first.as_str() == "a"),
        "{admitted:?}"
    );
    assert_eq!(old.find(key("c")).await, Ok(None));
}

#[tokio::test]
async fn a_fence_that_was_given_back_is_not_given_back_again() {
    let place = Place::new();
    let ledger = place.warm().await;
    let held = claim(&ledger, "k").await;
    // Another one changes it, so that the settlement is told what there is; it
    // takes no fence, and meanwhile another claim takes the one that it left.
    let other = place.ledger();
    let renewed = other.renew(key("k"), held.fence, None).await.unwrap();
    assert!(matches!(renewed, Renewed::Until { .. }));
    let settling = settle_as(&ledger, "k", held.fence, happened("7"));
    let (_, between) = tokio::join!(settling, claim(&ledger, "between"));
    let after = claim(&ledger, "after").await;
    assert_ne!(between.fence, after.fence);
}

/// Many at once neither use up nor reserve more than they need.
#[tokio::test]
async fn replays_leave_their_fences() {
    let place = Place::new();
    let ledger = Arc::new(place.warm().await);
    let held = claim(&*ledger, "k").await;
    settle_as(&*ledger, "k", held.fence, happened("7")).await;
    let mut replays = tokio::task::JoinSet::new();
    for caller in 0..1_000 {
        let ledger = Arc::clone(&ledger);
        replays.spawn(async move { ledger.admit(&call(caller, &key("k"))).await });
    }
    replays.join_all().await;
    assert!(claim(&*ledger, "next").await.fence.0 < 2_000);
    // All thousand that were out at once are to be had again.
    for number in 0..500 {
        assert!(claim(&*ledger, &format!("n{number}")).await.fence.0 < 2_000);
    }
}

#[tokio::test]
async fn a_sequence_that_was_set_back_is_no_ledger() {
    let place = Place::new();
    place.store.set_fence(10_000);
    let ledger = place.ledger();
    let held = claim(&ledger, "k").await;
    settle_as(&ledger, "k", held.fence, Verdict::Released { delay: Duration::ZERO }).await;
    place.store.set_fence(0);
    let other = place.ledger();
    let admitted = other.admit(&call(2, &key("k"))).await;
    assert!(matches!(admitted, Err(LedgerError::Corrupt(_))), "{admitted:?}");
    assert_eq!(state(&ledger, "k").await, StateName::Released);
}

#[tokio::test]
async fn time_begins_with_the_stores_word() {
    let place = Place::new();
    let held = claim(&place.ledger(), "k").await;
    assert!(held.now > Timestamp::ZERO);
    assert_eq!(held.lease_until, place.server.now().after(LEASE));
}
