//! Finding out what happened: by a reconcile function, or by a person.

use std::sync::Arc;
use std::time::Duration;

use super::settle::{escalation, release, succeed};
use super::{
    Around, Denial, EscalationId, EventKind, Fence, Holder, Log, Nonce, Record, State, StateName,
    Step, Terms, Timestamp, Unknown, end_request, lapse,
};
use crate::key::OperationId;
use crate::policy::Text;
use crate::saga;

/// A reconciler that asks for an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReconcileRequest {
    /// Which operation.
    pub id: OperationId,
    /// The reconciler's own name, the same when it asks again.
    pub nonce: Nonce,
    /// The runtime that asks.
    pub holder: Holder,
}

/// The answer to a reconciler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReconcileClaim {
    /// It may look, and is the only one.
    Claimed {
        /// What it shows when it reports.
        fence: Fence,
        /// From when on "it did not happen" is believed; `None` if a reconciler
        /// is never believed: see [`Unknown::believed_from`].
        believed_from: Option<Timestamp>,
        /// The time of the ledger.
        now: Timestamp,
        /// Until when it holds, unless renewed.
        lease_until: Timestamp,
        /// The operation's arguments as JSON, secrets left out.
        arguments: Arc<str>,
        /// Attempts that the key has had.
        attempts: u32,
    },
    /// There is nothing to find out, or somebody else is at it.
    Refused {
        /// Where the operation stands; `None` if the ledger does not know it.
        state: Option<StateName>,
    },
}

/// Makes the caller the one reconciler of an unknown outcome.
pub fn begin(
    slot: &mut Option<Record>,
    request: &ReconcileRequest,
    around: &Around,
) -> Step<ReconcileClaim> {
    let mut log = Log::new(around.now);
    let Some(record) = slot else { return log.answer(ReconcileClaim::Refused { state: None }) };
    lapse(record, &mut log);
    let own = record.nonce == request.nonce && record.holder == request.holder;
    let reply = match &record.state {
        State::Unknown(unknown) => {
            let lease_until = around.now.after(record.terms.lease);
            let unknown = unknown.clone();
            (record.fence, record.nonce, record.holder) =
                (around.fence, request.nonce, request.holder);
            log.enter(
                record,
                State::Reconciling { lease_until, unknown },
                EventKind::ReconcileBegan,
                None,
            );
            claimed(record, around.now)
        }
        State::Reconciling { .. } if own => claimed(record, around.now),
        state => ReconcileClaim::Refused { state: Some(state.name()) },
    };
    log.answer(reply)
}

fn claimed(record: &Record, now: Timestamp) -> ReconcileClaim {
    match &record.state {
        State::Reconciling { lease_until, unknown } => ReconcileClaim::Claimed {
            fence: record.fence,
            believed_from: unknown.believed_from,
            now,
            lease_until: *lease_until,
            arguments: Arc::clone(&record.arguments),
            attempts: record.attempts,
        },
        state => ReconcileClaim::Refused { state: Some(state.name()) },
    }
}

/// What a reconciler found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It happened.
    Happened {
        /// The result, as JSON.
        result: Arc<str>,
    },
    /// It did not happen.
    DidNotHappen {
        /// The time of the ledger, as the reconciler was last told before it
        /// looked. What happened after that it cannot have seen.
        looked_at: Timestamp,
        /// How long the next attempt has to wait.
        delay: Duration,
    },
    /// It cannot tell.
    CannotTell {
        /// Why.
        why: String,
    },
}

/// The answer to a reconciler's report, or to a person's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reconciled {
    /// It is on record.
    Recorded {
        /// Where the operation stands now.
        state: StateName,
        /// The escalation, if a person has to look (again): it is still unknown, or
        /// the key has had all its attempts.
        escalation: Option<EscalationId>,
    },
    /// "It did not happen" is not believed, for whoever said so looked too early;
    /// nothing changed.
    TooEarly {
        /// How long to wait before looking again; `None` if only a person is
        /// believed who knows that the former holder's process is dead.
        wait: Option<Duration>,
    },
    /// Somebody else has claimed or resolved the operation; nothing changed.
    Superseded {
        /// Where it stands; `None` if the ledger does not know it.
        state: Option<StateName>,
    },
    /// It is a saga, and this is nothing that a saga comes to; nothing changed. What
    /// a person resolves is the step that it rests for, or what undoes that; then the
    /// saga goes on when it is called again.
    OfItsSteps {
        /// What it rests for.
        cause: Text,
    },
}

/// Records what the reconciler with `fence` found. Only its own fence counts.
pub fn finish(
    slot: &mut Option<Record>,
    fence: Fence,
    finding: &Finding,
    around: &Around,
) -> Step<Reconciled> {
    let mut log = Log::new(around.now);
    let Some(record) = slot else { return log.answer(Reconciled::Superseded { state: None }) };
    lapse(record, &mut log);
    let unknown = match &record.state {
        State::Reconciling { unknown, .. } if record.fence == fence => unknown.clone(),
        _ if is_repeated(record, fence, finding) => {
            let reply = recorded(record);
            return log.answer(reply);
        }
        state => {
            let state = Some(state.name());
            return log.answer(Reconciled::Superseded { state });
        }
    };
    let reply = match finding {
        Finding::Happened { result } => {
            succeed(record, Arc::clone(result), EventKind::ReconciledHappened, None, &mut log);
            recorded(record)
        }
        Finding::DidNotHappen { looked_at, .. }
            if !is_believed(&unknown, (*looked_at).min(around.now)) =>
        {
            too_early(&unknown, around.now)
        }
        Finding::DidNotHappen { delay, .. } => {
            release(record, *delay, EventKind::ReconciledDidNotHappen, None, &mut log);
            recorded(record)
        }
        Finding::CannotTell { why } => {
            let detail = Some(why.clone());
            log.enter(record, State::Unknown(unknown), EventKind::ReconciledCannotTell, detail);
            recorded(record)
        }
    };
    log.answer(reply)
}

/// Whether somebody who looked then would have seen what happened.
fn is_believed(unknown: &Unknown, looked_at: Timestamp) -> bool {
    unknown.believed_from.is_some_and(|from| from <= looked_at)
}

fn too_early(unknown: &Unknown, now: Timestamp) -> Reconciled {
    Reconciled::TooEarly { wait: unknown.believed_from.map(|from| from.since(now)) }
}

/// Whether the same finding is on record already: its reply was lost.
fn is_repeated(record: &Record, fence: Fence, finding: &Finding) -> bool {
    let same = match (&record.state, finding) {
        (State::Succeeded { result, .. }, Finding::Happened { result: found }) => result == found,
        (State::Released { .. } | State::Exhausted { .. }, Finding::DidNotHappen { .. })
        | (State::Unknown(_), Finding::CannotTell { .. }) => true,
        _ => false,
    };
    same && record.fence == fence
}

fn recorded(record: &Record) -> Reconciled {
    Reconciled::Recorded { state: record.state.name(), escalation: escalation(record) }
}

/// What a person says of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    /// It happened. Said of an unknown outcome; and of a key without attempts, if
    /// somebody has done it by hand.
    Happened {
        /// The result, as JSON; that of a saga as in `{"finished":17}` or
        /// `{"undone":{"error":"sold out","steps":[]}}`.
        result: Arc<str>,
    },
    /// It did not happen. Said of an unknown outcome.
    DidNotHappen {
        /// Whether the person knows that the former holder's process is dead;
        /// without that it is not believed before the holder can no longer
        /// act.
        holder_is_dead: bool,
    },
    /// Nobody cares any more whether it happened; **it never runs again**, and its
    /// callers are told who gave it up, and why. Said of an unknown outcome, and of
    /// a key without attempts.
    Abandoned,
    /// Nobody needs it any more: its request for approval is over before its time,
    /// and so is a yes to it. Said of a call that waits for people, or for which they
    /// said yes, and that has not begun.
    Withdrawn,
    /// It may run again, **though it may have run before**: said of a key that is
    /// finished, refused, given up, expired or out of attempts. Its attempts are counted
    /// anew, and what it came to is left to its history.
    Reopened,
}

/// A person's word on an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// Which operation.
    pub id: OperationId,
    /// Of which escalation it is said: should that be over by the time that the
    /// word arrives, it does not count. `None` if it is said of the operation
    /// however it came to stand so.
    pub escalation: Option<EscalationId>,
    /// Who says so.
    pub by: Arc<str>,
    /// Why.
    pub why: Arc<str>,
    /// What happened.
    pub resolved: Resolved,
}

/// Records a person's word. It takes a fence of its own, so that the former
/// holder can settle nothing afterwards.
pub fn resolve(
    slot: &mut Option<Record>,
    resolution: &Resolution,
    around: &Around,
) -> Step<Reconciled> {
    let mut log = Log::new(around.now);
    let Some(record) = slot else { return log.answer(Reconciled::Superseded { state: None }) };
    lapse(record, &mut log);
    let detail = format!("{}: {}", resolution.by, resolution.why);
    let reply = match (&record.state, &resolution.resolved) {
        (state, _)
            if resolution.escalation.is_some() && resolution.escalation != escalation(record) =>
        {
            Reconciled::Superseded { state: Some(state.name()) }
        }
        (State::Unknown(Unknown { cause, .. }), said) if !is_of(&record.terms, said) => {
            Reconciled::OfItsSteps { cause: cause.clone() }
        }
        (State::Exhausted { .. }, said) if !is_of(&record.terms, said) => {
            Reconciled::OfItsSteps { cause: "it has had all its attempts".into() }
        }
        (State::Unknown(unknown), Resolved::DidNotHappen { holder_is_dead: false })
            if !is_believed(unknown, around.now) =>
        {
            too_early(unknown, around.now)
        }
        (State::Unknown(_), Resolved::DidNotHappen { .. }) => {
            record.fence = around.fence;
            let kind = EventKind::ResolvedDidNotHappen;
            release(record, Duration::ZERO, kind, Some(detail), &mut log);
            recorded(record)
        }
        (State::Unknown(_) | State::Exhausted { .. }, Resolved::Happened { result }) => {
            record.fence = around.fence;
            let (result, kind) = (Arc::clone(result), EventKind::ResolvedHappened);
            succeed(record, result, kind, Some(detail), &mut log);
            recorded(record)
        }
        (State::Unknown(_) | State::Exhausted { .. }, Resolved::Abandoned) => {
            record.fence = around.fence;
            abandon(record, resolution, detail, &mut log);
            recorded(record)
        }
        (State::AwaitingApproval | State::Approved, Resolved::Withdrawn) => {
            record.fence = around.fence;
            end_request(record, Some(detail), &mut log);
            recorded(record)
        }
        (state, Resolved::Reopened) if is_at_rest(state) => {
            record.fence = around.fence;
            reopen(record, detail, &mut log);
            recorded(record)
        }
        (state, _) => Reconciled::Superseded { state: Some(state.name()) },
    };
    log.answer(reply)
}

/// Whether that can be said of an operation with these terms. A saga may be half
/// done: what it did stands on the records of its steps, and would be forgotten if
/// the whole were said not to have happened, or given up. So of a saga only what a
/// saga comes to can be said.
fn is_of(terms: &Terms, said: &Resolved) -> bool {
    match said {
        Resolved::Reopened => true,
        Resolved::Happened { result } => !terms.saga || saga::ended(result).is_some(),
        Resolved::DidNotHappen { .. } | Resolved::Abandoned | Resolved::Withdrawn => !terms.saga,
    }
}

/// Whether nobody acts on it, and it is known what it came to.
const fn is_at_rest(state: &State) -> bool {
    match state {
        State::Succeeded { .. }
        | State::Expired
        | State::Denied { .. }
        | State::Abandoned { .. }
        | State::Exhausted { .. }
        | State::Released { .. } => true,
        State::AwaitingApproval
        | State::Approved
        | State::Running { .. }
        | State::Unknown(_)
        | State::Reconciling { .. } => false,
    }
}

fn abandon(record: &mut Record, resolution: &Resolution, detail: String, log: &mut Log) {
    (record.approval, record.doubt) = (None, None);
    let (by, why) = (Arc::clone(&resolution.by), Arc::clone(&resolution.why));
    let no = Denial { by, why, signature: None };
    let expires_at = log.now.after(record.terms.ttl);
    let abandoned = State::Abandoned { no, expires_at };
    log.enter(record, abandoned, EventKind::ResolvedAbandoned, Some(detail));
}

fn reopen(record: &mut Record, detail: String, log: &mut Log) {
    let result = match &record.state {
        State::Succeeded { result, .. } => format!("; its result was {result}"),
        _ => String::new(),
    };
    (record.attempts, record.reserved, record.approval) = (0, 0, None);
    release(record, Duration::ZERO, EventKind::Reopened, Some(detail + &result), log);
}
