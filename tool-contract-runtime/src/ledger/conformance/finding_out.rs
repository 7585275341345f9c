//! Unknown outcomes.

use std::time::Duration;

use super::stage::{
    LEASE, SETTLE, Stage, TIMEOUT, call, happened, key, repeatable, terms, unknown,
};
use crate::ledger::{
    Admission, Fence, Finding, ReconcileClaim, Reconciled, Refusal, Resolved, Settled, StateName,
    Terms, Timestamp,
};

/// What somebody says who looked at the last possible moment.
const DID_NOT: Finding = Finding::DidNotHappen { looked_at: Timestamp::END, delay: Duration::ZERO };

/// What is said to somebody who looked too early.
const fn too_early(wait: Duration) -> Reconciled {
    Reconciled::TooEarly { wait: Some(wait) }
}

async fn let_in(stage: &Stage, nonce: u128) -> Fence {
    match stage.begin(&key("k"), nonce).await {
        ReconcileClaim::Claimed { fence, .. } => fence,
        other @ ReconcileClaim::Refused { .. } => panic!("not let in: {other:?}"),
    }
}

pub(super) async fn there_is_one_reconciler(stage: Stage) {
    let id = key("k");
    let claim = stage.claim(&call(1, &id)).await;
    let settled = stage.settle(&id, claim.fence, unknown()).await;
    assert!(matches!(settled, Settled::Recorded { escalation: Some(_) }), "{settled:?}");
    let fence = let_in(&stage, 8).await;
    assert!(fence > claim.fence);
    assert_eq!(let_in(&stage, 8).await, fence, "its own reply was lost");
    let refused = ReconcileClaim::Refused { state: Some(StateName::Reconciling) };
    assert_eq!(stage.begin(&id, 9).await, refused);
    assert!(matches!(
        stage.refusal(&call(2, &id)).await,
        Refusal::InFlight { reconciling: true, .. }
    ));
    let superseded = Settled::Superseded { state: StateName::Reconciling };
    assert_eq!(stage.settle(&id, claim.fence, happened("7")).await, superseded);
    let found = Finding::Happened { result: "7".into() };
    stage.finish(&id, fence, found).await;
    assert_eq!(stage.replay(&call(2, &id)).await, "7");
}

pub(super) async fn too_early_is_too_early(stage: Stage) {
    let id = key("k");
    stage.claim(&call(1, &id)).await;
    stage.pass(LEASE).await;
    let fence = let_in(&stage, 8).await;
    let early = stage.finish(&id, fence, DID_NOT).await;
    assert_eq!(early, too_early(TIMEOUT + SETTLE));
    stage.finish(&id, fence, Finding::CannotTell { why: "no idea".into() }).await;
    stage.pass(TIMEOUT + SETTLE).await;
    let fence = let_in(&stage, 9).await;
    // Who looked before it would have shown has seen nothing, whenever it says so.
    let long_ago = Finding::DidNotHappen { looked_at: Timestamp::ZERO, delay: Duration::ZERO };
    assert_eq!(stage.finish(&id, fence, long_ago).await, too_early(Duration::ZERO));
    let recorded = Reconciled::Recorded { state: StateName::Released, escalation: None };
    assert_eq!(stage.finish(&id, fence, DID_NOT).await, recorded);
    stage.claim(&call(2, &id)).await;
}

pub(super) async fn what_cannot_be_stopped_takes_a_person(stage: Stage) {
    let id = key("k");
    let terms = Terms { stoppable: false, ..terms() };
    stage.claim(&Admission { terms: terms.into(), ..call(1, &id) }).await;
    stage.pass(LEASE + TIMEOUT + SETTLE).await;
    let fence = let_in(&stage, 8).await;
    assert_eq!(stage.finish(&id, fence, DID_NOT).await, Reconciled::TooEarly { wait: None });
    stage.finish(&id, fence, Finding::CannotTell { why: "it may still run".into() }).await;
    let alive = Resolved::DidNotHappen { holder_is_dead: false };
    assert_eq!(stage.resolve(&id, alive).await, Reconciled::TooEarly { wait: None });
    let dead = Resolved::DidNotHappen { holder_is_dead: true };
    let recorded = Reconciled::Recorded { state: StateName::Released, escalation: None };
    assert_eq!(stage.resolve(&id, dead).await, recorded);
}

pub(super) async fn a_person_resolves(stage: Stage) {
    let id = key("k");
    let claim = stage.claim(&call(1, &id)).await;
    stage.settle(&id, claim.fence, unknown()).await;
    let alive = Resolved::DidNotHappen { holder_is_dead: false };
    assert_eq!(stage.resolve(&id, alive).await, too_early(SETTLE));
    let resolved = stage.resolve(&id, Resolved::Happened { result: "7".into() }).await;
    assert_eq!(resolved, Reconciled::Recorded { state: StateName::Succeeded, escalation: None });
    let superseded = Settled::Superseded { state: StateName::Succeeded };
    assert_eq!(stage.settle(&id, claim.fence, happened("8")).await, superseded);
    assert_eq!(stage.replay(&call(2, &id)).await, "7");
}

pub(super) async fn a_repetition_is_in_doubt(stage: Stage) {
    let id = key("k");
    let request = |caller| Admission { terms: repeatable().into(), ..call(caller, &id) };
    stage.claim(&request(1)).await;
    stage.pass(LEASE).await;
    let second = stage.claim(&request(2)).await;
    assert!(second.in_doubt);
    // The doubt is kept: the quick second does not hide the slow first.
    stage.settle(&id, second.fence, unknown()).await;
    let dead = Resolved::DidNotHappen { holder_is_dead: false };
    assert_eq!(stage.resolve(&id, dead).await, too_early(TIMEOUT + SETTLE));
}

pub(super) async fn of_a_saga_only_what_it_came_to_is_said(stage: Stage) {
    let id = key("k");
    let terms = Terms { saga: true, ..repeatable() };
    let request = Admission { terms: terms.into(), ..call(1, &id) };
    let claim = stage.claim(&request).await;
    stage.settle(&id, claim.fence, unknown()).await;
    let happened = |result: &str| Resolved::Happened { result: result.into() };
    let dead = Resolved::DidNotHappen { holder_is_dead: true };
    for said in [dead, Resolved::Abandoned, happened("7")] {
        let answer = stage.resolve(&id, said.clone()).await;
        assert!(matches!(answer, Reconciled::OfItsSteps { .. }), "{said:?}: {answer:?}");
    }
    assert_eq!(stage.state(&id).await, Some(StateName::Unknown));
    let recorded = Reconciled::Recorded { state: StateName::Succeeded, escalation: None };
    assert_eq!(stage.resolve(&id, happened(r#"{"finished":7}"#)).await, recorded);
}
