//! Waiting for a change.

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tool_contract_spec::key::OperationId;

use super::stage::{Stage, call, confirmed, happened, key};
use crate::ledger::{Admission, Admitted, ApprovalVerdict, BoxFuture, Ledger, Refusal};

/// Longer than any test: who waits so long was not woken.
const LONG: Duration = Duration::from_hours(1);

/// How long a check that should be woken is given.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) async fn all_who_wait_get_the_result(stage: Stage) {
    let id = key("k");
    let claim = stage.claim(&call(1, &id)).await;
    let waiters: Vec<_> = (0..3_u128)
        .map(|number| {
            let (ledger, id) = (Arc::clone(&stage.ledger), id.clone());
            tokio::spawn(async move {
                loop {
                    match ledger.admit(&call(10 + number, &id)).await.unwrap() {
                        Admitted::Replay(replay) => return replay.result,
                        Admitted::Refused(Refusal::InFlight { .. }) => {
                            ledger.changed(id.clone(), LONG).await;
                        }
                        other => panic!("{other:?}"),
                    }
                }
            })
        })
        .collect();
    tokio::task::yield_now().await;
    stage.settle(&id, claim.fence, happened("7")).await;
    for waiter in waiters {
        let result = tokio::time::timeout(PATIENCE, waiter).await.expect("woken").unwrap();
        assert_eq!(&*result, "7");
    }
}

/// Polls `waiting` until all that it asks at first is answered, and says whether it
/// still waits: then only a change can end it.
async fn still_waits(ledger: &dyn Ledger, waiting: &mut BoxFuture<'_, ()>) -> bool {
    for _ in 0..10 {
        if std::future::poll_fn(|cx| Poll::Ready(waiting.as_mut().poll(cx).is_ready())).await {
            return false;
        }
        ledger.find(key("k")).await.unwrap();
    }
    true
}

/// Sees to it that `waiting` waits.
#[cfg(test)]
pub(in crate::ledger) async fn settle_down(ledger: &dyn Ledger, waiting: &mut BoxFuture<'_, ()>) {
    assert!(still_waits(ledger, waiting).await, "nothing has changed yet");
}

/// Waits for a change. A ledger may wake without cause, but not for ever.
async fn wait<'a>(ledger: &'a dyn Ledger, id: &OperationId) -> BoxFuture<'a, ()> {
    for _ in 0..10 {
        let mut waiting = ledger.changed(id.clone(), LONG);
        if still_waits(ledger, &mut waiting).await {
            return waiting;
        }
    }
    panic!("nothing changes, and who waits is woken again and again");
}

pub(super) async fn who_waits_for_a_result_is_woken(stage: Stage) {
    let id = key("k");
    let claim = stage.claim(&call(1, &id)).await;
    let waiting = wait(&*stage.ledger, &id).await;
    stage.settle(&id, claim.fence, happened("7")).await;
    tokio::time::timeout(PATIENCE, waiting).await.expect("woken");
}

pub(super) async fn who_waits_for_an_approval_is_woken(stage: Stage) {
    let id = key("k");
    let asking = Admission { terms: confirmed().into(), ..call(1, &id) };
    let Refusal::AwaitingApproval { request, .. } = stage.refusal(&asking).await else {
        panic!("no request")
    };
    let waiting = wait(&*stage.ledger, &id).await;
    stage.decide(&id, &request, ApprovalVerdict::GRANT).await;
    tokio::time::timeout(PATIENCE, waiting).await.expect("woken");
}

pub(super) async fn nobody_waits_for_what_is_over(stage: Stage) {
    let id = key("k");
    let wait = |id| tokio::time::timeout(PATIENCE, stage.ledger.changed(id, LONG));
    wait(key("never")).await.expect("there is nothing to wait for");
    stage.succeed(&call(1, &id), "7").await;
    wait(id).await.expect("it is over");
}

pub(super) async fn nobody_waits_longer_than_he_said(stage: Stage) {
    let id = key("k");
    stage.claim(&call(1, &id)).await;
    let span = Duration::from_secs(1);
    let waiter = {
        let (ledger, id) = (Arc::clone(&stage.ledger), id.clone());
        tokio::spawn(async move { ledger.changed(id, span).await })
    };
    let patience = tokio::time::Instant::now() + PATIENCE;
    while !waiter.is_finished() {
        assert!(tokio::time::Instant::now() < patience, "it waits on");
        stage.pass(span).await;
        tokio::task::yield_now().await;
    }
    waiter.await.unwrap();
}
