//! Whose yes counts, whoever wrote it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tool_contract_spec::key::OperationId;
use tool_contract_spec::operation::Preimage;

use super::racing::{admit_all, fences};
use super::stage::{NOTHING, Stage, call, confirmed, happened, hash, id, key, unknown};
use crate::ledger::{
    Admission, ApprovalId, ApprovalVerdict, Decided, Decision, Record, Refusal, Resolved,
    Signature, Signer, StateName, Statement, Terms, Timestamp, Trust, Undecided, Verifier,
};

/// Whose signatures nobody can make: it knows each that it made. Ann and Bob have
/// keys; Ann also signs as Anne, with the same one.
#[derive(Debug, Default)]
struct Notary(Mutex<Vec<Vec<u8>>>);

impl Notary {
    fn sign(&self, statement: &Statement<'_>) -> Signature {
        let mut made = self.0.lock().unwrap();
        made.push(statement.bytes());
        let number = u8::try_from(made.len()).unwrap();
        Signature([number; 64])
    }
}

impl Verifier for Notary {
    fn signer(&self, statement: &Statement<'_>, signature: Option<&Signature>) -> Option<Signer> {
        let number = usize::from(signature?.0[0]).checked_sub(1)?;
        let made = self.0.lock().unwrap();
        let is_genuine = made.get(number)? == &statement.bytes();
        let signer = match statement.by {
            "ann" | "anne" => Signer([1; 32]),
            "bob" => Signer([2; 32]),
            _ => return None,
        };
        is_genuine.then_some(signer)
    }
}

/// Believes one statement, without a signature: with it, whoever has the ledger
/// can write what they like.
#[derive(Debug)]
struct Forger(Vec<u8>);

impl Verifier for Forger {
    fn signer(&self, statement: &Statement<'_>, _: Option<&Signature>) -> Option<Signer> {
        (statement.bytes() == self.0).then_some(Signer([9; 32]))
    }
}

/// Knows whoever says something, if they are Eve, and nobody else.
#[derive(Debug)]
struct Own;

impl Own {
    fn trust() -> Trust {
        Trust::new(Arc::new(Self))
    }
}

impl Verifier for Own {
    fn signer(&self, statement: &Statement<'_>, _: Option<&Signature>) -> Option<Signer> {
        (statement.by == "eve").then_some(Signer([8; 32]))
    }

    fn knows_everybody(&self) -> bool {
        false
    }
}

/// A ledger, and people who sign.
struct Office {
    stage: Stage,
    notary: Arc<Notary>,
    trust: Trust,
    quorum: u32,
}

const MINUTE: Duration = Duration::from_mins(1);

impl Office {
    fn new(stage: Stage, quorum: u32) -> Self {
        let notary = Arc::new(Notary::default());
        let trust = Trust::new(Arc::clone(&notary) as _);
        Self { stage, notary, trust, quorum }
    }

    /// A call on behalf of an agent.
    fn asking(&self, caller: u128, id: &OperationId) -> Admission {
        let terms = Terms { confirm: Some((MINUTE, self.quorum)), ..confirmed() };
        let preimage = Preimage {
            version: 1,
            arguments: "{}".into(),
            fingerprint: None,
            ignored: Some(r#"{"memo":"as agreed"}"#.into()),
        };
        Admission {
            terms: terms.into(),
            requested_by: Some("agent".into()),
            preimage: Some(preimage),
            trust: self.trust.clone(),
            ..call(caller, id)
        }
    }

    async fn request(&self, caller: u128, id: &OperationId) -> ApprovalId {
        match self.stage.refusal(&self.asking(caller, id)).await {
            Refusal::AwaitingApproval { request, .. } => request,
            other => panic!("no request: {other:?}"),
        }
    }

    async fn record(&self, id: &OperationId) -> Record {
        self.stage.find(id).await.expect("a record")
    }

    /// What somebody with a key signs of what is on record.
    async fn signed(&self, id: &OperationId, by: &str, verdict: ApprovalVerdict) -> Decision {
        let record = self.record(id).await;
        let approval = record.approval.expect("a request");
        let signature = self.notary.sign(&Statement {
            id,
            hash: &record.hash,
            ignored: approval.ignored(),
            requested_by: approval.requested_by.as_deref(),
            request: &approval.id,
            by,
            verdict: &verdict,
        });
        Decision {
            id: id.clone(),
            request: approval.id,
            by: by.into(),
            verdict,
            signature: Some(signature),
            trust: self.trust.clone(),
        }
    }

    async fn decide(&self, decision: Decision) -> Decided {
        self.stage.ledger.decide_approval(decision).await.unwrap()
    }

    /// Writes it as whoever has the ledger can: asking nobody.
    async fn write(&self, decision: Decision) {
        let record = self.record(&decision.id).await;
        let approval = record.approval.expect("a request");
        let statement = Statement {
            id: &decision.id,
            hash: &record.hash,
            ignored: approval.ignored(),
            requested_by: approval.requested_by.as_deref(),
            request: &decision.request,
            by: &decision.by,
            verdict: &decision.verdict,
        };
        let trust = Trust::new(Arc::new(Forger(statement.bytes())));
        let written = self.decide(Decision { trust, ..decision }).await;
        assert!(!matches!(written, Decided::Refused(_)), "{written:?}");
    }

    /// What is not proven is not recorded; and recorded all the same, it lets
    /// nothing run.
    async fn is_no_good(&self, decision: Decision) {
        let id = decision.id.clone();
        let refused = self.decide(decision.clone()).await;
        assert_eq!(refused, Decided::Refused(Undecided::Unproven));
        self.write(decision).await;
        self.waits(&id).await;
    }

    async fn waits(&self, id: &OperationId) {
        let refusal = self.stage.refusal(&self.asking(77, id)).await;
        assert!(matches!(refusal, Refusal::AwaitingApproval { .. }), "{refusal:?}");
    }

    async fn runs(&self, id: &OperationId) {
        let claim = self.stage.claim(&self.asking(88, id)).await;
        self.stage.settle(id, claim.fence, happened("7")).await;
    }
}

pub(super) async fn a_signed_grant_is_kept_and_used_once(stage: Stage) {
    let office = Office::new(stage, 1);
    let id = key("k");
    office.request(1, &id).await;
    let until = Timestamp(office.record(&id).await.created_at.0 + 30_000);
    let decision = office.signed(&id, "ann", ApprovalVerdict::Grant { until }).await;
    let granted = office.decide(decision.clone()).await;
    assert_eq!(granted, Decided::Granted { expires_at: until }, "it holds no longer than it says");
    let approval = office.record(&id).await.approval.expect("the request");
    assert_eq!(
        (approval.grants[0].until, approval.grants[0].signature),
        (until, decision.signature)
    );
    assert_eq!(approval.preimage.map(|preimage| preimage.version), Some(1));
    // Released, so it is given back; then it is spent.
    let claim = office.stage.claim(&office.asking(2, &id)).await;
    office.stage.settle(&id, claim.fence, NOTHING).await;
    office.runs(&id).await;
    let again = office.decide(decision).await;
    assert!(matches!(again, Decided::Refused(Undecided::NoRequest { .. })), "{again:?}");
}

pub(super) async fn what_is_not_signed_lets_nothing_run(stage: Stage) {
    let office = Office::new(stage, 1);
    for (name, by, signature) in [
        ("unsigned", "ann", None),
        ("made up", "ann", Some(Signature([200; 64]))),
        ("a stranger", "eve", None),
    ] {
        let id = key(name.split(' ').next().unwrap());
        office.request(1, &id).await;
        let decision = office.signed(&id, by, ApprovalVerdict::GRANT).await;
        let signature = if by == "eve" { decision.signature } else { signature };
        office.is_no_good(Decision { signature, ..decision }).await;
        // What somebody wrote in her name keeps nobody from deciding.
        let genuine = office.signed(&id, "ann", ApprovalVerdict::GRANT).await;
        assert!(matches!(office.decide(genuine).await, Decided::Granted { .. }), "{name}");
        office.runs(&id).await;
    }
}

pub(super) async fn a_signature_is_for_one_request(stage: Stage) {
    let office = Office::new(stage, 1);
    let ids = [key("k"), key("other"), id(Some("acme"), "tool", "k"), id(None, "lathe", "k")];
    for id in &ids {
        office.request(1, id).await;
    }
    let genuine = office.signed(&ids[0], "ann", ApprovalVerdict::GRANT).await;
    for id in &ids[1..] {
        // Under its own name, and with that of the request that it was for.
        let request = office.record(id).await.approval.expect("a request").id;
        office.is_no_good(Decision { id: id.clone(), request, ..genuine.clone() }).await;
    }
    let no = office.signed(&ids[0], "ann", ApprovalVerdict::Deny { why: "no".into() }).await;
    office.is_no_good(Decision { verdict: ApprovalVerdict::GRANT, ..no }).await;
    let until = Timestamp(office.record(&ids[1]).await.created_at.0 + 1);
    let short = office.signed(&ids[1], "bob", ApprovalVerdict::Grant { until }).await;
    office.is_no_good(Decision { verdict: ApprovalVerdict::GRANT, ..short }).await;
}

pub(super) async fn a_spent_grant_is_no_other_request_s(stage: Stage) {
    let office = Office::new(stage, 1);
    let id = key("k");
    office.request(1, &id).await;
    let spent = office.signed(&id, "ann", ApprovalVerdict::GRANT).await;
    office.decide(spent.clone()).await;
    let claim = office.stage.claim(&office.asking(2, &id)).await;
    office.stage.settle(&id, claim.fence, unknown()).await;
    office.stage.resolve(&id, Resolved::DidNotHappen { holder_is_dead: true }).await;
    let request = office.request(3, &id).await;
    assert_ne!(request, spent.request);
    office.is_no_good(Decision { request, ..spent }).await;
}

pub(super) async fn a_grant_ends_when_it_says(stage: Stage) {
    let office = Office::new(stage, 1);
    let id = key("k");
    office.request(1, &id).await;
    let now = office.record(&id).await.created_at;
    let until = Timestamp(now.0 + 20_000);
    let over = office.signed(&id, "ann", ApprovalVerdict::Grant { until: now }).await;
    assert_eq!(office.decide(over).await, Decided::Refused(Undecided::Over));
    let decision = office.signed(&id, "ann", ApprovalVerdict::Grant { until }).await;
    // Written so that the ledger thinks it holds longer.
    let longer = Decision { by: "bob".into(), verdict: ApprovalVerdict::GRANT, ..decision.clone() };
    office.write(longer).await;
    office.decide(decision).await;
    office.stage.pass(Duration::from_secs(21)).await;
    let refusal = office.stage.refusal(&office.asking(2, &id)).await;
    assert!(matches!(refusal, Refusal::AwaitingApproval { .. }), "{refusal:?}");
}

pub(super) async fn a_call_is_what_was_approved(stage: Stage) {
    let office = Office::new(stage, 1);
    let id = key("k");
    office.request(1, &id).await;
    let decision = office.signed(&id, "ann", ApprovalVerdict::GRANT).await;
    office.decide(decision).await;
    let other = Admission { hash: hash(9), ..office.asking(2, &id) };
    assert_eq!(
        office.stage.refusal(&other).await,
        Refusal::Conflict { state: StateName::Approved }
    );
    let requester = Admission { requested_by: Some("mallory".into()), ..office.asking(3, &id) };
    let refusal = office.stage.refusal(&requester).await;
    assert!(matches!(refusal, Refusal::OtherRequester { .. }), "{refusal:?}");
    let mut memo = office.asking(5, &id);
    if let Some(preimage) = &mut memo.preimage {
        preimage.ignored = Some(r#"{"memo":"another"}"#.into());
    }
    let refusal = office.stage.refusal(&memo).await;
    assert!(
        matches!(&refusal, Refusal::OtherIgnored { ignored, .. } if ignored.contains("as agreed")),
        "{refusal:?}"
    );
    let nobody = Admission { trust: Trust::default(), ..office.asking(4, &id) };
    let refusal = office.stage.refusal(&nobody).await;
    assert!(matches!(refusal, Refusal::AwaitingApproval { .. }), "{refusal:?}");
    office.runs(&id).await;
}

pub(super) async fn a_quorum_is_of_people_with_keys_of_their_own(stage: Stage) {
    let office = Office::new(stage, 2);
    let id = key("k");
    office.request(1, &id).await;
    let ann = office.signed(&id, "ann", ApprovalVerdict::GRANT).await;
    assert_eq!(office.decide(ann).await, Decided::Pending { missing: 1 });
    let again = office.signed(&id, "ann", ApprovalVerdict::GRANT).await;
    assert_eq!(office.decide(again).await, Decided::Refused(Undecided::Again));
    let anne = office.signed(&id, "anne", ApprovalVerdict::GRANT).await;
    assert_eq!(office.decide(anne.clone()).await, Decided::Refused(Undecided::Again));
    office.write(anne).await;
    office.waits(&id).await;
    let bob = office.signed(&id, "bob", ApprovalVerdict::GRANT).await;
    assert!(matches!(office.decide(bob).await, Decided::Granted { .. }));
    office.runs(&id).await;
}

pub(super) async fn who_asks_is_nobody_who_agrees(stage: Stage) {
    let office = Office::new(stage, 1);
    let id = key("k");
    let asking = Admission { requested_by: Some("ann".into()), ..office.asking(1, &id) };
    office.stage.refusal(&asking).await;
    let own = office.signed(&id, "ann", ApprovalVerdict::GRANT).await;
    assert_eq!(office.decide(own).await, Decided::Refused(Undecided::Requester));
}

pub(super) async fn a_refusal_is_signed_too(stage: Stage) {
    let office = Office::new(stage, 1);
    for (name, by) in [("genuine", "ann"), ("forged", "bob")] {
        let id = key(name);
        office.request(1, &id).await;
        let no = office.signed(&id, "ann", ApprovalVerdict::Deny { why: "no".into() }).await;
        office.write(Decision { by: by.into(), ..no }).await;
        if by == "ann" {
            let refusal = office.stage.refusal(&office.asking(2, &id)).await;
            assert_eq!(refusal, Refusal::Denied { by: "ann".into(), why: "no".into() });
        } else {
            // It is none, and the request stands for those who count.
            office.waits(&id).await;
            assert_eq!(office.stage.state(&id).await, Some(StateName::AwaitingApproval));
            let yes = office.signed(&id, "ann", ApprovalVerdict::GRANT).await;
            assert!(matches!(office.decide(yes).await, Decided::Granted { .. }));
            office.runs(&id).await;
        }
    }
}

pub(super) async fn a_no_takes_back_a_yes_if_it_counts(stage: Stage) {
    let office = Office::new(stage, 1);
    for (name, by) in [("genuine", "ann"), ("forged", "bob")] {
        let id = key(name);
        office.request(1, &id).await;
        let yes = office.signed(&id, "ann", ApprovalVerdict::GRANT).await;
        assert!(matches!(office.decide(yes).await, Decided::Granted { .. }));
        let said = Decision { by: by.into(), ..office.signed(&id, "ann", no()).await };
        if by == "ann" {
            assert_eq!(office.decide(said).await, Decided::Denied);
            let refusal = office.stage.refusal(&office.asking(2, &id)).await;
            assert_eq!(refusal, Refusal::Denied { by: "ann".into(), why: "no".into() });
            continue;
        }
        assert_eq!(office.decide(said.clone()).await, Decided::Refused(Undecided::Unproven));
        assert_eq!(office.stage.state(&id).await, Some(StateName::Approved));
        office.write(said).await;
        assert_eq!(office.stage.state(&id).await, Some(StateName::Denied));
        office.runs(&id).await;
    }
}

pub(super) async fn a_false_refusal_keeps_nobody_from_deciding(stage: Stage) {
    let office = Office::new(stage, 1);
    for (name, verdict) in [("yes", ApprovalVerdict::GRANT), ("no", no())] {
        let id = key(name);
        office.request(1, &id).await;
        let forged = office.signed(&id, "ann", no()).await;
        office.write(Decision { by: "bob".into(), ..forged }).await;
        // Nobody has called again since.
        assert_eq!(office.stage.state(&id).await, Some(StateName::Denied));
        let said = office.signed(&id, "ann", verdict.clone()).await;
        let decided = office.decide(said).await;
        if verdict == ApprovalVerdict::GRANT {
            assert!(matches!(decided, Decided::Granted { .. }), "{decided:?}");
            office.runs(&id).await;
            continue;
        }
        assert_eq!(decided, Decided::Denied);
        let yes = office.signed(&id, "bob", ApprovalVerdict::GRANT).await;
        let over = Undecided::NoRequest { state: Some(StateName::Denied) };
        assert_eq!(office.decide(yes).await, Decided::Refused(over));
    }
}

pub(super) async fn a_refusal_is_forgotten_by_nobody_for_whom_it_counts(stage: Stage) {
    let office = Office::new(stage, 1);
    let id = key("k");
    office.request(1, &id).await;
    let said = office.signed(&id, "ann", no()).await;
    assert_eq!(office.decide(said).await, Decided::Denied);
    // A runtime that knows nobody, or a call on another's behalf, makes nothing of it.
    let nobody = Admission { trust: Trust::default(), ..office.asking(2, &id) };
    let refusal = office.stage.refusal(&nobody).await;
    assert!(matches!(refusal, Refusal::AwaitingApproval { .. }), "{refusal:?}");
    let yes = office.signed(&id, "bob", ApprovalVerdict::GRANT).await;
    office.write(yes.clone()).await;
    for caller in 3..5 {
        let other = Admission { requested_by: Some("eve".into()), ..office.asking(9, &id) };
        let refused = Refusal::Denied { by: "ann".into(), why: "no".into() };
        assert_eq!(office.stage.refusal(&other).await, refused);
        assert_eq!(office.stage.refusal(&office.asking(caller, &id)).await, refused);
    }
    // Nor is it written over by who has a key of their own and knows no other.
    let own = Decision { by: "eve".into(), verdict: no(), trust: Own::trust(), ..yes.clone() };
    let gone = Undecided::NoRequest { state: Some(StateName::Denied) };
    assert_eq!(office.decide(own).await, Decided::Refused(gone));
    let own = Decision { by: "eve".into(), trust: Own::trust(), ..yes };
    assert_eq!(office.decide(own).await, Decided::Recorded);
    let refused = Refusal::Denied { by: "ann".into(), why: "no".into() };
    assert_eq!(office.stage.refusal(&office.asking(6, &id)).await, refused);
}

fn no() -> ApprovalVerdict {
    ApprovalVerdict::Deny { why: "no".into() }
}

pub(super) async fn one_grant_lets_one_of_many_run(stage: Stage) {
    let office = Office::new(stage, 1);
    for round in 0..4 {
        let id = key(&format!("k{round}"));
        office.request(1, &id).await;
        let decision = office.signed(&id, "ann", ApprovalVerdict::GRANT).await;
        office.decide(decision).await;
        let calls = (2..18).map(|caller| office.asking(caller, &id));
        let answers = admit_all(&office.stage, calls).await;
        assert_eq!(fences(&answers).len(), 1);
    }
}
