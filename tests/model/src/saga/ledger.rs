//! The store of one saga: its record and history, the records of its steps, and
//! those of what undoes them.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use tool_contract_spec::ledger::{
    Admitted, Around, Event, EventKind, Fence, Finding, Holder, Nonce, Note, ReconcileClaim,
    ReconcileRequest, Reconciled, Record, Renewed, Resolution, Resolved, Settled, Settlement,
    State, Step, Timestamp, Verdict, admit, begin_reconcile, finish_reconcile, renew, resolve,
    settle,
};
use tool_contract_spec::saga::{Journal, Stand};

use super::{Fault, Saga};
use crate::ledger::{forget, hash_record};

/// An operation of the saga.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// The saga itself.
    Saga,
    /// The call of a step.
    Call(usize),
    /// What undoes a step.
    Undoing(usize),
}

/// What the ledger holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ledger {
    saga: Option<Record>,
    calls: Vec<Option<Record>>,
    undoings: Vec<Option<Record>>,
    /// What the saga noted, each thing once.
    history: Arc<Vec<Event>>,
    /// What that says.
    journal: Arc<Journal>,
    /// The last fence that was used up.
    pub(super) last: u64,
}

impl Ledger {
    pub(super) fn new(steps: usize) -> Self {
        let none = || vec![None; steps];
        Self {
            saga: None,
            calls: none(),
            undoings: none(),
            history: Arc::default(),
            journal: Arc::default(),
            last: 0,
        }
    }

    pub(super) fn find(&self, of: Operation) -> Option<&Record> {
        match of {
            Operation::Saga => self.saga.as_ref(),
            Operation::Call(step) => self.calls[step].as_ref(),
            Operation::Undoing(step) => self.undoings[step].as_ref(),
        }
    }

    pub(super) fn slot(&mut self, of: Operation) -> &mut Option<Record> {
        match of {
            Operation::Saga => &mut self.saga,
            Operation::Call(step) => &mut self.calls[step],
            Operation::Undoing(step) => &mut self.undoings[step],
        }
    }

    pub(super) fn stand(&self, step: usize) -> Stand {
        Stand::of(self.calls[step].as_ref())
    }

    /// What the history says.
    pub(super) fn journal(&self) -> Arc<Journal> {
        Arc::clone(&self.journal)
    }

    pub(super) fn records(&mut self) -> impl Iterator<Item = &mut Record> {
        let steps = self.calls.iter_mut().chain(&mut self.undoings);
        std::iter::once(&mut self.saga).chain(steps).flatten()
    }

    fn step<R>(
        &mut self,
        of: Operation,
        now: u64,
        step: impl FnOnce(&mut Option<Record>, &Around) -> Step<R>,
    ) -> R {
        let around = Around { now: Timestamp(now), fence: Fence(self.last + 1) };
        let stepped = step(self.slot(of), &around);
        if let Some(record) = self.find(of) {
            self.last = self.last.max(record.fence.0);
        }
        if of == Operation::Saga {
            self.remember(stepped.events);
        }
        self.forget(now);
        stepped.reply
    }

    /// Keeps of new events what a saga's journal is read from.
    fn remember(&mut self, events: Vec<Event>) {
        for event in events {
            let event =
                Event { seq: 0, at: Timestamp::ZERO, fence: Fence::NONE, hash: [0; 32], ..event };
            let is_read = matches!(event.kind, EventKind::Stepped | EventKind::Unwinding);
            if is_read && !self.history.contains(&event) {
                Arc::make_mut(&mut self.history).push(event);
                let journal = Journal::read(&*self.history).expect("nobody noted nonsense");
                self.journal = Arc::new(journal);
            }
        }
    }

    /// Drops what no transition reads, at `now` or later.
    pub(super) fn forget(&mut self, now: u64) {
        let past = |time: &mut Timestamp| {
            if time.0 <= now {
                *time = Timestamp::ZERO;
            }
        };
        // A saga has more attempts than there is time for.
        if let Some(saga) = &mut self.saga {
            saga.attempts = 0;
        }
        for record in self.records() {
            forget(record);
            record.nonce = Nonce(0);
            match &mut record.state {
                State::Released { not_before } | State::Exhausted { not_before } => {
                    past(not_before);
                }
                State::Unknown(unknown) => unknown.believed_from.iter_mut().for_each(past),
                State::Reconciling { lease_until, unknown } => {
                    past(lease_until);
                    unknown.believed_from.iter_mut().for_each(past);
                }
                _ => {}
            }
            let doubt = record.doubt.iter_mut();
            doubt.filter_map(|doubt| doubt.believed_from.as_mut()).for_each(past);
        }
    }

    pub(super) fn admit(&mut self, model: &Saga, of: Operation, now: u64) -> Admitted {
        if let (Some(fault), Some(record)) = (model.fault, self.slot(of)) {
            fault.before_admission(of, record, now);
        }
        let request = model.admission(of);
        self.step(of, now, |slot, around| admit(slot, &request, None, &mut [], around))
    }

    pub(super) fn renew(
        &mut self,
        of: Operation,
        fence: Fence,
        note: Option<&Note>,
        now: u64,
    ) -> Renewed {
        self.step(of, now, |slot, around| renew(slot, fence, note, around))
    }

    /// The saga leaves a note; or it only prolongs its claim.
    pub(super) fn note(
        &mut self,
        model: &Saga,
        mut fence: Fence,
        note: Option<&Note>,
        now: u64,
    ) -> Renewed {
        if let (Some(Fault::NotesNeedNoFence), Some(saga)) = (model.fault, &self.saga) {
            fence = saga.fence;
        }
        self.renew(Operation::Saga, fence, note, now)
    }

    pub(super) fn settle(
        &mut self,
        model: &Saga,
        of: Operation,
        fence: Fence,
        used: u32,
        verdict: Verdict,
        now: u64,
    ) -> Settled {
        let settlement =
            Settlement { id: model.id.clone(), fence, used, verdict, attempts: Vec::new() };
        self.step(of, now, |slot, around| settle(slot, &settlement, around))
    }

    pub(super) fn begin(&mut self, model: &Saga, of: Operation, now: u64) -> ReconcileClaim {
        let request = ReconcileRequest { id: model.id.clone(), nonce: Nonce(1), holder: Holder(0) };
        self.step(of, now, |slot, around| begin_reconcile(slot, &request, around))
    }

    pub(super) fn finish(
        &mut self,
        of: Operation,
        fence: Fence,
        finding: &Finding,
        now: u64,
    ) -> Reconciled {
        self.step(of, now, |slot, around| finish_reconcile(slot, fence, finding, around))
    }

    pub(super) fn resolve(
        &mut self,
        model: &Saga,
        of: Operation,
        resolved: Resolved,
        now: u64,
    ) -> Reconciled {
        let (by, why) = ("ada".into(), "looked".into());
        let word = Resolution { id: model.id.clone(), escalation: None, by, why, resolved };
        self.step(of, now, |slot, around| resolve(slot, &word, around))
    }
}

impl Hash for Ledger {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        (self.last, self.history.len()).hash(hasher);
        for record in std::iter::once(&self.saga).chain(&self.calls).chain(&self.undoings) {
            record.is_some().hash(hasher);
            if let Some(record) = record {
                hash_record(record, hasher);
            }
        }
        for event in &*self.history {
            (event.kind, &event.detail).hash(hasher);
        }
    }
}
