//! What is tried, and what comes of it.

use serde_json::{Value, json};
use tool_contract::approval::ApprovalError;
use tool_contract::ledger::{ApprovalVerdict, Timestamp};
use tool_contract::spec::rulebook::Code;
use tool_contract::{CallError, Status};

use crate::office::{Office, delete, grant, id};

const TOOL: &str = "delete_account";

pub(crate) async fn all(office: &Office) {
    signed(office).await;
    refused(office).await;
    by_the_agent_itself(office).await;
    without_a_key_that_counts(office).await;
    of_another(office).await;
    spent(office).await;
    over(office).await;
    altered(office).await;
    by_the_requester(office).await;
    by_too_few(office).await;
    racing(office).await;
}

async fn signed(office: &Office) {
    let pending = delete("a", "typed").request_approval(&office.runtime).await.unwrap();
    assert!(pending.granted().await.unwrap().is_none());
    office
        .alice
        .decide(&*office.ledger, pending.operation(), ApprovalVerdict::GRANT)
        .await
        .unwrap();
    let approval = pending.wait().await.unwrap();
    delete("a", "typed").approved(approval).call(&office.runtime).await.unwrap();
    assert_eq!(office.deleted(), 1);
    let id = office.ask(TOOL, "dynamic").await;
    office.bob.decide(&*office.ledger, &id, ApprovalVerdict::GRANT).await.unwrap();
    office.runs(&id).await;
    assert!(office.dispatch(TOOL, "dynamic", None).await.replayed);
}

async fn refused(office: &Office) {
    let no = || ApprovalVerdict::Deny { why: "it is in use".into() };
    let id = office.ask(TOOL, "denied").await;
    let pending = delete("a", "denied").request_approval(&office.runtime).await.unwrap();
    office.alice.decide(&*office.ledger, &id, no()).await.unwrap();
    let response = office.dispatch(TOOL, "denied", None).await;
    assert_eq!((response.status, response.code), (Status::Refused, Some(Code::APPROVAL_DENIED)));
    assert!(response.message.unwrap().contains("alice refused it: it is in use"));
    let error = pending.granted().await.unwrap_err();
    assert!(matches!(&error, ApprovalError::Denied { by, .. } if &**by == "alice"), "{error:?}");
    // In her name, without her key: nothing runs, and those who count are still heard.
    let id = office.ask(TOOL, "denied-in-her-name").await;
    let pending =
        delete("a", "denied-in-her-name").request_approval(&office.runtime).await.unwrap();
    office.false_alice.decide(&*office.ledger, &id, no()).await.unwrap();
    assert!(pending.granted().await.unwrap().is_none());
    office.is_no_good_until_signed(&id).await;
}

/// The agent's process has the ledger, and a runtime of its own on it.
async fn by_the_agent_itself(office: &Office) {
    let insecure = office.insecure_runtime();
    let pending = delete("a", "own").request_approval(&insecure).await.unwrap();
    let approval = insecure.insecure_local_approver("alice").grant(&pending).await.unwrap();
    let error = delete("a", "own").approved(approval).call(&office.runtime).await.unwrap_err();
    assert!(
        matches!(&error, CallError::Rejected(rejected) if rejected.code == Code::APPROVAL_MISSING),
        "{error:?}"
    );
    office.is_no_good_until_signed(pending.operation()).await;
    // A runtime with keys has no approver without.
    let pending = delete("a", "local").request_approval(&office.runtime).await.unwrap();
    let local = office.runtime.insecure_local_approver("alice").grant(&pending).await;
    assert!(matches!(local, Err(ApprovalError::Unproven { .. })), "{local:?}");
}

async fn without_a_key_that_counts(office: &Office) {
    for (name, approver) in [("stranger", &office.mallory), ("wrong-key", &office.false_alice)] {
        let id = office.ask(TOOL, name).await;
        approver.decide(&*office.ledger, &id, ApprovalVerdict::GRANT).await.unwrap();
        office.is_no_good_until_signed(&id).await;
    }
    for signature in [Value::Null, json!("00".repeat(64))] {
        let key = format!("unsigned-{}", signature.is_null());
        let id = office.ask(TOOL, &key).await;
        let end = Timestamp::END;
        let forged = json!({ "by": "alice", "at": 0, "until": end, "signature": signature });
        if office.rewrite(&id, |approval| approval["grants"] = json!([forged])) {
            office.is_no_good_until_signed(&id).await;
        }
    }
}

async fn of_another(office: &Office) {
    let first = office.ask(TOOL, "of-one").await;
    let genuine = office.signed(&office.alice, &first, ApprovalVerdict::GRANT).await;
    // Of another key, and of another tenant's same key; with its own name or not.
    let second = office.ask(TOOL, "of-another").await;
    for request in [None, Some(&genuine.request)] {
        let forged = |approval: &mut Value| {
            approval["grants"] = json!([grant(&genuine)]);
            if let Some(request) = request {
                approval["id"] = json!(request);
            }
        };
        if office.rewrite(&second, forged) {
            office.is_no_good(&second).await;
        }
    }
    office.dispatch(TOOL, "tenants", Some("acme")).await;
    let acme = id(Some("acme"), TOOL, "tenants");
    office.alice.decide(&*office.ledger, &acme, ApprovalVerdict::GRANT).await.unwrap();
    let theirs = office.approval(&acme).await;
    office.ask(TOOL, "tenantless").await;
    let ours = id(None, TOOL, "tenantless");
    if office.rewrite(&ours, |approval| *approval = serde_json::to_value(&theirs).unwrap()) {
        office.is_no_good_until_signed(&ours).await;
    }
}

async fn spent(office: &Office) {
    let id = office.ask(TOOL, "spent").await;
    office.alice.decide(&*office.ledger, &id, ApprovalVerdict::GRANT).await.unwrap();
    let spent = office.approval(&id).await;
    office.runs(&id).await;
    assert!(office.record(&id).await.approval.is_none());
    // As if it had not been used: written back where it stood.
    if office.revive(&id, &spent) {
        office.is_no_good(&id).await;
    }
    let fresh = office.ask(TOOL, "fresh").await;
    if office.rewrite(&fresh, |approval| *approval = serde_json::to_value(&spent).unwrap()) {
        office.is_no_good(&fresh).await;
    }
}

async fn over(office: &Office) {
    let id = office.ask(TOOL, "over").await;
    let verdict = ApprovalVerdict::Grant { until: Timestamp(1) };
    let error = office.alice.decide(&*office.ledger, &id, verdict.clone()).await.unwrap_err();
    assert!(matches!(error, ApprovalError::Over { .. }), "{error:?}");
    let over = grant(&office.signed(&office.alice, &id, verdict).await);
    let mut longer = over.clone();
    longer["until"] = json!(Timestamp::END);
    for forged in [over, longer] {
        if office.rewrite(&id, |approval| approval["grants"] = json!([forged])) {
            office.is_no_good(&id).await;
        }
    }
}

async fn altered(office: &Office) {
    let id = office.ask(TOOL, "altered").await;
    // A no that became a yes.
    let no = office.signed(&office.alice, &id, ApprovalVerdict::Deny { why: "no".into() }).await;
    let mut flipped = no;
    flipped.verdict = ApprovalVerdict::GRANT;
    if office.rewrite(&id, |approval| approval["grants"] = json!([grant(&flipped)])) {
        office.is_no_good(&id).await;
    }
    // A request that looks like somebody else's: what is signed for that person
    // is not for this call.
    let id = office.ask(TOOL, "requester").await;
    if office.rewrite(&id, |approval| approval["requested_by"] = json!("carol")) {
        office.alice.decide(&*office.ledger, &id, ApprovalVerdict::GRANT).await.unwrap();
        let response = office.dispatch(TOOL, "requester", None).await;
        assert_eq!(response.code, Some(Code::APPROVAL_VOID), "{response:?}");
        assert!(office.rewrite(&id, |approval| approval["requested_by"] = json!("agent")));
        office.is_no_good_until_signed(&id).await;
    }
    // Arguments that look harmless are not signed.
    let id = office.ask(TOOL, "arguments").await;
    let harmless = json!({ "version": 1, "arguments": "{\"account\":\"test\"}" });
    if office.rewrite(&id, |approval| approval["preimage"] = harmless) {
        let error = office.alice.decide(&*office.ledger, &id, ApprovalVerdict::GRANT).await;
        assert!(matches!(error, Err(ApprovalError::Altered { .. })), "{error:?}");
    }
    // Other arguments are another call.
    let id = office.ask(TOOL, "others").await;
    let pending = delete("a", "others").request_approval(&office.runtime).await.unwrap();
    office.alice.decide(&*office.ledger, &id, ApprovalVerdict::GRANT).await.unwrap();
    let approval = pending.granted().await.unwrap().unwrap();
    let error = delete("b", "others").approved(approval).call(&office.runtime).await.unwrap_err();
    assert_eq!(error.code(), Some(Code::CONFLICT));
    office.runs(&id).await;
}

async fn by_the_requester(office: &Office) {
    let call = || delete("a", "requested").user("alice");
    let pending = call().request_approval(&office.runtime).await.unwrap();
    let id = pending.operation();
    let error = office.alice.decide(&*office.ledger, id, ApprovalVerdict::GRANT).await.unwrap_err();
    assert!(matches!(&error, ApprovalError::Requester { by, .. } if &**by == "alice"), "{error:?}");
    // She writes that Carol asked, signs that, and writes it back.
    if office.rewrite(id, |approval| approval["requested_by"] = json!("carol")) {
        office.alice.decide(&*office.ledger, id, ApprovalVerdict::GRANT).await.unwrap();
        assert!(office.rewrite(id, |approval| approval["requested_by"] = json!("alice")));
        assert!(pending.granted().await.unwrap().is_none());
        office.bob.decide(&*office.ledger, id, ApprovalVerdict::GRANT).await.unwrap();
        call()
            .approved(pending.granted().await.unwrap().unwrap())
            .call(&office.runtime)
            .await
            .unwrap();
    }
}

async fn by_too_few(office: &Office) {
    let tool = "delete_everything";
    let id = office.ask(tool, "two").await;
    office.alice.decide(&*office.ledger, &id, ApprovalVerdict::GRANT).await.unwrap();
    office.is_no_good(&id).await;
    let own = office.approval(&id).await.grants.remove(0);
    let mut other = serde_json::to_value(&own).unwrap();
    other["by"] = json!("bob");
    for grants in [json!([own, own]), json!([own, other])] {
        if office.rewrite(&id, |approval| approval["grants"] = grants) {
            office.is_no_good(&id).await;
        }
    }
    for quorum in [0, 1] {
        if office.rewrite(&id, |approval| approval["quorum"] = json!(quorum)) {
            office.is_no_good(&id).await;
        }
    }
    office.bob.decide(&*office.ledger, &id, ApprovalVerdict::GRANT).await.unwrap();
    office.runs(&id).await;
}

/// Two processes, and one grant.
async fn racing(office: &Office) {
    let other = office.another_runtime();
    for round in 0..8 {
        let key = format!("race-{round}");
        let pending = delete("a", &key).request_approval(&office.runtime).await.unwrap();
        office
            .alice
            .decide(&*office.ledger, pending.operation(), ApprovalVerdict::GRANT)
            .await
            .unwrap();
        let approvals = [pending.wait().await.unwrap(), pending.wait().await.unwrap()];
        let before = office.deleted();
        let [one, two] = approvals.map(|approval| delete("a", &key).approved(approval));
        let (one, two) =
            tokio::join!(tokio::spawn(one.call(&office.runtime)), tokio::spawn(two.call(&other)));
        let replays = [one.unwrap().unwrap(), two.unwrap().unwrap()].map(|done| done.replayed());
        assert_eq!(replays.iter().filter(|replayed| **replayed).count(), 1);
        assert_eq!(office.deleted(), before + 1);
    }
}
