//! Functions that are not async: they run beside the executor, and cannot be
//! stopped.

use std::time::Duration;

use tool_contract::ledger::StateName;
use tool_contract::testing::{Fault, Step};
use tool_contract::{Asked, CallError, Cx, Failure, tool};

use crate::stage::{Ending, Stage, others, secs, soon};
use crate::tools::{charge_blocking, look_blocking};
use crate::world::{Act, Gate, Trouble, World};

#[tokio::test]
async fn a_body_that_blocks_does_not_block_the_executor() {
    let stage = Stage::new();
    let gate = Gate::new();
    stage.world.then(gate.before(Act::Succeed));
    // There is one thread: this task opens the gate while the body waits at it.
    let call = tokio::spawn(charge_blocking("o".into()).key("k").call(&stage.runtime));
    gate.reached_by_thread().await;
    gate.open();
    assert_eq!(*call.await.unwrap().unwrap(), 1);
}

#[tokio::test]
async fn it_is_replayed_retried_and_refused_like_any_other() {
    let stage = Stage::new();
    stage.world.then(Act::Fail(Trouble::Busy));
    let first = charge_blocking("o".into()).key("k").call(&stage.runtime).await.unwrap();
    assert_eq!((first.attempts(), stage.clock.paused()), (2, secs(1)));
    assert!(charge_blocking("o".into()).key("k").call(&stage.runtime).await.unwrap().replayed());
    assert_eq!(stage.world.effects(), 1);
}

#[tokio::test]
async fn at_its_timeout_the_caller_is_let_go_and_the_late_result_settles() {
    let stage = Stage::new();
    let gate = Gate::new();
    stage.world.then(gate.within(Act::Succeed));
    let call = tokio::spawn(charge_blocking("o".into()).key("k").call(&stage.runtime));
    gate.reached_by_thread().await;
    stage.pass(secs(29)).await;
    assert!(!call.is_finished());
    stage.pass(secs(1)).await;
    let unknown = soon(call).await.unwrap().unknown();
    assert_eq!(unknown.escalation, None);
    assert!(unknown.cause.contains("cannot be stopped"), "{}", unknown.cause);
    assert_eq!(stage.state("charge_blocking", "k").await, Some(StateName::Running));

    // It keeps its claim for as long as it runs.
    stage.pass(secs(120)).await;
    assert_eq!(stage.state("charge_blocking", "k").await, Some(StateName::Running));
    let repeat = tokio::spawn(charge_blocking("o".into()).key("k").call(&stage.runtime));
    others().await;
    gate.open();
    stage.runtime.drain().await;
    assert!(repeat.await.unwrap().unwrap().replayed());
    assert_eq!((stage.world.attempts(), stage.world.effects()), (1, 1));
}

#[tokio::test]
async fn a_late_failure_releases_the_key_and_is_not_tried_again() {
    let stage = Stage::new();
    let gate = Gate::new();
    stage.world.then(gate.before(Act::Fail(Trouble::BusyFor { after: secs(7) })));
    let call = tokio::spawn(charge_blocking("o".into()).key("k").call(&stage.runtime));
    gate.reached_by_thread().await;
    stage.pass(secs(30)).await;
    soon(call).await.unwrap().unknown();
    gate.open();
    stage.runtime.drain().await;
    assert_eq!(stage.world.attempts(), 1);
    let call = || charge_blocking("o".into()).key("k").call(&stage.runtime);
    let rejected = call().await.refused(tool_contract::spec::rulebook::Code::NOT_BEFORE);
    assert_eq!(rejected.retry_after, Some(secs(8)));
    stage.clock.advance(secs(8));
    assert_eq!(call().await.unwrap().attempts(), 2);
}

#[tokio::test]
async fn a_read_that_still_runs_past_its_timeout_is_given_up_and_not_begun_again() {
    let stage = Stage::new();
    let gate = Gate::new();
    stage.world.then(gate.before(Act::Succeed));
    let call = tokio::spawn(look_blocking("o".into()).call(&stage.runtime));
    gate.reached_by_thread().await;
    stage.pass(secs(30)).await;
    let error = soon(call).await.unwrap().unwrap_err();
    assert!(
        matches!(&error, CallError::Failed(Failure::TimedOut, about) if about.attempts == 1),
        "{error:?}"
    );
    gate.open();
    assert_eq!(stage.world.attempts(), 1);
}

#[tokio::test]
async fn a_write_that_panics_is_unknown_and_a_read_is_tried_again() {
    let stage = Stage::new();
    stage.world.then(Act::HappenThenPanic);
    let unknown = charge_blocking("o".into()).key("k").call(&stage.runtime).await.unknown();
    assert!(unknown.cause.contains("the body broke"), "{}", unknown.cause);
    assert!(unknown.escalation.is_some());
    charge_blocking("o".into()).key("k").call(&stage.runtime).await.unknown();
    assert_eq!(stage.world.attempts(), 1);

    let stage = Stage::new();
    stage.world.then(Act::Panic);
    assert_eq!(look_blocking("o".into()).call(&stage.runtime).await.unwrap().attempts(), 2);
}

/// Book a seat, in a way that cannot be stopped.
#[tool(
    side_effect = "write",
    idempotent,
    rollback = "none",
    reconcile(with = "find_seat", settle = "1s"),
    state(World)
)]
fn book_blocking(cx: &Cx, seat: String) -> Result<u32, Trouble> {
    cx.state::<World>().act_blocking(&seat)
}

async fn find_seat(asked: Asked<BookBlocking>) -> Result<Option<u32>, Trouble> {
    let count = asked.cx().state::<World>().effects_of(&asked.args.seat);
    Ok((count > 0).then_some(count))
}

#[tokio::test]
async fn one_whose_holder_lost_the_ledger_is_never_believed_undone() {
    let stage = Stage::new();
    let gate = Gate::new();
    stage.world.then(gate.before(Act::Succeed));
    stage.ledger.fail(Step::Renew, Fault::Lost, usize::MAX);
    let first = tokio::spawn(book_blocking("s".into()).key("k").call(&stage.runtime));
    gate.reached_by_thread().await;
    // Its lease runs out, and so does every time that an attempt may take.
    stage.pass(secs(30)).await;
    soon(first).await.unwrap().unknown();
    stage.clock.advance(secs(3_600));
    let another = stage.another_runtime();
    let unknown = book_blocking("s".into()).key("k").call(&another).await.unknown();
    assert!(unknown.cause.contains("for as long as its process lives"), "{}", unknown.cause);
    assert!(unknown.escalation.is_some());
    gate.open();
    stage.runtime.drain().await;
    // Now it shows.
    assert!(book_blocking("s".into()).key("k").call(&another).await.unwrap().replayed());
    assert_eq!((stage.world.attempts(), stage.world.effects()), (1, 1));
}

/// Say how much time there is.
#[tool(side_effect = "write", idempotent, rollback = "none", timeout = "8s")]
fn time_left(cx: &Cx) -> Result<Duration, Trouble> {
    Ok(cx.deadline())
}

#[tokio::test]
async fn its_timeout_is_known_to_the_body() {
    let stage = Stage::new();
    assert_eq!(*time_left().key("k1").call(&stage.runtime).await.unwrap(), secs(8));
    let hurried = time_left().key("k2").deadline(secs(3)).call(&stage.runtime).await.unwrap();
    assert_eq!(*hurried, secs(3));
}
