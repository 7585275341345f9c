//! Finding out what happened.

use tool_contract::ledger::{EventKind, StateName};
use tool_contract::testing::{Fault, Step};
use tool_contract::{Asked, Cx, Failure, Runtime, tool};

use crate::slow::SlowLedger;
use crate::stage::{Ending, LEASE, Stage, ms, others, secs, soon};
use crate::tools::{Book, Books, Glance, book};
use crate::world::{Act, Gate, Trouble, World};

/// A runtime with books to look into.
fn with_books(stage: &Stage) -> (Runtime, Books) {
    let books = Books::default();
    (stage.builder().state(books.clone()).build().unwrap(), books)
}

#[tokio::test]
async fn what_happened_is_recorded_as_the_result() {
    let stage = Stage::new();
    let (runtime, books) = with_books(&stage);
    stage.world.then(Act::HappenThenFail(Trouble::NoAnswer));
    let done = book("s".into()).key("k").call(&runtime).await.unwrap();
    // This call ran it, and has its result from the books.
    assert_eq!((*done, done.replayed(), done.attempts()), (1, false, 1));
    assert!(book("s".into()).key("k").call(&runtime).await.unwrap().replayed());
    assert_eq!((stage.world.attempts(), books.looks(), stage.clock.paused()), (1, 1, ms(0)));
    assert_eq!(
        stage.kinds("book", "k").await[2..],
        [EventKind::BecameUnknown, EventKind::ReconcileBegan, EventKind::ReconciledHappened,]
    );
}

#[tokio::test]
async fn what_did_not_happen_is_believed_only_after_it_had_time_to_show() {
    let stage = Stage::new();
    let (runtime, books) = with_books(&stage);
    let gate = Gate::new();
    stage.world.then(Act::Fail(Trouble::NoAnswer)).then(gate.before(Act::Succeed));
    let call = tokio::spawn(book("s".into()).key("k").call(&runtime));
    gate.reached().await;
    // It looked at once and again 10 s later; then comes the backoff of 1 s.
    assert_eq!((books.looks(), stage.clock.paused()), (2, secs(11)));
    gate.open();
    let done = soon(call).await.unwrap().unwrap();
    assert_eq!((done.attempts(), stage.world.attempts(), stage.world.effects()), (2, 2, 1));
}

#[tokio::test]
async fn the_claim_that_follows_holds_from_when_it_was_asked_for() {
    let stage = Stage::new();
    let (runtime, books) = with_books(&stage);
    let gate = Gate::new();
    books.then(Glance::Truth).then(Glance::Behind(gate.passage()));
    stage.world.then(Act::Fail(Trouble::NoAnswer));
    let call = tokio::spawn(book("s".into()).key("k").call(&runtime));
    gate.reached().await;
    // Finding out took 10 s; had the new claim begun with the call, it would be
    // due to be renewed.
    stage.ledger.fail(Step::Renew, Fault::Lost, 100);
    gate.open();
    let done = soon(call).await.unwrap().unwrap();
    assert_eq!((done.attempts(), stage.world.effects()), (2, 1));
}

#[tokio::test]
async fn what_shows_late_is_found_before_anything_runs_again() {
    let stage = Stage::new();
    let (runtime, books) = with_books(&stage);
    let gate = Gate::new();
    books.then(Glance::Truth).then(Glance::Behind(gate.passage()));
    stage.world.then(Act::Fail(Trouble::NoAnswer));
    let call = tokio::spawn(book("s".into()).key("k").call(&runtime));
    gate.reached().await;
    // The effect was on its way.
    stage.world.act("s").await.unwrap();
    gate.open();
    assert_eq!(*soon(call).await.unwrap().unwrap(), 1);
    assert_eq!(stage.world.effects(), 1);
    assert_eq!(stage.state("book", "k").await, Some(StateName::Succeeded));
}

#[tokio::test]
async fn what_counts_is_when_a_look_began_and_not_when_it_ended() {
    let stage = Stage::new();
    let (runtime, books) = with_books(&stage);
    let gate = Gate::new();
    books.then(Glance::Late(gate.passage()));
    stage.world.then(Act::Fail(Trouble::NoAnswer));
    let call = tokio::spawn(book("s".into()).key("k").call(&runtime));
    gate.reached().await;
    // The effect was on its way; the look took longer than it, and missed it.
    stage.world.act("s").await.unwrap();
    stage.pass(secs(12)).await;
    gate.open();
    assert_eq!(*soon(call).await.unwrap().unwrap(), 1);
    assert_eq!((books.looks(), stage.world.attempts(), stage.world.effects()), (2, 2, 1));
}

#[tokio::test]
async fn who_is_not_told_the_time_does_not_look_on_and_on() {
    let stage = Stage::new();
    let (runtime, books) = with_books(&stage);
    stage.ledger.fail(Step::Renew, Fault::Lost, usize::MAX);
    stage.world.then(Act::Fail(Trouble::NoAnswer));
    let unknown = soon(book("s".into()).key("k").call(&runtime)).await.unknown();
    assert!(unknown.cause.contains("could not be renewed"), "{}", unknown.cause);
    assert!(unknown.escalation.is_some());
    assert_eq!((books.looks(), stage.world.effects()), (1, 0));
    // Nobody is kept from finding out: when the next one looks, it is late enough.
    assert_eq!(*book("s".into()).key("k").call(&runtime).await.unwrap(), 1);
}

#[tokio::test]
async fn where_it_cannot_be_told_a_person_has_to_look() {
    for (glance, says) in
        [(Glance::Fail, "it is down"), (Glance::Panic, "the books are torn"), (Glance::Hang, "30s")]
    {
        let stage = Stage::new();
        let (runtime, books) = with_books(&stage);
        books.then(glance);
        stage.world.then(Act::HappenThenFail(Trouble::NoAnswer));
        let call = tokio::spawn(book("s".into()).key("k").call(&runtime));
        stage.pass(secs(30)).await;
        let unknown = soon(call).await.unwrap().unknown();
        assert!(
            unknown.cause.contains(says) && unknown.cause.contains("no answer"),
            "{}",
            unknown.cause
        );
        assert!(unknown.escalation.is_some());
        assert_eq!(stage.state("book", "k").await, Some(StateName::Unknown));
        assert_eq!(stage.kinds("book", "k").await.last(), Some(&EventKind::ReconciledCannotTell));
        // A later call asks again, and finds it.
        let done = book("s".into()).key("k").call(&runtime).await.unwrap();
        assert_eq!((done.replayed(), stage.world.attempts(), stage.world.effects()), (true, 1, 1));
    }
}

#[tokio::test]
async fn while_it_cannot_be_told_nothing_runs() {
    let stage = Stage::new();
    let (runtime, books) = with_books(&stage);
    stage.world.then(Act::Fail(Trouble::NoAnswer));
    for _ in 0..5 {
        books.then(Glance::Fail);
        book("s".into()).key("k").call(&runtime).await.unknown();
        stage.clock.advance(secs(3_600));
    }
    assert_eq!((stage.world.attempts(), books.looks()), (1, 5));
}

#[tokio::test]
async fn if_it_never_happened_and_no_attempt_is_left_it_failed_without_effect() {
    let stage = Stage::new();
    let (runtime, _) = with_books(&stage);
    for _ in 0..3 {
        stage.world.then(Act::Fail(Trouble::NoAnswer));
    }
    assert_eq!(book("s".into()).key("k").call(&runtime).await.failed(), Failure::DidNotHappen);
    assert_eq!(
        (stage.world.attempts(), stage.state("book", "k").await),
        (3, Some(StateName::Released))
    );
}

#[tokio::test]
async fn two_runtimes_never_reconcile_one_operation_at_once() {
    let stage = Stage::new();
    let (runtime, books) = with_books(&stage);
    let (another, other_books) = with_books(&stage);
    stage.world.then(Act::HappenThenFail(Trouble::NoAnswer));
    books.then(Glance::Fail);
    book("s".into()).key("k").call(&runtime).await.unknown();

    let gate = Gate::new();
    books.then(Glance::Behind(gate.passage()));
    other_books.then(Glance::Behind(gate.passage()));
    let calls = [
        tokio::spawn(book("s".into()).key("k").call(&runtime)),
        tokio::spawn(book("s".into()).key("k").call(&another)),
        tokio::spawn(book("s".into()).key("k").call(&another)),
    ];
    gate.reached().await;
    others().await;
    assert_eq!(books.looks() + other_books.looks(), 2, "one of them looked before, one looks now");
    gate.open();
    for call in calls {
        assert!(soon(call).await.unwrap().unwrap().replayed());
    }
    assert_eq!(books.looks() + other_books.looks(), 2);
    assert_eq!(stage.world.effects(), 1);
}

#[tokio::test]
async fn a_reconciler_that_vanishes_is_replaced_after_its_lease() {
    let stage = Stage::new();
    let (runtime, books) = with_books(&stage);
    stage.world.then(Act::HappenThenFail(Trouble::NoAnswer));
    books.then(Glance::Hang);
    let executor = tokio::task::spawn_blocking(move || {
        let executor = tokio::runtime::Builder::new_current_thread().build().unwrap();
        executor.block_on(async {
            tokio::spawn(book("s".into()).key("k").call(&runtime));
            others().await;
        });
    });
    executor.await.unwrap();
    assert_eq!(stage.state("book", "k").await, Some(StateName::Reconciling));
    let (another, _) = with_books(&stage);
    let call = tokio::spawn(book("s".into()).key("k").call(&another));
    stage.pass(LEASE - ms(1)).await;
    assert!(!call.is_finished());
    stage.pass(ms(1)).await;
    assert!(soon(call).await.unwrap().unwrap().replayed());
    assert_eq!(stage.world.effects(), 1);
}

#[tokio::test]
async fn a_reconciler_keeps_the_lease_of_whoever_claimed() {
    // The one that vanished wanted leases of a second, this one of 15.
    let stage = Stage::new();
    let hasty = stage.builder().lease(secs(1)).state(Books::default()).build().unwrap();
    let executor = tokio::task::spawn_blocking({
        stage.world.then(Act::HappenThenHang);
        move || {
            let executor = tokio::runtime::Builder::new_current_thread().build().unwrap();
            executor.block_on(async {
                tokio::spawn(book("s".into()).key("k").call(&hasty));
                others().await;
            });
        }
    });
    executor.await.unwrap();
    stage.clock.advance(secs(1));
    let (runtime, books) = with_books(&stage);
    let gate = Gate::new();
    books.then(Glance::Behind(gate.passage()));
    let call = tokio::spawn(book("s".into()).key("k").call(&runtime));
    gate.reached().await;
    stage.pass(secs(8)).await;
    assert_eq!(stage.state("book", "k").await, Some(StateName::Reconciling));
    gate.open();
    assert!(soon(call).await.unwrap().unwrap().replayed());
    assert_eq!(books.looks(), 1);
}

#[tokio::test]
async fn whoever_lost_the_operation_to_a_reconciler_never_says_that_nothing_ran() {
    let stage = Stage::new();
    let (runtime, _) = with_books(&stage);
    let (another, other_books) = with_books(&stage);
    let gate = Gate::new();
    let looking = Gate::new();
    stage.world.then(gate.within(Act::Fail(Trouble::NoAnswer)));
    let first = tokio::spawn(book("s".into()).key("k").deadline(secs(8)).call(&runtime));
    gate.reached().await;
    // It sleeps through its lease; somebody else begins to find out.
    stage.clock.advance(LEASE + secs(1));
    other_books.then(Glance::Behind(looking.passage()));
    let second = tokio::spawn(book("s".into()).key("k").call(&another));
    looking.reached().await;
    gate.open();
    stage.pass(secs(20)).await;
    let unknown = soon(first).await.unwrap().unknown();
    assert_eq!(unknown.about.attempts, 1);
    looking.open();
    soon(second).await.unwrap().unwrap();
    assert_eq!(stage.world.effects(), 1);
}

/// Book in a house whose books are opened before anything is awaited.
#[tool(
    side_effect = "write",
    idempotent,
    rollback = "none",
    reconcile(with = "open_books"),
    state(World)
)]
async fn book_hastily(cx: &Cx, seat: String) -> Result<u32, Trouble> {
    cx.state::<World>().act(&seat).await
}

fn open_books(asked: Asked<BookHastily>) -> std::future::Ready<Result<Option<u32>, Trouble>> {
    panic!("no books for {}", asked.args.seat)
}

#[tokio::test]
async fn a_function_that_panics_before_it_is_awaited_cannot_tell_either() {
    let stage = Stage::new();
    stage.world.then(Act::HappenThenFail(Trouble::NoAnswer));
    let unknown = book_hastily("s".into()).key("k").call(&stage.runtime).await.unknown();
    assert!(unknown.cause.contains("no books for s"), "{}", unknown.cause);
    assert!(unknown.escalation.is_some());
}

/// Ask the tool itself, with the key that is being found out.
#[tool(
    side_effect = "write",
    idempotent,
    rollback = "none",
    reconcile(with = "ask_itself"),
    state(World)
)]
async fn book_in_circles(cx: &Cx, seat: String) -> Result<u32, Trouble> {
    cx.state::<World>().act(&seat).await
}

async fn ask_itself(asked: Asked<BookInCircles>) -> Result<Option<u32>, String> {
    let call = book_in_circles(asked.args.seat.clone()).key(asked.key.to_string());
    let called = call.call(asked.cx().runtime()).await;
    Err(called.map_or_else(|error| error.to_string(), |done| done.to_string()))
}

#[tokio::test]
async fn a_function_that_asks_its_own_tool_is_not_stuck() {
    let stage = Stage::new();
    stage.world.then(Act::HappenThenFail(Trouble::NoAnswer));
    let unknown = soon(book_in_circles("s".into()).key("k").call(&stage.runtime)).await.unknown();
    assert!(unknown.cause.contains("within itself"), "{}", unknown.cause);
    assert_eq!(stage.world.effects(), 1);
}

#[tokio::test]
async fn what_it_is_given_is_the_call() {
    let stage = Stage::new();
    let (runtime, _) = with_books(&stage);
    stage.world.then(Act::HappenThenFail(Trouble::NoAnswer));
    book("s".into()).key("k").tenant("acme").call(&runtime).await.unwrap();
    let found = stage.ledger.inner().find(crate::stage::id_of("acme", "book", "k")).await.unwrap();
    assert_eq!(found.unwrap().state.name(), StateName::Succeeded);
    // It is the tool's own type.
    let _: fn(Asked<Book>) -> Book = |asked| asked.args;
}

/// Book, and let nobody wait.
#[tool(
    side_effect = "write",
    idempotent,
    rollback = "none",
    in_flight = "reject",
    reconcile(with = "find_exclusive"),
    state(World, Books)
)]
async fn book_exclusively(cx: &Cx, seat: String) -> Result<u32, Trouble> {
    cx.state::<World>().act(&seat).await
}

async fn find_exclusive(asked: Asked<BookExclusively>) -> Result<Option<u32>, Trouble> {
    asked.cx().state::<Books>().look(asked.cx(), &asked.args.seat).await
}

#[tokio::test]
async fn a_refusal_after_an_attempt_is_no_word_that_nothing_ran() {
    let stage = Stage::new();
    let slow = SlowLedger::new(stage.ledger.clone());
    let runtime = stage.builder().ledger(slow.clone()).state(Books::default()).build().unwrap();
    let (another, other_books) = with_books(&stage);
    stage.world.then(Act::HappenThenFail(Trouble::NoAnswer));
    let settling = slow.gate(Step::Settle);
    let first = tokio::spawn(book_exclusively("s".into()).key("k").call(&runtime));
    settling.reached().await;
    // It is on record as unknown, and somebody else is quicker to find out.
    let looking = Gate::new();
    other_books.then(Glance::Behind(looking.passage()));
    let second = tokio::spawn(book_exclusively("s".into()).key("k").call(&another));
    looking.reached().await;
    settling.open();
    let unknown = soon(first).await.unwrap().unknown();
    assert!(unknown.cause.contains("no answer"), "{}", unknown.cause);
    looking.open();
    assert!(soon(second).await.unwrap().unwrap().replayed());
    assert_eq!(stage.world.effects(), 1);
}

/// Book once in a workflow.
#[tool(
    side_effect = "write",
    idempotent,
    retry(max = 2, on = "retryable"),
    rollback = "none",
    rate_limit(per_workflow = "1"),
    reconcile(with = "find_limited"),
    state(World, Books)
)]
async fn book_limited(cx: &Cx, seat: String) -> Result<u32, Trouble> {
    cx.state::<World>().act(&seat).await
}

async fn find_limited(asked: Asked<BookLimited>) -> Result<Option<u32>, Trouble> {
    asked.cx().state::<Books>().look(asked.cx(), &asked.args.seat).await
}

#[tokio::test]
async fn what_did_not_happen_and_may_not_be_tried_again_failed_without_effect() {
    let stage = Stage::new();
    let (runtime, _) = with_books(&stage);
    stage.world.then(Act::Fail(Trouble::NoAnswer));
    let failure = book_limited("s".into()).key("k").call(&runtime).await.failed();
    assert_eq!(failure, Failure::DidNotHappen);
    assert_eq!(stage.state("book_limited", "k").await, Some(StateName::Released));
    assert_eq!(stage.world.attempts(), 1);
}
