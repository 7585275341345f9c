//! What the transitions may do, and what they never do.

mod admission;
mod approval;
mod coverage;
mod forgery;
mod ghost;
mod histories;
mod history;
mod limits;
mod reconciliation;
mod settlement;
mod world;

use std::time::Duration;

use super::*;
use crate::key::{IdempotencyKey, OperationId};
use crate::operation::OperationHash;
use crate::policy::Remint;

const LEASE: u64 = 10;
const TIMEOUT: u64 = 10;
const SETTLE: u64 = 5;
const TTL: u64 = 100;
const MAX_TOTAL: u32 = 4;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn terms() -> Terms {
    Terms {
        attempts: 2,
        max_total: MAX_TOTAL,
        repeatable: false,
        reconcilable: false,
        lease: ms(LEASE),
        timeout: ms(TIMEOUT),
        stoppable: true,
        settle: ms(SETTLE),
        ttl: ms(TTL),
        sliding: false,
        remint: Remint::Warn,
        confirm: None,
        saga: false,
        covered: false,
    }
}

fn repeatable() -> Terms {
    Terms { repeatable: true, ..terms() }
}

fn confirmed() -> Terms {
    Terms { confirm: Some((ms(20), 1)), ..terms() }
}

fn id(key: &str) -> OperationId {
    OperationId { tenant: None, tool: "tool".into(), key: IdempotencyKey::new(key).unwrap() }
}

const fn hash(number: u8) -> OperationHash {
    OperationHash::from_bytes([number; 32])
}

/// A call by `caller` with these terms, of the operation 0.
fn admission(caller: u128, terms: Terms) -> Admission {
    Admission {
        id: id("key"),
        hash: hash(0),
        arguments: "{}".into(),
        nonce: Nonce(caller),
        holder: Holder(1),
        terms: terms.into(),
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

/// One operation, a clock and a sequence of fences: the smallest ledger.
#[derive(Default)]
struct Bench {
    slot: Option<Record>,
    events: Vec<Event>,
    now: u64,
    fence: u64,
}

impl Bench {
    fn at(&mut self, now: u64) -> &mut Self {
        self.now = now;
        self
    }

    /// Makes a step, and checks what holds of every step.
    fn step<R>(&mut self, step: impl FnOnce(&mut Option<Record>, &Around) -> Step<R>) -> R {
        let around = Around { now: Timestamp(self.now), fence: Fence(self.fence + 1) };
        let before = self.slot.clone();
        let done = step(&mut self.slot, &around);
        if !done.changed {
            assert_eq!(self.slot, before, "what is not written must not have changed");
            assert!(done.events.is_empty(), "no event without a change");
        }
        let is_longer = !done.events.is_empty();
        self.events.extend(done.events);
        if let Some(record) = &self.slot {
            if is_longer {
                assert_eq!(verify(&self.events, &record.chain), Ok(()), "the history verifies");
            }
            assert_eq!(usize::try_from(record.chain.length), Ok(self.events.len()));
            self.fence = self.fence.max(record.fence.0);
        }
        done.reply
    }

    fn admit(&mut self, request: &Admission) -> Admitted {
        self.step(|slot, around| admit(slot, request, None, &mut [], around))
    }

    fn claim(&mut self, request: &Admission) -> Claim {
        match self.admit(request) {
            Admitted::Claimed(claim) => claim,
            other => panic!("not claimed: {other:?}"),
        }
    }

    fn refusal(&mut self, request: &Admission) -> Refusal {
        match self.admit(request) {
            Admitted::Refused(refusal) => refusal,
            other => panic!("not refused: {other:?}"),
        }
    }

    fn settle(&mut self, fence: Fence, used: u32, verdict: Verdict) -> Settled {
        let settlement = Settlement { id: id("key"), fence, used, verdict, attempts: Vec::new() };
        self.step(|slot, around| settle(slot, &settlement, around))
    }

    fn renew(&mut self, fence: Fence) -> Renewed {
        self.step(|slot, around| renew(slot, fence, None, around))
    }

    fn begin(&mut self, nonce: u128) -> ReconcileClaim {
        let request = ReconcileRequest { id: id("key"), nonce: Nonce(nonce), holder: Holder(1) };
        self.step(|slot, around| begin_reconcile(slot, &request, around))
    }

    /// The fence of a reconciler that was let in.
    fn reconcile(&mut self, nonce: u128) -> Fence {
        match self.begin(nonce) {
            ReconcileClaim::Claimed { fence, .. } => fence,
            other @ ReconcileClaim::Refused { .. } => panic!("not let in: {other:?}"),
        }
    }

    fn finish(&mut self, fence: Fence, finding: &Finding) -> Reconciled {
        self.step(|slot, around| finish_reconcile(slot, fence, finding, around))
    }

    fn resolve(&mut self, resolved: Resolved) -> Reconciled {
        self.resolve_of(None, resolved)
    }

    fn resolve_of(&mut self, escalation: Option<EscalationId>, resolved: Resolved) -> Reconciled {
        let (by, why) = ("ada".into(), "looked".into());
        let resolution = Resolution { id: id("key"), escalation, by, why, resolved };
        self.step(|slot, around| resolve(slot, &resolution, around))
    }

    fn decide(&mut self, request: &ApprovalId, by: &str, verdict: ApprovalVerdict) -> Decided {
        let decision = Decision {
            id: id("key"),
            request: request.clone(),
            by: by.into(),
            verdict,
            signature: None,
            trust: Trust::insecure(),
        };
        self.step(|slot, around| decide_approval(slot, &decision, around))
    }

    fn grant(&mut self, request: &ApprovalId, by: &str) -> Decided {
        self.decide(request, by, ApprovalVerdict::GRANT)
    }

    fn record(&self) -> &Record {
        self.slot.as_ref().expect("there is a record")
    }

    fn state(&self) -> StateName {
        self.record().state.name()
    }

    /// The request for approval that a refused call left.
    fn request(&mut self, request: &Admission) -> ApprovalId {
        match self.refusal(request) {
            Refusal::AwaitingApproval { request, .. } => request,
            other => panic!("no request: {other:?}"),
        }
    }
}

fn happened(result: &str) -> Verdict {
    Verdict::Succeeded { result: result.into() }
}

const fn nothing(delay: u64) -> Verdict {
    Verdict::Released { delay: ms(delay) }
}

fn unknown() -> Verdict {
    Verdict::Unknown { cause: "no answer".into() }
}
