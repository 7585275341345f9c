//! Tools that reserve first: whatever goes wrong wherever, in the end there is one
//! booking or none, and nothing is held that nobody will commit.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use tool_contract::ledger::{Query, Resolved};
use tool_contract::spec::rulebook::Code;
use tool_contract::two_phase::{PhaseError, Reserved};
use tool_contract::{
    Asked, CallError, Cause, Completed, Cx, OutcomeClass, Runtime, ToolError, tool,
};

use crate::stage::{Ending, Stage, secs};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, ToolError)]
enum HotelError {
    #[error("no such room")]
    #[outcome(validation_failure)]
    Refused,
    #[error("too many requests")]
    #[outcome(retryable_failure(rate_limited))]
    Busy,
    #[error("no route")]
    #[outcome(retryable_failure(network))]
    NoRoute,
    #[error("no answer")]
    #[outcome(side_effect_unknown)]
    NoAnswer,
}

type Answer<T> = Result<T, HotelError>;

/// What a request meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meets {
    Nothing,
    Refusal,
    Crowd,
    /// It does not arrive, and the client knows.
    NoRoute,
    /// It does not arrive, and nobody knows.
    Loss,
    /// It arrives, and its answer does not.
    LostReply,
    /// It arrives, and its client believes that it did not.
    WrongClient,
    /// The body panics before it asks.
    Panic,
    /// It arrives, and then the body panics.
    LatePanic,
}

/// What can be asked of the hotel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Hold,
    Book,
    Find,
    Cancel,
}

/// A hotel that knows of each id whether it is held or booked.
#[derive(Debug, Clone, Default)]
struct Hotel(Arc<Mutex<Inside>>);

#[derive(Debug, Default)]
struct Inside {
    /// By tracking id: whether it is booked.
    rooms: BTreeMap<String, bool>,
    script: BTreeMap<Step, VecDeque<Meets>>,
    booked: u32,
    cancelled: u32,
}

impl Hotel {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn then(&self, step: Step, meets: Meets) {
        self.inside().script.entry(step).or_default().push_back(meets);
    }

    /// How many are held, and how many are booked; how often it was booked.
    fn count(&self) -> (usize, usize, u32) {
        let inside = self.inside();
        let booked = inside.rooms.values().filter(|booked| **booked).count();
        (inside.rooms.len() - booked, booked, inside.booked)
    }

    async fn ask<T>(&self, step: Step, act: impl FnOnce(&mut Inside) -> Answer<T>) -> Answer<T> {
        tokio::task::yield_now().await;
        let next = self.inside().script.get_mut(&step).and_then(VecDeque::pop_front);
        let arrive = || act(&mut self.inside());
        match next.unwrap_or(Meets::Nothing) {
            Meets::Nothing => arrive(),
            Meets::Refusal => Err(HotelError::Refused),
            Meets::Crowd => Err(HotelError::Busy),
            Meets::NoRoute => Err(HotelError::NoRoute),
            Meets::Loss => Err(HotelError::NoAnswer),
            Meets::LostReply => arrive().and(Err(HotelError::NoAnswer)),
            Meets::WrongClient => arrive().and(Err(HotelError::NoRoute)),
            Meets::Panic => panic!("torn before"),
            Meets::LatePanic => {
                let _ = arrive();
                panic!("torn after")
            }
        }
    }

    async fn hold(&self, id: &str) -> Answer<()> {
        self.ask(Step::Hold, |inside| {
            inside.rooms.entry(id.to_owned()).or_insert(false);
            Ok(())
        })
        .await
    }

    async fn book(&self, id: &str) -> Answer<u32> {
        self.ask(Step::Book, |inside| {
            let booked = inside.rooms.get_mut(id).ok_or(HotelError::Refused)?;
            inside.booked += u32::from(!std::mem::replace(booked, true));
            Ok(7)
        })
        .await
    }

    async fn find(&self, id: &str) -> Answer<Reserved<(), u32>> {
        self.ask(Step::Find, |inside| {
            Ok(match inside.rooms.get(id) {
                None => Reserved::Absent,
                Some(false) => Reserved::Prepared(()),
                Some(true) => Reserved::Committed(7),
            })
        })
        .await
    }

    async fn cancel(&self, id: &str) -> Answer<()> {
        self.ask(Step::Cancel, |inside| match inside.rooms.get(id) {
            Some(true) => Err(HotelError::Refused),
            _ => {
                inside.cancelled += u32::from(inside.rooms.remove(id).is_some());
                Ok(())
            }
        })
        .await
    }
}

async fn reserve(cx: &Cx) -> Result<u32, PhaseError<HotelError>> {
    let hotel = cx.state::<Hotel>();
    cx.two_phase()
        .prepare(|id| async move { hotel.hold(&id).await })
        .await?
        .commit(|id, ()| async move { hotel.book(&id).await })
        .await
}

/// Book a room; what is held when nobody knows is booked.
#[tool(
    side_effect = "write",
    idempotent,
    retry(max = 2, on = "retryable", backoff = "constant", base = "1s", jitter = "none"),
    rollback = "none",
    reconcile(with = "commit_found", settle = "10s"),
    state(Hotel)
)]
async fn book_forward(cx: &Cx) -> Result<u32, PhaseError<HotelError>> {
    reserve(cx).await
}

async fn commit_found(asked: Asked<BookForward>) -> Answer<Option<u32>> {
    let hotel = asked.cx().state::<Hotel>();
    assert_eq!(asked.tracking_id(), asked.cx().two_phase().tracking_id());
    let looked = asked.two_phase().look(|id| async move { hotel.find(&id).await }).await?;
    looked.or_commit(|id, ()| async move { hotel.book(&id).await }).await
}

/// Book a room; what is held when nobody knows is let go.
#[tool(
    side_effect = "write",
    idempotent,
    retry(max = 2, on = "retryable", backoff = "constant", base = "1s", jitter = "none"),
    rollback = "none",
    reconcile(with = "cancel_found", settle = "10s"),
    state(Hotel)
)]
async fn book_back(cx: &Cx) -> Result<u32, PhaseError<HotelError>> {
    reserve(cx).await
}

async fn cancel_found(asked: Asked<BookBack>) -> Answer<Option<u32>> {
    let hotel = asked.cx().state::<Hotel>();
    let looked = asked.two_phase().look(|id| async move { hotel.find(&id).await }).await?;
    looked.or_cancel(|id, ()| async move { hotel.cancel(&id).await }).await
}

/// Book a room; a person finds out.
#[tool(side_effect = "write", idempotent, rollback = "none", state(Hotel))]
async fn book_alone(cx: &Cx) -> Result<u32, PhaseError<HotelError>> {
    reserve(cx).await
}

type Called = Result<Completed<u32>, CallError<PhaseError<HotelError>>>;

/// Books, and what is held when nobody knows is booked or let go.
async fn book(runtime: &Runtime, forward: bool) -> Called {
    if forward {
        book_forward().key("k").call(runtime).await
    } else {
        book_back().key("k").call(runtime).await
    }
}

fn set() -> (Stage, Runtime, Hotel) {
    let (stage, hotel) = (Stage::new(), Hotel::default());
    let runtime = stage.builder().state(hotel.clone()).build().unwrap();
    (stage, runtime, hotel)
}

const MEETS: [Meets; 9] = [
    Meets::Nothing,
    Meets::Refusal,
    Meets::Crowd,
    Meets::NoRoute,
    Meets::Loss,
    Meets::LostReply,
    Meets::WrongClient,
    Meets::Panic,
    Meets::LatePanic,
];

/// Everything that can go wrong when it holds and when it books, each twice over,
/// and when somebody looks.
fn troubles() -> impl Iterator<Item = Vec<(Step, Meets)>> {
    MEETS.into_iter().flat_map(|hold| {
        MEETS.into_iter().flat_map(move |book| {
            [(Meets::Nothing, Meets::Nothing), (book, Meets::Loss), (hold, Meets::LostReply)].map(
                |(again, look)| {
                    let steps = [Step::Hold, Step::Book, Step::Book, Step::Find, Step::Cancel];
                    steps.into_iter().zip([hold, book, again, look, look]).collect()
                },
            )
        })
    })
}

/// Calls again and again with one key, as a patient caller does, until somebody
/// says the last word.
async fn last_word<F: Future<Output = Called>>(stage: &Stage, call: impl Fn() -> F) -> Called {
    for _ in 0..5 {
        let called = call().await;
        if called.is_ok() {
            return called;
        }
        stage.clock.advance(secs(60));
    }
    call().await
}

#[tokio::test]
async fn there_is_one_booking_or_none_wherever_it_goes_wrong() {
    let mut booked_in_the_end = 0;
    for trouble in troubles() {
        for forward in [true, false] {
            let (stage, runtime, hotel) = set();
            trouble.iter().for_each(|(step, meets)| hotel.then(*step, *meets));
            let called = last_word(&stage, || book(&runtime, forward)).await;
            let (held, booked, times) = hotel.count();
            assert!(times <= 1 && held == 0, "{trouble:?}: {held} held, booked {times} times");
            assert_eq!(booked == 1, called.is_ok(), "{trouble:?}: {called:?}");
            booked_in_the_end += usize::from(called.is_ok());
        }
    }
    assert_eq!(booked_in_the_end, 2 * troubles().count(), "each trouble passes");
}

#[tokio::test]
async fn what_a_first_call_says_is_what_the_world_looks_like() {
    for trouble in troubles() {
        let (_stage, runtime, hotel) = set();
        trouble.iter().for_each(|(step, meets)| hotel.then(*step, *meets));
        let called = book_alone().key("k").call(&runtime).await;
        let (_, booked, _) = hotel.count();
        match called {
            Ok(_) => assert_eq!(booked, 1, "{trouble:?}"),
            Err(CallError::Failed(..)) => assert_eq!(booked, 0, "{trouble:?}"),
            Err(CallError::Unknown(_)) => {}
            Err(other) => panic!("{trouble:?}: {other}"),
        }
    }
}

#[tokio::test]
async fn a_reservation_that_failed_is_without_effect_and_taken_up_again() {
    let (_stage, runtime, hotel) = set();
    hotel.then(Step::Hold, Meets::LostReply);
    book_alone().key("k").call(&runtime).await.failed();
    assert_eq!(hotel.count(), (1, 0, 0));
    let (stage, runtime, hotel) = set();
    hotel.then(Step::Hold, Meets::LostReply);
    let booked = book_forward().key("k").call(&runtime).await.unwrap();
    assert_eq!((booked.attempts(), hotel.count()), (2, (0, 1, 1)));
    drop(stage);
}

#[tokio::test]
async fn once_a_commit_began_only_an_answer_is_believed() {
    for (meets, is_known) in [
        (Meets::Refusal, true),
        (Meets::Crowd, true),
        (Meets::NoRoute, false),
        (Meets::WrongClient, false),
        (Meets::LostReply, false),
        (Meets::LatePanic, false),
    ] {
        let (_stage, runtime, hotel) = set();
        hotel.then(Step::Book, meets);
        let called = book_alone().key("k").call(&runtime).await;
        let failed = matches!(called, Err(CallError::Failed(..)));
        assert_eq!(failed, is_known, "{meets:?}: {called:?}");
    }
}

#[tokio::test]
async fn a_reservation_that_is_found_is_committed_or_cancelled() {
    for (forward, expected) in [(true, (1, 0)), (false, (2, 1))] {
        let (_stage, runtime, hotel) = set();
        hotel.then(Step::Book, Meets::Loss);
        let done = book(&runtime, forward).await.unwrap();
        let found = (done.attempts(), hotel.inside().cancelled);
        assert_eq!((found, hotel.count()), (expected, (0, 1, 1)), "forward: {forward}");
    }
}

#[tokio::test]
async fn without_a_reconcile_function_it_waits_for_a_person() {
    let (_stage, runtime, hotel) = set();
    hotel.then(Step::Book, Meets::LostReply);
    book_alone().key("k").call(&runtime).await.unknown();
    let queue = runtime.escalations();
    let waiting = queue.list(Query::default()).await.unwrap().remove(0);
    queue.resolve(&waiting, Resolved::Abandoned, "ada", "no trip").await.unwrap();
    book_alone().key("k").call(&runtime).await.refused(Code::ABANDONED);
    assert_eq!(hotel.count(), (0, 1, 1));
}

#[test]
fn an_error_says_in_which_phase_it_came() {
    let error = PhaseError::Prepare(HotelError::NoAnswer);
    assert_eq!(error.to_string(), "while reserving: no answer");
    assert_eq!(error.outcome().class, OutcomeClass::RetryableFailure(Cause::Unavailable));
    let error = PhaseError::Commit(HotelError::NoRoute);
    assert_eq!(error.to_string(), "while committing the reservation: no route");
    assert_eq!(error.outcome().class, OutcomeClass::SideEffectUnknown);
    assert_eq!(error.into_inner(), HotelError::NoRoute);
}

/// Look at a room, as if that reserved anything.
#[tool(side_effect = "read")]
async fn glance(cx: &Cx) -> Result<u32, HotelError> {
    let _ = cx.two_phase();
    Ok(1)
}

#[tokio::test]
async fn a_read_reserves_nothing() {
    let (_stage, runtime, _) = set();
    let failure = glance().call(&runtime).await.failed();
    assert!(failure.to_string().contains("a read has no key to reserve under"), "{failure}");
}
