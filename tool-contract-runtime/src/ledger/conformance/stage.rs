//! A ledger on stage, and short words for what is asked of it.

use std::sync::Arc;
use std::time::Duration;

use tool_contract_spec::key::{IdempotencyKey, OperationId, Tenant};
use tool_contract_spec::operation::OperationHash;
use tool_contract_spec::policy::Remint;

use super::Subject;
use crate::ledger::{
    Admission, Admitted, ApprovalId, ApprovalVerdict, Claim, Decided, Decision, Event, Fence,
    Finding, Holder, Intent, Ledger, Nonce, ReconcileClaim, ReconcileRequest, Reconciled, Record,
    Refusal, Resolution, Resolved, Settled, Settlement, StateName, Terms, Trust, Verdict,
};

pub(in crate::ledger) const LEASE: Duration = Duration::from_secs(10);
pub(in crate::ledger) const TIMEOUT: Duration = Duration::from_secs(10);
pub(in crate::ledger) const SETTLE: Duration = Duration::from_secs(5);
pub(in crate::ledger) const TTL: Duration = Duration::from_mins(10);

pub(in crate::ledger) fn terms() -> Terms {
    Terms {
        attempts: 2,
        max_total: 4,
        repeatable: false,
        reconcilable: true,
        lease: LEASE,
        timeout: TIMEOUT,
        stoppable: true,
        settle: SETTLE,
        ttl: TTL,
        sliding: false,
        remint: Remint::Warn,
        confirm: None,
        saga: false,
        covered: false,
    }
}

pub(in crate::ledger) fn repeatable() -> Terms {
    Terms { repeatable: true, ..terms() }
}

pub(in crate::ledger) fn confirmed() -> Terms {
    Terms { confirm: Some((Duration::from_mins(1), 1)), ..terms() }
}

pub(in crate::ledger) fn id(tenant: Option<&str>, tool: &'static str, key: &str) -> OperationId {
    OperationId {
        tenant: tenant.map(|tenant| Tenant::new(tenant).unwrap()),
        tool: tool.into(),
        key: IdempotencyKey::new(key).unwrap(),
    }
}

pub(in crate::ledger) fn key(key: &str) -> OperationId {
    id(None, "tool", key)
}

pub(in crate::ledger) const fn hash(number: u8) -> OperationHash {
    OperationHash::from_bytes([number; 32])
}

/// A call by `caller` of an operation that no other key stands for.
pub(in crate::ledger) fn call(caller: u128, id: &OperationId) -> Admission {
    let mut hash = [0; 32];
    let name = id.key.as_str().as_bytes();
    hash[..name.len().min(32)].copy_from_slice(&name[..name.len().min(32)]);
    Admission {
        id: id.clone(),
        hash: OperationHash::from_bytes(hash),
        arguments: "{}".into(),
        nonce: Nonce(caller),
        holder: Holder(1),
        terms: terms().into(),
        intent: Intent::Claim,
        approval: None,
        requested_by: None,
        draws: Vec::new(),
        correlation_id: None,
        fingerprint: None,
        workflow: None,
        preimage: None,
        trust: Trust::insecure(),
    }
}

pub(in crate::ledger) fn happened(result: &str) -> Verdict {
    Verdict::Succeeded { result: result.into() }
}

pub(in crate::ledger) const NOTHING: Verdict = Verdict::Released { delay: Duration::ZERO };

pub(in crate::ledger) fn unknown() -> Verdict {
    Verdict::Unknown { cause: "no answer".into() }
}

/// A ledger on stage.
pub(in crate::ledger) struct Stage {
    pub(in crate::ledger) ledger: Arc<dyn Ledger>,
    subject: Subject,
}

impl Stage {
    pub(super) fn new(subject: Subject) -> Self {
        Self { ledger: Arc::clone(&subject.ledger), subject }
    }

    pub(super) async fn pass(&self, span: Duration) {
        (self.subject.pass)(span).await;
    }

    pub(super) async fn admit(&self, request: &Admission) -> Admitted {
        self.ledger.admit(request).await.unwrap()
    }

    pub(super) async fn claim(&self, request: &Admission) -> Claim {
        match self.admit(request).await {
            Admitted::Claimed(claim) => claim,
            other => panic!("not claimed: {other:?}"),
        }
    }

    pub(super) async fn refusal(&self, request: &Admission) -> Refusal {
        match self.admit(request).await {
            Admitted::Refused(refusal) => refusal,
            other => panic!("not refused: {other:?}"),
        }
    }

    /// The result that is replayed.
    pub(super) async fn replay(&self, request: &Admission) -> String {
        match self.admit(request).await {
            Admitted::Replay(replay) => replay.result.to_string(),
            other => panic!("not replayed: {other:?}"),
        }
    }

    pub(super) async fn settle(&self, id: &OperationId, fence: Fence, verdict: Verdict) -> Settled {
        let settlement =
            Settlement { id: id.clone(), fence, used: 1, verdict, attempts: Vec::new() };
        self.ledger.settle(&settlement).await.unwrap()
    }

    /// Claims and succeeds.
    pub(super) async fn succeed(&self, request: &Admission, result: &str) {
        let claim = self.claim(request).await;
        let settled = self.settle(&request.id, claim.fence, happened(result)).await;
        assert_eq!(settled, Settled::Recorded { escalation: None });
    }

    pub(super) async fn begin(&self, id: &OperationId, nonce: u128) -> ReconcileClaim {
        let request = ReconcileRequest { id: id.clone(), nonce: Nonce(nonce), holder: Holder(1) };
        self.ledger.begin_reconcile(request).await.unwrap()
    }

    pub(super) async fn finish(
        &self,
        id: &OperationId,
        fence: Fence,
        finding: Finding,
    ) -> Reconciled {
        self.ledger.finish_reconcile(id.clone(), fence, finding).await.unwrap()
    }

    pub(super) async fn resolve(&self, id: &OperationId, resolved: Resolved) -> Reconciled {
        let resolution = Resolution {
            id: id.clone(),
            escalation: None,
            by: "ada".into(),
            why: "looked".into(),
            resolved,
        };
        self.ledger.resolve(resolution).await.unwrap()
    }

    pub(super) async fn decide(
        &self,
        id: &OperationId,
        request: &ApprovalId,
        verdict: ApprovalVerdict,
    ) -> Decided {
        let decision = Decision {
            id: id.clone(),
            request: request.clone(),
            by: "ada".into(),
            verdict,
            signature: None,
            trust: Trust::insecure(),
        };
        self.ledger.decide_approval(decision).await.unwrap()
    }

    pub(super) async fn find(&self, id: &OperationId) -> Option<Record> {
        self.ledger.find(id.clone()).await.unwrap()
    }

    pub(super) async fn state(&self, id: &OperationId) -> Option<StateName> {
        self.find(id).await.map(|record| record.state.name())
    }

    pub(super) async fn history(&self, id: &OperationId) -> Vec<Event> {
        self.ledger.history(id.clone()).await.unwrap()
    }
}
