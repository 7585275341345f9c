//! The same operation under another key.

use std::time::Duration;

use tool_contract_spec::policy::Remint;

use super::stage::{LEASE, NOTHING, Stage, TTL, call, confirmed, hash, id, key, terms, unknown};
use crate::ledger::{Admission, Admitted, Refusal, StateName, Terms, Twin};

/// A call of the one operation under `key_`.
fn same(caller: u128, key_: &str, remint: Remint) -> Admission {
    Admission {
        hash: hash(1),
        terms: Terms { remint, ..terms() }.into(),
        ..call(caller, &key(key_))
    }
}

async fn first(stage: &Stage, request: &Admission) -> String {
    match stage.admit(request).await {
        Admitted::Refused(Refusal::Reminted { first, .. }) => first.to_string(),
        other => panic!("no twin: {other:?}"),
    }
}

pub(super) async fn a_twin_is_found(stage: Stage) {
    stage.succeed(&same(1, "a", Remint::Warn), "7").await;
    assert_eq!(first(&stage, &same(2, "b", Remint::Reject)).await, "a");
    match stage.admit(&same(2, "b", Remint::Replay)).await {
        Admitted::Replay(replay) => {
            assert_eq!((&*replay.result, replay.reminted_from), ("7", Some(key("a").key)));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(stage.find(&key("b")).await, None, "neither left a record");
    let claim = stage.claim(&same(2, "b", Remint::Warn)).await;
    assert_eq!(claim.reminted_from, Some(key("a").key));
    let detail = stage.history(&key("b")).await.remove(0).detail;
    assert_eq!(detail.as_deref(), Some("a"));
}

pub(super) async fn the_newest_twin_that_speaks_answers(stage: Stage) {
    // "b" was first and is over last; "c" still runs.
    let long = Terms { ttl: TTL * 2, ..terms() };
    stage.succeed(&Admission { terms: long.into(), ..same(1, "b", Remint::Warn) }, "b").await;
    stage.succeed(&same(1, "a", Remint::Warn), "a").await;
    assert_eq!(first(&stage, &same(2, "x", Remint::Reject)).await, "a");
    let running = stage.claim(&same(1, "c", Remint::Warn)).await;
    assert_eq!(first(&stage, &same(2, "x", Remint::Reject)).await, "c");
    stage.settle(&key("c"), running.fence, NOTHING).await;
    assert_eq!(first(&stage, &same(2, "x", Remint::Reject)).await, "a");
    stage.pass(TTL).await;
    assert_eq!(first(&stage, &same(2, "x", Remint::Reject)).await, "b");
    stage.pass(TTL).await;
    assert_eq!(stage.claim(&same(2, "x", Remint::Reject)).await.reminted_from, None);
}

/// Many keys that came to nothing neither hide a twin that is new enough nor
/// make the search long.
pub(super) async fn a_twin_is_looked_for_among_the_newest(stage: Stage) {
    stage.succeed(&same(1, "first", Remint::Warn), "7").await;
    for number in 1..Twin::LOOK_BACK {
        let request = same(1, &format!("k{number}"), Remint::Warn);
        let claim = stage.claim(&request).await;
        assert_eq!(claim.reminted_from, Some(key("first").key));
        stage.settle(&request.id, claim.fence, NOTHING).await;
    }
    assert_eq!(first(&stage, &same(2, "x", Remint::Reject)).await, "first");
    // A request for approval is no claim, and does not count.
    let asking = Admission { terms: confirmed().into(), ..same(3, "asking", Remint::Warn) };
    stage.refusal(&asking).await;
    assert_eq!(first(&stage, &same(2, "x", Remint::Reject)).await, "first");
    let last = stage.claim(&same(1, "last", Remint::Warn)).await;
    stage.settle(&key("last"), last.fence, NOTHING).await;
    assert_eq!(stage.claim(&same(2, "x", Remint::Reject)).await.reminted_from, None);
}

pub(super) async fn a_twin_of_another_is_none(stage: Stage) {
    stage.succeed(&same(1, "a", Remint::Warn), "7").await;
    let others = [id(Some("a"), "tool", "b"), id(None, "other", "b")];
    for id in others {
        stage.claim(&Admission { id, ..same(2, "b", Remint::Reject) }).await;
    }
    stage.claim(&Admission { hash: hash(2), ..same(2, "b", Remint::Reject) }).await;
}

pub(super) async fn what_did_not_happen_is_no_twin(stage: Stage) {
    let claim = stage.claim(&same(1, "a", Remint::Warn)).await;
    assert_eq!(first(&stage, &same(2, "b", Remint::Reject)).await, "a");
    stage.settle(&key("a"), claim.fence, NOTHING).await;
    let claim = stage.claim(&same(2, "b", Remint::Reject)).await;
    stage.settle(&key("b"), claim.fence, unknown()).await;
    assert_eq!(first(&stage, &same(3, "c", Remint::Replay)).await, "b");
    // A key that is bound to other arguments no longer speaks for these.
    let claim = stage.claim(&Admission { hash: hash(2), ..same(4, "a", Remint::Warn) }).await;
    stage.settle(&key("a"), claim.fence, NOTHING).await;
    let lost = stage.claim(&Admission { hash: hash(3), ..same(5, "d", Remint::Warn) }).await;
    assert_eq!(lost.reminted_from, None);
    stage.pass(LEASE + Duration::from_secs(1)).await;
    let again = Admission { hash: hash(3), ..same(6, "e", Remint::Reject) };
    assert_eq!(first(&stage, &again).await, "d", "lost or not, it may have happened");
    assert_eq!(
        stage.state(&key("d")).await,
        Some(StateName::Running),
        "and asking changed nothing"
    );
}
