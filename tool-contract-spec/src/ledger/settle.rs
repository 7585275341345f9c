//! Settlement: what the holder says came of its claim; and the renewal of its
//! lease until then.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    Around, EscalationId, EventKind, Fence, Log, Record, State, StateName, Step, Terms, Timestamp,
    Unknown, enter_unknown, lapse,
};
use crate::key::OperationId;
use crate::outcome::OutcomeClass;
use crate::policy::Text;

/// One attempt, for the history. Attempts that simply succeeded are not
/// written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its number within the call, from 1.
    pub number: u32,
    /// When it began, by the holder's clock.
    pub began_at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// What came of it.
    pub class: OutcomeClass,
    /// The error's text.
    pub error: String,
    /// What the policy decided then, and why: see
    /// [`Decision::why`](crate::decide::Decision::why).
    #[serde(default)]
    pub decided: String,
}

/// What the holder says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It happened.
    Succeeded {
        /// The result, as JSON.
        result: Arc<str>,
    },
    /// Nothing happened. Whoever was given a claim [in
    /// doubt](super::Claim::in_doubt) says with this that the earlier attempt
    /// had no effect either.
    Released {
        /// How long the next attempt has to wait.
        delay: Duration,
    },
    /// Nothing happened, and nothing is gained by trying again, though somebody
    /// counts on it: a person has to look.
    Exhausted,
    /// It may have happened, and the holder no longer acts.
    Unknown {
        /// What is known of the cause.
        cause: Text,
    },
}

impl Verdict {
    /// Nothing came of an attempt that ended with `class`; the next one has to wait for
    /// `delay`. Who counts on the operation cannot do without it: what failed for good
    /// then takes a person.
    #[must_use]
    pub const fn of_failure(class: OutcomeClass, delay: Duration, is_counted_on: bool) -> Self {
        if is_counted_on && class.is_final() { Self::Exhausted } else { Self::Released { delay } }
    }
}

/// A holder's last word on its claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// Which operation.
    pub id: OperationId,
    /// The claim's fence.
    pub fence: Fence,
    /// How many of the reserved attempts were used; the rest are given back.
    pub used: u32,
    /// What came of it.
    pub verdict: Verdict,
    /// The attempts that failed.
    pub attempts: Vec<Attempt>,
}

/// The answer to a settlement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// It is on record, now or since an earlier settlement whose reply was
    /// lost.
    Recorded {
        /// The escalation, if a person has to look: the outcome is unknown, or the
        /// key has had all its attempts.
        escalation: Option<EscalationId>,
    },
    /// Somebody else has claimed or resolved the operation since; nothing
    /// changed.
    Superseded {
        /// Where it stands.
        state: StateName,
    },
    /// The ledger does not know the operation: it lost its data.
    Missing,
}

/// Records what came of a claim.
///
/// Only the newest fence may settle. It may settle a record that has become
/// unknown since: a late truth is welcome.
pub fn settle(
    slot: &mut Option<Record>,
    settlement: &Settlement,
    around: &Around,
) -> Step<Settled> {
    let mut log = Log::new(around.now);
    let Some(record) = slot else { return log.answer(Settled::Missing) };
    let reply = if record.fence != settlement.fence {
        Settled::Superseded { state: record.state.name() }
    } else if matches!(record.state, State::Running { .. } | State::Unknown(_)) {
        apply(record, settlement, &mut log);
        recorded(record)
    } else if is_repeated(record, &settlement.verdict) {
        recorded(record)
    } else {
        Settled::Superseded { state: record.state.name() }
    };
    log.answer(reply)
}

fn recorded(record: &Record) -> Settled {
    Settled::Recorded { escalation: escalation(record) }
}

/// The escalation, if it waits for a person.
pub(super) fn escalation(record: &Record) -> Option<EscalationId> {
    record.escalation.clone().filter(|_| record.state.name().is_escalated())
}

/// Whether the same verdict is on record already: its reply was lost.
fn is_repeated(record: &Record, verdict: &Verdict) -> bool {
    match (&record.state, verdict) {
        (State::Succeeded { result, .. }, Verdict::Succeeded { result: said }) => result == said,
        (
            State::Released { .. } | State::Exhausted { .. },
            Verdict::Released { .. } | Verdict::Exhausted,
        ) => record.reserved == 0,
        _ => false,
    }
}

fn apply(record: &mut Record, settlement: &Settlement, log: &mut Log) {
    // The same unknown a second time: its reply was lost.
    if matches!(settlement.verdict, Verdict::Unknown { .. }) && record.reserved == 0 {
        return;
    }
    give_back(record, settlement.used);
    if let Some(attempts) = trace(&settlement.attempts) {
        log.note(record, EventKind::Attempted, Some(attempts));
    }
    match &settlement.verdict {
        Verdict::Succeeded { result } => {
            succeed(record, Arc::clone(result), EventKind::Succeeded, None, log);
        }
        Verdict::Released { delay } => release(record, *delay, EventKind::Released, None, log),
        Verdict::Exhausted => exhaust(record, log.now, EventKind::Released, None, log),
        Verdict::Unknown { cause } => {
            let believed_from = Some(log.now.after(record.terms.settle));
            let unknown = Unknown { since: log.now, believed_from, cause: cause.clone() };
            enter_unknown(record, unknown, EventKind::BecameUnknown, log);
        }
    }
}

/// Gives back what was reserved and not used.
fn give_back(record: &mut Record, used: u32) {
    let unused = record.reserved.saturating_sub(used);
    record.attempts = record.attempts.saturating_sub(unused);
    record.reserved = 0;
}

fn trace(attempts: &[Attempt]) -> Option<String> {
    if attempts.is_empty() { None } else { serde_json::to_string(attempts).ok() }
}

/// It happened: the grant is spent, the result replays for the ttl.
pub(super) fn succeed(
    record: &mut Record,
    result: Arc<str>,
    kind: EventKind,
    detail: Option<String>,
    log: &mut Log,
) {
    record.approval = None;
    record.doubt = None;
    let expires_at = log.now.after(record.terms.ttl);
    log.enter(record, State::Succeeded { result, expires_at }, kind, detail);
}

/// It did not happen: the grant, if one is left, may be used again. A key that
/// has had all its attempts waits for a person; but where one was all that it
/// might have, its caller knows what there is to know, and where a saga answers for
/// it, the saga.
pub(super) fn release(
    record: &mut Record,
    delay: Duration,
    kind: EventKind,
    detail: Option<String>,
    log: &mut Log,
) {
    let not_before = log.now.after(delay);
    let Terms { max_total, covered, .. } = *record.terms;
    if max_total > 1 && record.attempts >= max_total && !covered {
        return exhaust(record, not_before, kind, detail, log);
    }
    (record.doubt, record.escalation) = (None, None);
    log.enter(record, State::Released { not_before }, kind, detail);
}

/// It did not happen, and waits for a person.
fn exhaust(
    record: &mut Record,
    not_before: Timestamp,
    kind: EventKind,
    detail: Option<String>,
    log: &mut Log,
) {
    record.doubt = None;
    log.enter(record, State::Exhausted { not_before }, kind, detail);
    record.escalation = Some(EscalationId::of(&record.chain));
}

/// The answer to a renewal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewed {
    /// The claim holds.
    Until {
        /// Until when, unless renewed again.
        lease_until: Timestamp,
        /// The time of the ledger.
        now: Timestamp,
    },
    /// The claim is lost: its holder must not begin an effect.
    Lost {
        /// Where the operation stands.
        state: Option<StateName>,
    },
}

/// What a holder writes into the history before it goes on. Only the newest fence
/// writes: so whoever lost its claim learns of it before it begins anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// See [`EventKind::Stepped`].
    Stepped(String),
    /// See [`EventKind::Unwinding`].
    Unwinding(String),
}

impl Note {
    fn event(&self) -> (EventKind, String) {
        match self {
            Self::Stepped(detail) => (EventKind::Stepped, detail.clone()),
            Self::Unwinding(error) => (EventKind::Unwinding, error.clone()),
        }
    }
}

/// Renews the lease of a holder or a reconciler; a holder may leave a note with
/// it. A lease that has run out is not renewed: somebody may have been told so.
///
/// A note whose reply was lost may stand twice, for it is asked for again.
pub fn renew(
    slot: &mut Option<Record>,
    fence: Fence,
    note: Option<&Note>,
    around: &Around,
) -> Step<Renewed> {
    let mut log = Log::new(around.now);
    let Some(record) = slot else { return log.answer(Renewed::Lost { state: None }) };
    lapse(record, &mut log);
    let (now, until) = (around.now, around.now.after(record.terms.lease));
    let holds = record.fence == fence;
    match &mut record.state {
        State::Running { lease_until } if holds => *lease_until = until,
        // A reconciler has nothing to note.
        State::Reconciling { lease_until, .. } if holds && note.is_none() => *lease_until = until,
        state => {
            let state = Some(state.name());
            return log.answer(Renewed::Lost { state });
        }
    }
    log.changed = true;
    if let Some((kind, detail)) = note.map(Note::event) {
        log.note(record, kind, Some(detail));
    }
    log.answer(Renewed::Until { lease_until: until, now })
}
