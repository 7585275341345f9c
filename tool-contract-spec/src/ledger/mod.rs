//! The transitions of an operation's record.
//!
//! ```text
//!             claim                         settle: success
//!  (absent) ─────────▶ running {fence, lease} ─────────────▶ succeeded {result} ──ttl──▶ expired
//!                        │ settle: nothing happened ─▶ released {attempts, not_before} ──claim──▶ running
//!                        │ settle: unknown, or the lease ran out ─▶ unknown ──reconcile / person──▶ succeeded | released
//!  claim of a destructive tool ─▶ awaiting_approval ──grant──▶ approved ──claim──▶ running
//!  awaiting_approval | approved | released with its grant ──deny──▶ denied
//!  awaiting_approval | approved ──withdrawn──▶ released
//!  unknown ──▶ reconciling {fence, lease} ──▶ succeeded | released | unknown
//!  released, its last attempt used ─▶ exhausted ──person──▶ released | succeeded
//!  settle: nothing happened, for good, where somebody counts on it ─▶ exhausted
//!  unknown | exhausted ──person──▶ abandoned
//! ```
//!
//! Each function takes the record of one operation, changes it or leaves it,
//! and says what to answer. A store's whole business is to load the record, to
//! call the function, and to keep what came of it, in one atomic step. So all
//! ledgers behave alike, and what they may do is tested here.
//!
//! Two rules hold everywhere: a **fence** guards every write by a holder (it
//! comes from one sequence per ledger that never restarts), and an expired
//! **lease** is never a licence to run again: it makes the operation
//! `unknown`, and the policy decides.

mod admission;
mod admit;
mod approve;
mod ask;
mod clock;
mod event;
mod id;
mod limit;
mod overdue;
mod reconcile;
mod record;
mod settle;
mod statement;
mod trust;

pub use admission::{Admission, Admitted, Claim, Intent, Refusal, Replay, Twin};
pub use admit::admit;
pub use approve::{
    Decided, Decision, Undecided, Verdict as ApprovalVerdict, decide as decide_approval,
};
pub use clock::Timestamp;
pub use event::{Broken, Chain, Event, EventKind, verify};
pub use id::{ApprovalId, EscalationId, Fence, Holder, Nonce};
pub use limit::{Cell, CellId, Draw, Hold, Limited, Over, Pace, Slot, draw};
pub use reconcile::{
    Finding, ReconcileClaim, ReconcileRequest, Reconciled, Resolution, Resolved,
    begin as begin_reconcile, finish as finish_reconcile, resolve,
};
pub use record::{ApprovalRecord, Denial, Grant, Record, State, StateName, Terms, Unknown};
pub use settle::{Attempt, Note, Renewed, Settled, Settlement, Verdict, renew, settle};
pub use statement::{MalformedSignature, Signature, Statement};
pub use trust::{Ballot, Signer, Trust, Verifier};

/// What a store tells a transition besides the record.
#[derive(Debug, Clone)]
pub struct Around {
    /// The time of the store.
    pub now: Timestamp,
    /// The next fence of the store. It is used up if the record has it
    /// afterwards.
    pub fence: Fence,
}

/// What a transition answers, and what it added to the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step<R> {
    /// The answer.
    pub reply: R,
    /// Whether the record changed, and so must be written.
    pub changed: bool,
    /// What is to be appended to the history, in the same transaction.
    pub events: Vec<Event>,
}

/// Collects the events of one step.
///
/// It is how the transitions change a record's state: no state without its
/// event.
struct Log {
    now: Timestamp,
    changed: bool,
    events: Vec<Event>,
}

impl Log {
    const fn new(now: Timestamp) -> Self {
        Self { now, changed: false, events: Vec::new() }
    }

    /// Moves `record` to `state`, and says so in its history.
    fn enter(
        &mut self,
        record: &mut Record,
        state: State,
        kind: EventKind,
        detail: Option<String>,
    ) {
        record.state = state;
        record.changed_at = self.now;
        self.note(record, kind, detail);
    }

    /// Appends to the history of `record` what does not change its state.
    fn note(&mut self, record: &mut Record, kind: EventKind, detail: Option<String>) {
        self.changed = true;
        if self.events.is_empty() {
            // Most steps have one, and most operations two.
            self.events.reserve_exact(2);
        }
        self.events.push(record.chain.append(self.now, record.fence, kind, detail));
    }

    fn answer<R>(self, reply: R) -> Step<R> {
        Step { reply, changed: self.changed, events: self.events }
    }
}

/// Records what time alone did to an operation, and says where it stands:
/// leases run out, finished keys expire, approvals lapse.
pub fn notice(slot: &mut Option<Record>, around: &Around) -> Step<Option<StateName>> {
    let mut log = Log::new(around.now);
    let state = slot.as_mut().map(|record| {
        lapse(record, &mut log);
        record.state.name()
    });
    log.answer(state)
}

/// What time alone did to the record: leases run out, finished keys expire,
/// approvals lapse. Every transition begins with it.
fn lapse(record: &mut Record, log: &mut Log) {
    match &record.state {
        State::Running { lease_until } if *lease_until <= log.now => {
            let terms = &record.terms;
            let settled_at = lease_until.after(terms.timeout).after(terms.settle);
            let unknown = Unknown {
                since: *lease_until,
                believed_from: terms.stoppable.then_some(settled_at),
                cause: "the holder's lease ran out: its process died, froze or lost the ledger"
                    .into(),
            };
            enter_unknown(record, unknown, EventKind::LeaseLost, log);
        }
        State::Reconciling { lease_until, unknown } if *lease_until <= log.now => {
            let unknown = unknown.clone();
            log.enter(record, State::Unknown(unknown), EventKind::LeaseLost, None);
        }
        state if record.is_over(log.now) => {
            // The history keeps what the record no longer says.
            let result = match state {
                State::Succeeded { result, .. } => Some(result.to_string()),
                _ => None,
            };
            log.enter(record, State::Expired, EventKind::Expired, result);
        }
        State::AwaitingApproval | State::Approved
            if record.approval.as_ref().is_none_or(|approval| approval.expires_at <= log.now) =>
        {
            end_request(record, None, log);
        }
        _ => {}
    }
}

/// The request for approval is over, and nothing happened.
fn end_request(record: &mut Record, detail: Option<String>, log: &mut Log) {
    record.approval = None;
    let released = State::Released { not_before: Timestamp::ZERO };
    log.enter(record, released, EventKind::ApprovalExpired, detail);
}

/// The operation's outcome is not known: its grant is spent, and an
/// escalation names it. Where it repeated what was unknown before, the earlier
/// holder must be past acting too before "it did not happen" is believed; and it
/// keeps its name, for nobody has decided anything.
fn enter_unknown(record: &mut Record, mut unknown: Unknown, kind: EventKind, log: &mut Log) {
    let mut named = None;
    if let Some(doubt) = &record.doubt {
        let both = unknown.believed_from.zip(doubt.believed_from);
        unknown.believed_from = both.map(|(newer, older)| newer.max(older));
        named = record.escalation.take();
    }
    record.approval = None;
    let detail = unknown.cause.to_string();
    log.enter(record, State::Unknown(unknown), kind, Some(detail));
    record.escalation = named.or_else(|| Some(EscalationId::of(&record.chain)));
}

#[cfg(test)]
mod tests;
