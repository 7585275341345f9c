//! A destructive call waits for a person, and their yes is for that one call.

use std::sync::Arc;

use tool_contract::approval::ApprovalError;
use tool_contract::ledger::{ApprovalId, EventKind, Resolution, Resolved, StateName};
use tool_contract::spec::rulebook::Code;
use tool_contract::testing::{Fault, Step};
use tool_contract::{Approval, Call, Cx, Failure, Meta, Request, Response, Runtime, Status, tool};

use crate::stage::{Ending, Stage, id, ms, others, secs, soon};
use crate::world::{Act, Gate, Trouble, World};

/// Delete an account.
#[tool(
    side_effect = "destructive",
    idempotent,
    confirm(by = "human", ttl = "15m"),
    rollback = "none",
    state(World)
)]
async fn delete_account(cx: &Cx, account: String) -> Result<u32, Trouble> {
    cx.state::<World>().act(&account).await
}

fn delete(account: &str, key: &str) -> Call<DeleteAccount, tool_contract::__private::key::Given> {
    delete_account(account.into()).key(key)
}

/// Somebody asks, and Ann says yes.
async fn approved(stage: &Stage, account: &str, key: &str) -> Approval<DeleteAccount> {
    let pending = delete(account, key).request_approval(&stage.runtime).await.unwrap();
    stage.runtime.insecure_local_approver("ann").grant(&pending).await.unwrap()
}

// ---- typed ----

#[tokio::test]
async fn a_call_that_was_approved_runs_once() {
    let stage = Stage::new();
    let pending = delete("a", "k").request_approval(&stage.runtime).await.unwrap();
    assert!(pending.granted().await.unwrap().is_none());
    assert_eq!(stage.state("delete_account", "k").await, Some(StateName::AwaitingApproval));
    let waiting = tokio::spawn(async move { pending.wait().await });
    others().await;
    assert!(!waiting.is_finished());

    let approver = stage.runtime.insecure_local_approver("ann");
    let asked = approver.waiting().await.unwrap();
    assert_eq!((asked.len(), &*asked[0].arguments), (1, r#"{"account":"a"}"#));
    approver.grant_request(&asked[0].request).await.unwrap();
    let approval = soon(waiting).await.unwrap().unwrap();
    assert_eq!(stage.world.attempts(), 0);

    let done = delete("a", "k").approved(approval).call(&stage.runtime).await.unwrap();
    assert!(!done.replayed());
    assert_eq!(
        stage.kinds("delete_account", "k").await,
        [
            EventKind::ApprovalRequested,
            EventKind::ApprovalGranted,
            EventKind::Claimed,
            EventKind::Succeeded,
        ]
    );
    assert_eq!(stage.history("delete_account", "k").await[1].detail.as_deref(), Some("ann"));
}

#[tokio::test]
async fn a_replay_needs_no_second_approval() {
    let stage = Stage::new();
    let approval = approved(&stage, "a", "k").await;
    delete("a", "k").approved(approval).call(&stage.runtime).await.unwrap();
    let pending = delete("a", "k").request_approval(&stage.runtime).await.unwrap();
    assert_eq!(pending.request(), None);
    let approval = pending.granted().await.unwrap().expect("nobody is asked");
    assert!(delete("a", "k").approved(approval).call(&stage.runtime).await.unwrap().replayed());
    assert!(stage.runtime.insecure_local_approver("ann").waiting().await.unwrap().is_empty());
    assert_eq!(stage.world.effects(), 1);
}

#[tokio::test]
async fn asking_again_for_the_same_call_finds_the_same_request() {
    let stage = Stage::new();
    let first = delete("a", "k").request_approval(&stage.runtime).await.unwrap();
    let second = delete("a", "k").request_approval(&stage.another_runtime()).await.unwrap();
    assert_eq!(first.request(), second.request());
    // Even once it is granted.
    let _ = stage.runtime.insecure_local_approver("ann").grant(&first).await.unwrap();
    let third = delete("a", "k").request_approval(&stage.runtime).await.unwrap();
    assert_eq!(first.request(), third.request());
    assert!(third.granted().await.unwrap().is_some());
}

#[tokio::test]
async fn an_approval_is_for_its_arguments() {
    let stage = Stage::new();
    let approval = approved(&stage, "a", "k").await;
    // The same key for another account.
    let rejected =
        delete("b", "k").approved(approval).call(&stage.runtime).await.refused(Code::CONFLICT);
    assert!(rejected.reason.contains("approved"), "{rejected}");
    delete("b", "k").request_approval(&stage.runtime).await.refused(Code::CONFLICT);
    assert_eq!(stage.world.attempts(), 0);
}

#[tokio::test]
async fn an_approval_is_for_its_key_and_its_tenant() {
    let stage = Stage::new();
    let approval = approved(&stage, "a", "k").await;
    delete("a", "k2").approved(approval).call(&stage.runtime).await.refused(Code::APPROVAL_VOID);
    let pending = delete("a", "k").request_approval(&stage.runtime).await.unwrap();
    let approval = pending.granted().await.unwrap().expect("it was not used");
    let call = delete("a", "k").tenant("acme").approved(approval);
    call.call(&stage.runtime).await.refused(Code::APPROVAL_VOID);
    assert_eq!((stage.world.attempts(), stage.state("delete_account", "k2").await), (0, None));
}

#[tokio::test]
async fn a_denied_call_does_not_run() {
    let stage = Stage::new();
    let pending = delete("a", "k").request_approval(&stage.runtime).await.unwrap();
    let approver = stage.runtime.insecure_local_approver("ann");
    approver.deny(&pending, "that account is in use").await.unwrap();
    let denied = pending.granted().await.unwrap_err();
    assert!(
        matches!(&denied, ApprovalError::Denied { by, why, .. } if &**by == "ann" && why.contains("in use")),
        "{denied:?}"
    );
    let rejected =
        delete("a", "k").request_approval(&stage.runtime).await.refused(Code::APPROVAL_DENIED);
    assert!(rejected.reason.contains("ann") && rejected.reason.contains("in use"), "{rejected}");
    let runtime = stage.builder().tool::<DeleteAccount>().build().unwrap();
    let response = dispatch(&runtime, "a", "k", None, None).await;
    assert_eq!((response.status, response.code), (Status::Refused, Some(Code::APPROVAL_DENIED)));
    // A no cannot be taken back by a yes.
    approver.grant(&pending).await.unwrap_err();
    assert_eq!(stage.world.attempts(), 0);
}

#[tokio::test]
async fn a_yes_is_taken_back_by_a_no() {
    let stage = Stage::new();
    let pending = delete("a", "k").request_approval(&stage.runtime).await.unwrap();
    let ann = stage.runtime.insecure_local_approver("ann");
    let approval = ann.grant(&pending).await.unwrap();
    ann.deny(&pending, "I was wrong").await.unwrap();
    let denied = pending.granted().await.unwrap_err();
    assert!(matches!(denied, ApprovalError::Denied { .. }), "{denied:?}");
    // Who has the approval in hand is told who and why.
    let called = delete("a", "k").approved(approval).call(&stage.runtime).await;
    let rejected = called.refused(Code::APPROVAL_DENIED);
    assert!(rejected.reason.contains("ann") && rejected.reason.contains("wrong"), "{rejected}");
    assert_eq!(stage.world.attempts(), 0);
}

#[tokio::test]
async fn a_no_that_comes_after_the_call_has_begun_is_told_so() {
    let stage = Stage::new();
    let pending = delete("a", "k").request_approval(&stage.runtime).await.unwrap();
    let ann = stage.runtime.insecure_local_approver("ann");
    let approval = ann.grant(&pending).await.unwrap();
    let gate = Gate::new();
    stage.world.then(gate.within(Act::Fail(Trouble::Invalid)));
    let call = tokio::spawn(delete("a", "k").approved(approval).call(&stage.runtime));
    gate.reached().await;
    for late in [
        ann.deny(&pending, "stop").await.unwrap_err(),
        ann.deny_request(pending.request().unwrap(), "stop").await.unwrap_err(),
    ] {
        assert!(matches!(late, ApprovalError::Begun { .. }), "{late:?}");
    }
    gate.open();
    soon(call).await.unwrap().failed();
    // Nothing came of it, and the grant was given back: now it counts.
    let approval = pending.granted().await.unwrap().expect("it was given back");
    ann.deny_request(pending.request().unwrap(), "stop").await.unwrap();
    let called = delete("a", "k").approved(approval).call(&stage.runtime).await;
    called.refused(Code::APPROVAL_DENIED);
    assert_eq!(stage.world.attempts(), 1);
}

#[tokio::test]
async fn a_request_that_nobody_answers_expires() {
    let stage = Stage::new();
    let pending = delete("a", "k").request_approval(&stage.runtime).await.unwrap();
    let old = pending.request().unwrap().clone();
    stage.clock.advance(secs(15 * 60));
    let gone = soon(pending.wait()).await.unwrap_err();
    assert!(matches!(gone, ApprovalError::Gone { .. }), "{gone:?}");
    let approver = stage.runtime.insecure_local_approver("ann");
    approver.grant_request(&old).await.unwrap_err();
    let pending = delete("a", "k").request_approval(&stage.runtime).await.unwrap();
    assert_ne!(pending.request(), Some(&old));
}

#[tokio::test]
async fn a_grant_that_nobody_uses_expires() {
    let stage = Stage::new();
    let approval = approved(&stage, "a", "k").await;
    stage.clock.advance(secs(15 * 60));
    delete("a", "k").approved(approval).call(&stage.runtime).await.refused(Code::APPROVAL_VOID);
    assert_eq!(stage.world.attempts(), 0);

    let stage = Stage::new();
    let approval = approved(&stage, "a", "k").await;
    stage.clock.advance(secs(15 * 60) - ms(1));
    delete("a", "k").approved(approval).call(&stage.runtime).await.unwrap();
}

#[tokio::test]
async fn a_grant_is_given_back_if_nothing_happened() {
    let stage = Stage::new();
    let pending = delete("a", "k").request_approval(&stage.runtime).await.unwrap();
    let approval = stage.runtime.insecure_local_approver("ann").grant(&pending).await.unwrap();
    stage.world.then(Act::Fail(Trouble::Invalid));
    let failure = delete("a", "k").approved(approval).call(&stage.runtime).await.failed();
    assert_eq!(failure, Failure::Tool(Trouble::Invalid));
    let approval = pending.granted().await.unwrap().expect("it was given back");
    delete("a", "k").approved(approval).call(&stage.runtime).await.unwrap();
    assert_eq!(stage.world.effects(), 1);
}

#[tokio::test]
async fn a_grant_that_was_given_back_keeps_its_time() {
    let stage = Stage::new();
    let pending = delete("a", "k").request_approval(&stage.runtime).await.unwrap();
    let approval = stage.runtime.insecure_local_approver("ann").grant(&pending).await.unwrap();
    stage.world.then(Act::Fail(Trouble::Invalid));
    delete("a", "k").approved(approval).call(&stage.runtime).await.failed();
    let approval = pending.granted().await.unwrap().expect("it was given back");
    stage.clock.advance(secs(15 * 60));
    delete("a", "k").approved(approval).call(&stage.runtime).await.refused(Code::APPROVAL_VOID);
    assert_eq!(stage.world.attempts(), 1);
}

#[tokio::test]
async fn a_grant_is_spent_by_an_unknown_outcome() {
    let stage = Stage::new();
    let pending = delete("a", "k").request_approval(&stage.runtime).await.unwrap();
    let approval = stage.runtime.insecure_local_approver("ann").grant(&pending).await.unwrap();
    stage.world.then(Act::Fail(Trouble::NoAnswer));
    delete("a", "k").approved(approval).call(&stage.runtime).await.unknown();
    let gone = pending.granted().await.unwrap_err();
    assert!(matches!(gone, ApprovalError::Gone { .. }), "{gone:?}");
    delete("a", "k").request_approval(&stage.runtime).await.unknown();
    // A person finds that it did not happen; whoever wants it now asks anew.
    let resolved = Resolved::DidNotHappen { holder_is_dead: true };
    let resolution = Resolution {
        escalation: None,
        id: id("delete_account", "k"),
        by: "bob".into(),
        why: "looked".into(),
        resolved,
    };
    stage.ledger.inner().resolve(resolution).await.unwrap();
    let again = delete("a", "k").request_approval(&stage.runtime).await.unwrap();
    assert_ne!(again.request(), pending.request());
    assert!(again.granted().await.unwrap().is_none());
    assert_eq!(stage.world.attempts(), 1);
}

#[tokio::test]
async fn one_grant_lets_one_of_two_calls_run() {
    let stage = Stage::new();
    let pending = delete("a", "k").request_approval(&stage.runtime).await.unwrap();
    let first = stage.runtime.insecure_local_approver("ann").grant(&pending).await.unwrap();
    let second = pending.granted().await.unwrap().unwrap();
    let gate = Gate::new();
    stage.world.then(gate.within(Act::Fail(Trouble::NoAnswer)));
    let first = tokio::spawn(delete("a", "k").approved(first).call(&stage.runtime));
    gate.reached().await;
    let second = tokio::spawn(delete("a", "k").approved(second).call(&stage.another_runtime()));
    others().await;
    gate.open();
    soon(first).await.unwrap().unknown();
    soon(second).await.unwrap().unknown();
    assert_eq!((stage.world.attempts(), stage.world.effects()), (1, 1));
}

#[tokio::test]
async fn who_asks_may_not_approve() {
    let stage = Stage::new();
    let pending = delete("a", "k").user("ann").request_approval(&stage.runtime).await.unwrap();
    let error = stage.runtime.insecure_local_approver("ann").grant(&pending).await.unwrap_err();
    assert!(matches!(&error, ApprovalError::Requester { by, .. } if &**by == "ann"), "{error:?}");
    stage
        .runtime
        .insecure_local_approver("ann")
        .grant_request(pending.request().unwrap())
        .await
        .unwrap_err();
    assert!(pending.granted().await.unwrap().is_none());
    let _ = stage.runtime.insecure_local_approver("bob").grant(&pending).await.unwrap();
}

/// Delete everything, if two people agree.
#[tool(
    side_effect = "destructive",
    idempotent,
    confirm(by = "human", quorum = 2),
    rollback = "none",
    state(World)
)]
async fn delete_everything(cx: &Cx) -> Result<u32, Trouble> {
    cx.state::<World>().act("all").await
}

#[tokio::test]
async fn a_quorum_is_of_different_people() {
    let stage = Stage::new();
    let pending = delete_everything().key("k").request_approval(&stage.runtime).await.unwrap();
    let (ann, bob) = (
        stage.runtime.insecure_local_approver("ann"),
        stage.runtime.insecure_local_approver("bob"),
    );
    let error = ann.grant(&pending).await.unwrap_err();
    assert!(matches!(error, ApprovalError::Quorum { missing: 1, .. }), "{error:?}");
    let error = ann.grant(&pending).await.unwrap_err();
    assert!(matches!(error, ApprovalError::Again { .. }), "{error:?}");
    assert!(pending.granted().await.unwrap().is_none());
    let approval = bob.grant(&pending).await.unwrap();
    delete_everything().key("k").approved(approval).call(&stage.runtime).await.unwrap();
}

#[tokio::test]
async fn one_no_outweighs_a_yes() {
    let stage = Stage::new();
    let pending = delete_everything().key("k").request_approval(&stage.runtime).await.unwrap();
    stage.runtime.insecure_local_approver("ann").grant(&pending).await.unwrap_err();
    stage.runtime.insecure_local_approver("bob").deny(&pending, "no").await.unwrap();
    stage.runtime.insecure_local_approver("eve").grant(&pending).await.unwrap_err();
    assert!(matches!(pending.granted().await, Err(ApprovalError::Denied { .. })));
}

/// Freeze an account, and say why.
#[tool(
    side_effect = "destructive",
    idempotent,
    confirm(by = "human", ttl = "15m"),
    rollback = "none",
    state(World)
)]
async fn freeze_account(
    cx: &Cx,
    account: String,
    #[arg(ignore)] why: String,
    #[arg(ignore)] heirs: Option<String>,
) -> Result<u32, Trouble> {
    cx.state::<World>().act(&format!("{account}, {why}, {heirs:?}")).await
}

#[tokio::test]
async fn an_approval_is_for_the_ignored_arguments_too() {
    let stage = Stage::new();
    let freeze = |why: &str| freeze_account("a".into(), why.into(), None).key("k");
    let pending = freeze("she asked").request_approval(&stage.runtime).await.unwrap();
    let approver = stage.runtime.insecure_local_approver("ann");
    let approval = approver.grant(&pending).await.unwrap();
    let record = stage.ledger.inner().find(id("freeze_account", "k")).await.unwrap().unwrap();
    let asked = record.approval.unwrap();
    assert_eq!(asked.ignored(), Some(r#"{"heirs":null,"why":"she asked"}"#));

    let other = freeze("to hide it").approved(approval).call(&stage.runtime).await;
    let rejected = other.refused(Code::APPROVAL_VOID);
    assert!(rejected.reason.contains(r#""why":"she asked""#), "{rejected}");
    assert!(rejected.next.contains("call with those values"), "{rejected}");
    assert_eq!(stage.world.attempts(), 0);

    // What was approved runs, and its result is that of any other wording.
    let approval = pending.granted().await.unwrap().expect("it was not used");
    freeze("she asked").approved(approval).call(&stage.runtime).await.unwrap();
    let pending = freeze("to hide it").request_approval(&stage.runtime).await.unwrap();
    assert_eq!(pending.request(), None, "a replay needs no approval");
    assert_eq!(stage.world.effects(), 1);
}

#[tokio::test]
async fn an_approval_is_for_who_asked() {
    let stage = Stage::new();
    for (asks, calls, next) in [
        (Some("agent"), None, "call with the `user` who asked"),
        (Some("agent"), Some("eve"), "call with the `user` who asked"),
        (None, Some("eve"), "call without `user`"),
    ] {
        let key = format!("{}-{}", asks.unwrap_or("nobody"), calls.unwrap_or("nobody"));
        let call = |user: Option<&str>| {
            let call = delete("a", &key);
            if let Some(user) = user { call.user(user) } else { call }
        };
        let pending = call(asks).request_approval(&stage.runtime).await.unwrap();
        let approver = stage.runtime.insecure_local_approver("ann");
        let approval = approver.grant(&pending).await.unwrap();
        let rejected = call(calls).approved(approval).call(&stage.runtime).await;
        let rejected = rejected.refused(Code::APPROVAL_VOID);
        assert!(
            rejected.next.contains(next) && !rejected.to_string().contains("agent "),
            "{rejected}"
        );
        let approval = pending.granted().await.unwrap().expect("it was not used");
        call(asks).approved(approval).call(&stage.runtime).await.unwrap();
    }
    assert_eq!(stage.world.effects(), 3);
}

// ---- dynamic ----

async fn dispatch(
    runtime: &Runtime,
    account: &str,
    key: &str,
    user: Option<&str>,
    approval: Option<ApprovalId>,
) -> Response {
    let (idempotency_key, user) = (Some(key.to_owned()), user.map(str::to_owned));
    let meta = Meta { idempotency_key, user, approval, ..Meta::default() };
    runtime
        .dispatch(
            Request::new("delete_account", &serde_json::json!({ "account": account }), meta)
                .unwrap(),
        )
        .await
}

#[tokio::test]
async fn a_dynamic_call_is_told_to_wait_and_runs_once_it_is_granted() {
    let stage = Stage::new();
    let runtime = stage.builder().tool::<DeleteAccount>().build().unwrap();
    let response = dispatch(&runtime, "a", "k", Some("agent"), None).await;
    assert_eq!(
        (response.status, response.code),
        (Status::AwaitingApproval, Some(Code::APPROVAL_MISSING))
    );
    let request = response.approval.clone().expect("what to wait for");
    assert_eq!(
        dispatch(&runtime, "a", "k", Some("agent"), None).await.approval,
        Some(request.clone())
    );
    runtime.insecure_local_approver("agent").grant_request(&request).await.unwrap_err();
    assert_eq!(stage.world.attempts(), 0);

    runtime.insecure_local_approver("ann").grant_request(&request).await.unwrap();
    let response = dispatch(&runtime, "a", "k", Some("agent"), Some(request.clone())).await;
    assert_eq!((response.status, response.replayed), (Status::Succeeded, false));
    // The replay takes the spent approval or none.
    for approval in [Some(request), None] {
        let response = dispatch(&runtime, "a", "k", Some("agent"), approval).await;
        assert_eq!((response.status, response.replayed), (Status::Succeeded, true));
    }
    assert_eq!(stage.world.effects(), 1);
}

#[tokio::test]
async fn a_dynamic_call_whose_approval_was_taken_back_is_refused() {
    let stage = Stage::new();
    let runtime = stage.builder().tool::<DeleteAccount>().build().unwrap();
    let request = dispatch(&runtime, "a", "k", None, None).await.approval.unwrap();
    runtime.insecure_local_approver("ann").grant_request(&request).await.unwrap();
    runtime.insecure_local_approver("bob").deny_request(&request, "she may not").await.unwrap();
    for approval in [Some(request), None] {
        let response = dispatch(&runtime, "a", "k", None, approval).await;
        assert_eq!(
            (response.status, response.code),
            (Status::Refused, Some(Code::APPROVAL_DENIED))
        );
    }
    assert_eq!(stage.world.attempts(), 0);
}

#[tokio::test]
async fn a_dynamic_call_that_brings_the_approval_of_another_is_refused() {
    let stage = Stage::new();
    let runtime = stage.builder().tool::<DeleteAccount>().build().unwrap();
    let other = dispatch(&runtime, "b", "k2", None, None).await.approval.unwrap();
    runtime.insecure_local_approver("ann").grant_request(&other).await.unwrap();
    let made_up = ApprovalId(Arc::from("apr_0000"));
    for approval in [other, made_up] {
        let response = dispatch(&runtime, "a", "k", None, Some(approval)).await;
        assert_eq!((response.status, response.code), (Status::Refused, Some(Code::APPROVAL_VOID)));
    }
    assert_eq!((stage.world.attempts(), stage.state("delete_account", "k").await), (0, None));
}

#[tokio::test]
async fn a_dynamic_call_with_other_arguments_is_a_conflict_while_one_waits() {
    let stage = Stage::new();
    let runtime = stage.builder().tool::<DeleteAccount>().build().unwrap();
    let request = dispatch(&runtime, "a", "k", None, None).await.approval.unwrap();
    assert_eq!(dispatch(&runtime, "b", "k", None, None).await.code, Some(Code::CONFLICT));
    runtime.insecure_local_approver("ann").grant_request(&request).await.unwrap();
    assert_eq!(dispatch(&runtime, "b", "k", None, Some(request)).await.code, Some(Code::CONFLICT));
    assert_eq!(stage.world.attempts(), 0);
}

#[tokio::test]
async fn other_arguments_under_a_released_key_are_asked_for_anew() {
    let stage = Stage::new();
    let runtime = stage.builder().tool::<DeleteAccount>().build().unwrap();
    let request = dispatch(&runtime, "a", "k", None, None).await.approval.unwrap();
    runtime.insecure_local_approver("ann").grant_request(&request).await.unwrap();
    stage.world.then(Act::Fail(Trouble::Invalid));
    assert_eq!(dispatch(&runtime, "a", "k", None, None).await.status, Status::Failed);
    // The grant was given back: to the arguments that it was for.
    let response = dispatch(&runtime, "b", "k", None, None).await;
    assert_eq!(response.status, Status::AwaitingApproval);
    assert_ne!(response.approval, Some(request));
    assert_eq!(stage.world.attempts(), 1);
}

// ---- the ledger fails ----

#[tokio::test]
async fn a_grant_that_could_not_be_recorded_is_none() {
    let stage = Stage::new();
    let pending = delete("a", "k").request_approval(&stage.runtime).await.unwrap();
    let approver = stage.runtime.insecure_local_approver("ann");
    stage.ledger.fail(Step::DecideApproval, Fault::Lost, 1);
    let error = approver.grant(&pending).await.unwrap_err();
    assert!(matches!(error, ApprovalError::Ledger(_)), "{error:?}");
    assert!(pending.granted().await.unwrap().is_none());
    let _ = approver.grant(&pending).await.unwrap();
}

#[tokio::test]
async fn a_grant_whose_answer_was_lost_stands() {
    let stage = Stage::new();
    let pending = delete("a", "k").request_approval(&stage.runtime).await.unwrap();
    stage.ledger.fail(Step::DecideApproval, Fault::ReplyLost, 1);
    stage.runtime.insecure_local_approver("ann").grant(&pending).await.unwrap_err();
    let approval = pending.granted().await.unwrap().expect("it was recorded");
    delete("a", "k").approved(approval).call(&stage.runtime).await.unwrap();
}

#[tokio::test]
async fn whether_it_is_granted_cannot_be_said_without_the_ledger() {
    let stage = Stage::new();
    let pending = delete("a", "k").request_approval(&stage.runtime).await.unwrap();
    let _ = stage.runtime.insecure_local_approver("ann").grant(&pending).await.unwrap();
    stage.ledger.fail(Step::Read, Fault::Lost, 2);
    for _ in 0..2 {
        assert!(matches!(pending.granted().await, Err(ApprovalError::Ledger(_))));
    }
    assert!(pending.granted().await.unwrap().is_some());
}

#[tokio::test]
async fn a_request_that_could_not_be_recorded_lets_nothing_run() {
    let stage = Stage::new();
    stage.ledger.fail(Step::Admit, Fault::Lost, usize::MAX);
    delete("a", "k").request_approval(&stage.runtime).await.ledgerless();
    stage.ledger.heal();
    assert_eq!(stage.state("delete_account", "k").await, None);
}

#[tokio::test]
async fn a_holder_that_vanished_spent_the_grant() {
    let stage = Stage::new();
    let approval = approved(&stage, "a", "k").await;
    stage.ledger.fail(Step::Settle, Fault::Lost, usize::MAX);
    delete("a", "k").approved(approval).call(&stage.runtime).await.unknown();
    stage.ledger.heal();
    stage.clock.advance(crate::stage::LEASE);
    delete("a", "k").request_approval(&stage.runtime).await.unknown();
    assert_eq!(stage.world.effects(), 1);
}
