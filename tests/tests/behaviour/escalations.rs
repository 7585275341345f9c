//! What waits for a person, and what a person's word does to it.

use tool_contract::ledger::{EventKind, Query, Reconciled, Resolved, StateName};
use tool_contract::spec::rulebook::Code;
use tool_contract::{Escalation, Runtime, tool};

use crate::stage::{Ending, LEASE, Stage, others, secs};
use crate::tools::{charge, charge_anew};
use crate::world::{Act, Trouble, World};

/// Charge an order, twice at most.
#[tool(
    side_effect = "write",
    idempotent,
    retry(
        max = 2,
        max_total = 2,
        on = "retryable",
        backoff = "constant",
        base = "1s",
        jitter = "none"
    ),
    rollback = "none",
    state(World)
)]
async fn charge_sparingly(cx: &tool_contract::Cx, order: String) -> Result<u32, Trouble> {
    cx.state::<World>().act(&order).await
}

async fn queue(runtime: &Runtime) -> Vec<Escalation> {
    runtime.escalations().list(Query::default()).await.unwrap()
}

async fn only(runtime: &Runtime) -> Escalation {
    let mut queue = queue(runtime).await;
    assert_eq!(queue.len(), 1, "{queue:?}");
    queue.remove(0)
}

/// Two attempts that left nothing behind.
async fn exhausted() -> Stage {
    let stage = Stage::new();
    stage.world.then(Act::Fail(Trouble::Busy)).then(Act::Fail(Trouble::NoRoute));
    charge_sparingly("o".into()).key("k").call(&stage.runtime).await.failed();
    stage
}

#[tokio::test]
async fn a_key_that_used_all_its_attempts_waits_with_its_whole_story() {
    let stage = exhausted().await;
    let waiting = only(&stage.runtime).await;
    assert_eq!(
        (&*waiting.operation.tool, waiting.operation.key.as_str()),
        ("charge_sparingly", "k")
    );
    assert_eq!(waiting.record.state.name(), StateName::Exhausted);
    assert_eq!(&*waiting.record.arguments, r#"{"order":"o"}"#);
    assert_eq!(waiting.cause(), "it failed without effect in all its 2 attempts");

    let history = stage.runtime.escalations().history(&waiting).await.unwrap();
    let attempts: Vec<_> =
        history.iter().flat_map(tool_contract::ledger::Event::attempts).collect();
    let told: Vec<_> = attempts
        .iter()
        .map(|attempt| (attempt.class.to_string(), &*attempt.error, &*attempt.decided))
        .collect();
    assert_eq!(
        told,
        [
            (
                "retryable_failure(rate_limited)".to_owned(),
                "too many requests",
                "retry: nothing happened, `on` names retryable_failure(rate_limited), and attempts are left"
            ),
            (
                "retryable_failure(network)".to_owned(),
                "no route",
                "stop: nothing happened; the key has had its 2 attempts"
            ),
        ]
    );

    let rejected = charge_sparingly("o".into())
        .key("k")
        .call(&stage.runtime)
        .await
        .refused(Code::ATTEMPTS_EXHAUSTED);
    assert!(rejected.reason.contains(&*waiting.id.0), "{rejected}");
}

#[tokio::test]
async fn what_might_be_tried_once_and_failed_waits_for_nobody() {
    let stage = Stage::new();
    stage.world.then(Act::Fail(Trouble::Invalid)).then(Act::Fail(Trouble::Busy));
    charge_anew("o".into()).call(&stage.runtime).await.failed();
    charge("o".into(), 1).key("k").deadline(secs(1)).call(&stage.runtime).await.failed();
    assert_eq!(queue(&stage.runtime).await, []);
}

#[tokio::test]
async fn an_unknown_outcome_waits_and_says_why_nobody_repeats_it() {
    let stage = Stage::new();
    stage.world.then(Act::HappenThenFail(Trouble::NoAnswer));
    let unknown = charge("o".into(), 1).key("k").call(&stage.runtime).await.unknown();
    let waiting = only(&stage.runtime).await;
    assert_eq!(unknown.escalation.as_ref(), Some(&waiting.id));
    let queue = stage.runtime.escalations();
    assert_eq!(queue.find(&waiting.id).await.unwrap().as_ref(), Some(&waiting));
    let history = queue.history(&waiting).await.unwrap();
    let decided: Vec<_> =
        history.iter().flat_map(|event| event.attempts()).map(|attempt| attempt.decided).collect();
    assert_eq!(
        decided,
        [
            "escalate: it may have happened; only the ledger dedupes it; there is no reconcile function"
        ]
    );
}

/// A holder that vanished while it acted.
async fn vanished() -> Stage {
    let stage = Stage::new();
    stage.world.then(Act::HappenThenHang);
    let runtime = stage.runtime.clone();
    let executor = tokio::task::spawn_blocking(move || {
        let executor = tokio::runtime::Builder::new_current_thread().build().unwrap();
        executor.block_on(async {
            tokio::spawn(charge("o".into(), 1).key("k").call(&runtime));
            others().await;
        });
    });
    executor.await.unwrap();
    stage.clock.advance(LEASE);
    stage
}

#[tokio::test]
async fn one_whose_holder_vanished_unseen_is_in_the_queue_under_a_name() {
    let stage = vanished().await;
    assert_eq!(stage.state("charge", "k").await, Some(StateName::Running));
    let waiting = only(&stage.runtime).await;
    assert_eq!(stage.state("charge", "k").await, Some(StateName::Unknown));
    assert!(waiting.cause().contains("lease"), "{}", waiting.cause());
    let unknown = charge("o".into(), 1).key("k").call(&stage.runtime).await.unknown();
    assert_eq!(unknown.escalation, Some(waiting.id));
}

#[tokio::test]
async fn what_happened_after_all_replays() {
    let stage = vanished().await;
    let (queue, waiting) = (stage.runtime.escalations(), only(&stage.runtime).await);
    let happened = Resolved::Happened { result: "17".into() };
    let said = queue.resolve(&waiting, happened, "ada", "the books say so").await.unwrap();
    assert_eq!(said, Reconciled::Recorded { state: StateName::Succeeded, escalation: None });
    let again = charge("o".into(), 1).key("k").call(&stage.runtime).await.unwrap();
    assert!(again.replayed() && *again == 17);
    assert_eq!(queue.find(&waiting.id).await.unwrap(), None);
}

#[tokio::test]
async fn what_was_given_up_never_runs_again_and_says_by_whom_and_why() {
    for stage in [vanished().await, exhausted().await] {
        let (queue, waiting) = (stage.runtime.escalations(), only(&stage.runtime).await);
        let (attempts, tool) = (stage.world.attempts(), waiting.operation.tool.clone());
        queue.resolve(&waiting, Resolved::Abandoned, "ada", "the order is gone").await.unwrap();
        assert_eq!(queue.list(Query::default()).await.unwrap(), []);
        let rejected = match &*tool {
            "charge" => {
                let call = charge("o".into(), 1).key("k").call(&stage.runtime);
                call.await.refused(Code::ABANDONED)
            }
            _ => {
                let call = charge_sparingly("o".into()).key("k").call(&stage.another_runtime());
                call.await.refused(Code::ABANDONED)
            }
        };
        assert!(rejected.reason.contains("ada gave it up: the order is gone"), "{rejected}");
        assert_eq!(stage.world.attempts(), attempts);
        let kind = queue.history(&waiting).await.unwrap().last().map(|event| event.kind);
        assert_eq!(kind, Some(EventKind::ResolvedAbandoned));
    }
}

#[tokio::test]
async fn a_word_on_an_escalation_that_is_over_does_not_count() {
    let stage = exhausted().await;
    let (queue, waiting) = (stage.runtime.escalations(), only(&stage.runtime).await);
    queue.resolve(&waiting, Resolved::Reopened, "ada", "the line is back").await.unwrap();
    stage.world.then(Act::HappenThenFail(Trouble::NoAnswer));
    charge_sparingly("o".into()).key("k").call(&stage.runtime).await.unknown();
    let late = queue.resolve(&waiting, Resolved::Abandoned, "bob", "I am late").await.unwrap();
    assert_eq!(late, Reconciled::Superseded { state: Some(StateName::Unknown) });
    assert_ne!(only(&stage.runtime).await.id, waiting.id);
}

#[tokio::test]
async fn without_a_ledger_nothing_waits() {
    assert_eq!(queue(&Runtime::builder().build().unwrap()).await, []);
}
