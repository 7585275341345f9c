//! The smallest store: one slot, a sequence of fences, and the transitions.

use std::hash::{Hash, Hasher};

use tool_contract_spec::ledger::{
    Admission, Admitted, Around, Chain, EscalationId, Fence, Finding, ReconcileClaim,
    ReconcileRequest, Reconciled, Record, Renewed, Resolution, Settled, Settlement, State,
    StateName, Step, Timestamp, Unknown, admit, begin_reconcile, finish_reconcile, notice, renew,
    resolve, settle,
};

use crate::fault::Fault;

/// What the ledger holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Ledger {
    pub(crate) slot: Option<Record>,
    /// The last fence that was used up.
    pub(crate) last: u64,
}

impl Ledger {
    pub(crate) fn state(&self) -> Option<StateName> {
        self.slot.as_ref().map(|record| record.state.name())
    }

    pub(crate) fn newest(&self) -> Option<Fence> {
        self.slot.as_ref().map(|record| record.fence)
    }

    pub(crate) fn attempts(&self) -> u32 {
        self.slot.as_ref().map_or(0, |record| record.attempts)
    }

    fn step<R>(
        &mut self,
        now: u64,
        step: impl FnOnce(&mut Option<Record>, &Around) -> Step<R>,
    ) -> R {
        let around = Around { now: Timestamp(now), fence: Fence(self.last + 1) };
        let reply = step(&mut self.slot, &around).reply;
        if let Some(record) = &mut self.slot {
            self.last = self.last.max(record.fence.0);
            forget(record);
        }
        reply
    }

    pub(crate) fn admit(
        &mut self,
        fault: Option<Fault>,
        now: u64,
        request: &Admission,
    ) -> Admitted {
        if let (Some(fault), Some(record)) = (fault, &mut self.slot) {
            fault.before_admission(record, now, request);
            if fault == Fault::FencesStartOver {
                self.last = 0;
            }
        }
        let mut admitted =
            self.step(now, |slot, around| admit(slot, request, None, &mut [], around));
        if let (Some(fault), Some(record), Admitted::Claimed(claim)) =
            (fault, &mut self.slot, &mut admitted)
        {
            fault.after_claim(record, claim);
        }
        admitted
    }

    pub(crate) fn settle(
        &mut self,
        fault: Option<Fault>,
        now: u64,
        settlement: &Settlement,
    ) -> Settled {
        let mut settlement = settlement.clone();
        if let (Some(Fault::SettlementNeedsNoFence), Some(newest)) = (fault, self.newest()) {
            settlement.fence = newest;
        }
        self.step(now, |slot, around| settle(slot, &settlement, around))
    }

    pub(crate) fn renew(&mut self, now: u64, fence: Fence) -> Renewed {
        self.step(now, |slot, around| renew(slot, fence, None, around))
    }

    pub(crate) fn begin(&mut self, now: u64, request: &ReconcileRequest) -> ReconcileClaim {
        self.step(now, |slot, around| begin_reconcile(slot, request, around))
    }

    pub(crate) fn finish(
        &mut self,
        fault: Option<Fault>,
        now: u64,
        mut fence: Fence,
        finding: &Finding,
    ) -> Reconciled {
        let mut finding = finding.clone();
        if let (Some(Fault::LookIsNotTimed), Finding::DidNotHappen { looked_at, .. }) =
            (fault, &mut finding)
        {
            *looked_at = Timestamp(now);
        }
        if let (Some(Fault::ReportNeedsNoFence), Some(newest)) = (fault, self.newest()) {
            fence = newest;
        }
        self.step(now, |slot, around| finish_reconcile(slot, fence, &finding, around))
    }

    pub(crate) fn resolve(&mut self, now: u64, resolution: &Resolution) -> Reconciled {
        self.step(now, |slot, around| resolve(slot, resolution, around))
    }

    /// Sweeps a record that nobody finished long ago, be that a fault.
    pub(crate) fn sweep(&mut self, fault: Option<Fault>, now: u64) {
        let is_old = |record: &mut Record| matches!(record.state, State::Running { lease_until } if lease_until.0 < now);
        if fault == Some(Fault::UnfinishedExpire) {
            self.slot.take_if(is_old);
        }
    }

    /// What this is at `now` if nobody does anything.
    pub(crate) fn lapsed(&self, now: u64) -> Self {
        let mut lapsed = self.clone();
        lapsed.step(now, notice);
        lapsed
    }
}

/// Drops what no transition reads.
pub(crate) fn forget(record: &mut Record) {
    record.chain = Chain::default();
    record.escalation = record.escalation.take().map(|_| EscalationId("esc".into()));
    record.changed_at = Timestamp::ZERO;
    record.created_at = Timestamp::ZERO;
    if let State::Unknown(unknown) | State::Reconciling { unknown, .. } = &mut record.state {
        forget_why(unknown);
    }
    if let Some(doubt) = &mut record.doubt {
        forget_why(doubt);
    }
}

fn forget_why(unknown: &mut Unknown) {
    unknown.since = Timestamp::ZERO;
    unknown.cause = "".into();
}

impl Hash for Ledger {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.last.hash(hasher);
        if let Some(record) = &self.slot {
            hash_record(record, hasher);
        }
    }
}

/// Hashes what [`forget`] leaves.
pub(crate) fn hash_record<H: Hasher>(record: &Record, hasher: &mut H) {
    record.state.name().hash(hasher);
    hash_state(&record.state, hasher);
    (record.fence, record.nonce, record.holder).hash(hasher);
    (record.attempts, record.reserved, record.terms.repeatable).hash(hasher);
    (record.doubt.as_ref().map(|doubt| doubt.believed_from), record.escalation.is_some())
        .hash(hasher);
}

fn hash_state<H: Hasher>(state: &State, hasher: &mut H) {
    match state {
        State::Running { lease_until } => lease_until.hash(hasher),
        State::Released { not_before } | State::Exhausted { not_before } => not_before.hash(hasher),
        State::Succeeded { expires_at, .. }
        | State::Denied { expires_at }
        | State::Abandoned { expires_at, .. } => expires_at.hash(hasher),
        State::Unknown(unknown) => unknown.believed_from.hash(hasher),
        State::Reconciling { lease_until, unknown } => {
            (lease_until, unknown.believed_from).hash(hasher);
        }
        State::AwaitingApproval | State::Approved | State::Expired => {}
    }
}
