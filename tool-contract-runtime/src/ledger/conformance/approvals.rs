//! Requests for approval.

use std::time::Duration;

use super::stage::{NOTHING, Stage, call, confirmed, happened, key};
use crate::ledger::{
    Admission, ApprovalId, ApprovalVerdict, Decided, Refusal, StateName, Undecided,
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
    let denied = stage.decide(&id, &request, ApprovalVerdict::Deny { why: "no".into() }).await;
    assert_eq!(denied, Decided::Denied);
    assert_eq!(
        stage.refusal(&asking(2)).await,
        Refusal::Denied { by: "ada".into(), why: "no".into() }
    );
    let late = stage.decide(&id, &request, ApprovalVerdict::GRANT).await;
    assert_eq!(late, Decided::Refused(Undecided::NoRequest { state: Some(StateName::Denied) }));
}

pub(super) async fn a_request_lapses(stage: Stage) {
    let id = key("k");
    let first = request(&stage, 1).await;
    stage.pass(Duration::from_mins(1)).await;
    let late = stage.decide(&id, &first, ApprovalVerdict::GRANT).await;
    assert!(matches!(late, Decided::Refused(Undecided::NoRequest { .. })), "{late:?}");
    assert_ne!(request(&stage, 2).await, first);
}
