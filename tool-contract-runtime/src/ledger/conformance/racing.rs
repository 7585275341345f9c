//! Many at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::task::JoinSet;
use tool_contract_spec::policy::Quota;

use super::limits::per_tool;
use super::stage::{LEASE, Stage, call, key};
use crate::ledger::{
    Admission, Admitted, Fence, Holder, Nonce, ReconcileClaim, ReconcileRequest, Refusal,
};

const MANY: u128 = 32;

/// Makes all calls at once.
pub(super) async fn admit_all(
    stage: &Stage,
    requests: impl IntoIterator<Item = Admission>,
) -> Vec<Admitted> {
    let mut calls = JoinSet::new();
    for request in requests {
        let ledger = Arc::clone(&stage.ledger);
        calls.spawn(async move { ledger.admit(&request).await.unwrap() });
    }
    calls.join_all().await
}

pub(super) fn fences(answers: &[Admitted]) -> Vec<Fence> {
    let fence = |answer: &Admitted| match answer {
        Admitted::Claimed(claim) => Some(claim.fence),
        Admitted::Replay(_) | Admitted::Refused(_) => None,
    };
    answers.iter().filter_map(fence).collect()
}

pub(super) async fn one_of_many_claims(stage: Stage) {
    for round in 0..8 {
        let id = key(&format!("k{round}"));
        let answers = admit_all(&stage, (0..MANY).map(|caller| call(caller, &id))).await;
        assert_eq!(fences(&answers).len(), 1);
        let in_flight =
            |answer: &&Admitted| matches!(answer, Admitted::Refused(Refusal::InFlight { .. }));
        assert_eq!(answers.iter().filter(in_flight).count(), 31);
    }
}

pub(super) async fn every_key_is_claimed_once(stage: Stage) {
    let requests = (0..MANY * 4).map(|number| call(number, &key(&format!("k{}", number % MANY))));
    let answers = admit_all(&stage, requests).await;
    let fences = fences(&answers);
    assert_eq!(fences.len(), 32);
    assert_eq!(fences.iter().collect::<BTreeSet<_>>().len(), 32, "each with a fence of its own");
}

pub(super) async fn one_of_many_reconciles(stage: Stage) {
    let id = key("k");
    stage.claim(&call(1, &id)).await;
    stage.pass(LEASE).await;
    let mut reconcilers = JoinSet::new();
    for nonce in 0..MANY {
        let ledger = Arc::clone(&stage.ledger);
        let request =
            ReconcileRequest { id: id.clone(), nonce: Nonce(100 + nonce), holder: Holder(1) };
        reconcilers.spawn(async move { ledger.begin_reconcile(request).await.unwrap() });
    }
    let answers = reconcilers.join_all().await;
    let let_in = answers.iter().filter(|answer| matches!(answer, ReconcileClaim::Claimed { .. }));
    assert_eq!(let_in.count(), 1);
}

pub(super) async fn a_limit_holds_among_many(stage: Stage) {
    let draws = vec![per_tool(Quota::Count(5))];
    let request =
        |number| Admission { draws: draws.clone(), ..call(number, &key(&format!("k{number}"))) };
    let answers = admit_all(&stage, (0..MANY).map(request)).await;
    assert_eq!(fences(&answers).len(), 5);
}
