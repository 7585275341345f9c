//! Stolen, spent and crowded approvals.

use std::time::Duration;

use serde_json::{Value, json};
use tool_contract::ledger::Query;
use tool_contract::{Status, testing};

use crate::stage::{Delete, effects, send};

fn asking(tenant: Option<&str>, order: &str, approval: Option<&str>) -> Value {
    let mut meta = json!({"idempotency_key": "k"});
    if let Some(tenant) = tenant {
        meta["tenant"] = tenant.into();
    }
    if let Some(approval) = approval {
        meta["approval"] = approval.into();
    }
    json!({"tool": "delete", "arguments": {"order": order}, "meta": meta})
}

#[tokio::test]
async fn an_approval_is_good_for_its_own_call_once() {
    let (builder, clock) = testing::runtime();
    let runtime = builder.insecure_local_approvals().tool::<Delete>().build().unwrap();
    let approver = runtime.insecure_local_approver("alice");
    let asked = send(&runtime, &asking(Some("a"), "approved", None)).await;
    assert_eq!(asked.status, Status::AwaitingApproval);
    let request = asked.approval.unwrap();
    // Not granted yet, and not by saying so.
    assert_eq!(
        send(&runtime, &asking(Some("a"), "approved", Some(&request.0))).await.status,
        Status::AwaitingApproval
    );
    approver.grant_request(&request).await.unwrap();
    approver.grant_request(&request).await.unwrap_err();
    for (tenant, order) in
        [(None, "approved"), (Some("b"), "approved"), (Some("a"), "other"), (None, "other")]
    {
        let stolen = send(&runtime, &asking(tenant, order, Some(&request.0))).await;
        assert_eq!(stolen.status, Status::Refused, "{stolen:?}");
    }
    for made_up in ["", "apr_0", "\u{0}", &"x".repeat(100_000)] {
        assert_eq!(
            send(&runtime, &asking(Some("a"), "approved", Some(made_up))).await.status,
            Status::Refused
        );
    }
    assert_eq!(effects("approved") + effects("other"), 0);
    let call = asking(Some("a"), "approved", Some(&request.0));
    let racers = (0..20).map(|_| {
        let (runtime, call) = (runtime.clone(), call.clone());
        tokio::spawn(async move { send(&runtime, &call).await })
    });
    let mut ran = 0;
    for racer in racers.collect::<Vec<_>>() {
        let response = racer.await.unwrap();
        assert_eq!(response.status, Status::Succeeded);
        ran += u32::from(!response.replayed);
    }
    assert_eq!((ran, effects("approved")), (1, 1));
    // The key may be used anew neither with the spent approval nor after its time.
    clock.advance(Duration::from_hours(25));
    assert_eq!(send(&runtime, &call).await.status, Status::Refused);
    assert_eq!(effects("approved"), 1);
}

#[tokio::test]
async fn a_denied_or_expired_approval_lets_nothing_run() {
    let (builder, clock) = testing::runtime();
    let runtime = builder.insecure_local_approvals().tool::<Delete>().build().unwrap();
    let approver = runtime.insecure_local_approver("alice");
    let request = send(&runtime, &asking(Some("denied"), "denied", None)).await.approval.unwrap();
    approver.deny_request(&request, "no").await.unwrap();
    approver.grant_request(&request).await.unwrap_err();
    assert_eq!(
        send(&runtime, &asking(Some("denied"), "denied", Some(&request.0))).await.status,
        Status::Refused
    );
    let request = send(&runtime, &asking(Some("late"), "denied", None)).await.approval.unwrap();
    approver.grant_request(&request).await.unwrap();
    clock.advance(Duration::from_mins(16));
    let late = send(&runtime, &asking(Some("late"), "denied", Some(&request.0))).await;
    assert_ne!(late.status, Status::Succeeded);
    assert_eq!(effects("denied"), 0);
}

#[tokio::test]
async fn a_crowd_of_requests_does_not_hide_one_from_who_decides() {
    let (builder, clock) = testing::runtime();
    let runtime = builder.insecure_local_approvals().tool::<Delete>().build().unwrap();
    let ask = |key: String| {
        let runtime = runtime.clone();
        async move {
            let request = json!({"tool": "delete", "arguments": {"order": "crowd"}, "meta": {"idempotency_key": key, "tenant": "crowd"}});
            send(&runtime, &request).await.approval.unwrap()
        }
    };
    for number in 0..Query::MOST {
        ask(format!("a/{number:06}")).await;
    }
    let approver = runtime.insecure_local_approver("alice");
    let last = ask("z".into()).await;
    approver.grant_request(&last).await.unwrap();
    approver.deny_request(&ask("zz".into()).await, "no").await.unwrap();
    let call = json!({"tool": "delete", "arguments": {"order": "crowd"}, "meta": {"idempotency_key": "z", "tenant": "crowd", "approval": last}});
    assert_eq!(send(&runtime, &call).await.status, Status::Succeeded);
    // What nobody has answered in time does not hide what came later.
    clock.advance(Duration::from_mins(16));
    let last = ask("zzz".into()).await;
    let waiting = approver.waiting().await.unwrap();
    assert_eq!(waiting.iter().map(|waiting| &waiting.request).collect::<Vec<_>>(), [&last]);
}
