//! Requests for approval.

use std::time::Duration;

use super::racing::{admit_all, fences};
use super::stage::{NOTHING, Stage, call, confirmed, happened, key};
use crate::ledger::{
    Admission, ApprovalId, ApprovalVerdict, Decided, EventKind, Reconciled, Refusal, Resolved,
    StateName, Undecided,
};

fn asking(caller: u128) -> Admission {
    Admission {
        terms: confirmed().into(),
        requested_by: Some("bob".into()),
        ..call(caller, &key("k"))
    }
}

async fn request(stage: &Stage, caller: u128) -> ApprovalId {
    match stage.refusal(&asking(caller)).await {
        Refusal::AwaitingApproval { request, .. } => request,
        other => panic!("no request: {other:?}"),
    }
}

pub(super) async fn a_grant_is_used_once(stage: Stage) {
    let id = key("k");
    let first = request(&stage, 1).await;
    assert_eq!(request(&stage, 2).await, first);
    assert!(matches!(
        stage.decide(&id, &first, ApprovalVerdict::GRANT).await,
        Decided::Granted { .. }
    ));
    let claim = stage.claim(&Admission { approval: Some(first.clone()), ..asking(3) }).await;
    // Released, so it is given back; then succeeded, so it is spent.
    stage.settle(&id, claim.fence, NOTHING).await;
    let claim = stage.claim(&Admission { approval: Some(first), ..asking(4) }).await;
    stage.settle(&id, claim.fence, happened("7")).await;
    assert_eq!(stage.replay(&asking(5)).await, "7", "a replay needs no second approval");
    assert_eq!(stage.find(&id).await.and_then(|record| record.approval), None);
}

pub(super) async fn a_denial_stands(stage: Stage) {
    let id = key("k");
    let request = request(&stage, 1).await;
    let denied = stage.decide(&id, &request, no()).await;
    assert_eq!(denied, Decided::Denied);
    assert_eq!(
        stage.refusal(&asking(2)).await,
        Refusal::Denied { by: "ada".into(), why: "no".into() }
    );
    let late = stage.decide(&id, &request, ApprovalVerdict::GRANT).await;
    assert_eq!(late, Decided::Refused(Undecided::NoRequest { state: Some(StateName::Denied) }));
}

fn no() -> ApprovalVerdict {
    ApprovalVerdict::Deny { why: "no".into() }
}

pub(super) async fn a_no_counts_until_the_call_has_begun(stage: Stage) {
    let (id, refused) = (key("k"), Refusal::Denied { by: "ada".into(), why: "no".into() });
    let granted = request(&stage, 1).await;
    stage.decide(&id, &granted, ApprovalVerdict::GRANT).await;
    let claim = stage.claim(&asking(2)).await;
    let late = stage.decide(&id, &granted, no()).await;
    assert_eq!(late, Decided::Refused(Undecided::Begun));
    // The grant is given back, and nobody uses it any more.
    stage.settle(&id, claim.fence, NOTHING).await;
    assert_eq!(stage.decide(&id, &granted, no()).await, Decided::Denied);
    let bringing = Admission { approval: Some(granted), ..asking(3) };
    assert_eq!(stage.refusal(&bringing).await, refused);
    let history: Vec<EventKind> = stage.history(&id).await.iter().map(|it| it.kind).collect();
    assert!(history.ends_with(&[EventKind::Released, EventKind::ApprovalDenied]), "{history:?}");
}

/// The claim and the refusal are one step each: one of them comes first.
pub(super) async fn either_a_no_or_a_claim_wins(stage: Stage) {
    for round in 0..8 {
        let id = key(&format!("k{round}"));
        let to_claim = |caller| Admission { id: id.clone(), ..asking(caller) };
        let Refusal::AwaitingApproval { request, .. } = stage.refusal(&to_claim(1)).await else {
            panic!("no request");
        };
        stage.decide(&id, &request, ApprovalVerdict::GRANT).await;
        let calls = admit_all(&stage, (2..10).map(to_claim));
        let (answers, decided) = tokio::join!(calls, stage.decide(&id, &request, no()));
        match decided {
            Decided::Denied => assert!(fences(&answers).is_empty()),
            Decided::Refused(Undecided::Begun) => assert_eq!(fences(&answers).len(), 1),
            other => panic!("neither: {other:?}"),
        }
        let won = if decided == Decided::Denied { StateName::Denied } else { StateName::Running };
        assert_eq!(stage.state(&id).await, Some(won));
    }
}

pub(super) async fn what_is_withdrawn_waits_for_nobody(stage: Stage) {
    let id = key("k");
    let first = request(&stage, 1).await;
    stage.decide(&id, &first, ApprovalVerdict::GRANT).await;
    let withdrawn = stage.resolve(&id, Resolved::Withdrawn).await;
    let released = Reconciled::Recorded { state: StateName::Released, escalation: None };
    assert_eq!(withdrawn, released);
    assert_eq!(stage.find(&id).await.and_then(|record| record.approval), None);
    assert_ne!(request(&stage, 2).await, first);
}

pub(super) async fn a_request_lapses(stage: Stage) {
    let id = key("k");
    let first = request(&stage, 1).await;
    stage.pass(Duration::from_mins(1)).await;
    let late = stage.decide(&id, &first, ApprovalVerdict::GRANT).await;
    assert!(matches!(late, Decided::Refused(Undecided::NoRequest { .. })), "{late:?}");
    assert_ne!(request(&stage, 2).await, first);
}
