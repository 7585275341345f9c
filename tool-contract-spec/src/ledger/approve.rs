//! A person's decision on a request for approval.

use std::sync::Arc;

use super::{
    ApprovalId, ApprovalRecord, Around, Ballot, Denial, EventKind, Grant, Log, Record, Signature,
    Signer, State, StateName, Statement, Step, Timestamp, Trust, lapse,
};
use crate::key::OperationId;
use crate::operation::OperationHash;

/// Yes or no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Grant {
        /// Until when, by the ledger's clock; [`Timestamp::END`] for as long as the
        /// contract lets a grant hold.
        until: Timestamp,
    },
    /// No.
    Deny {
        /// Why.
        why: Arc<str>,
    },
}

impl Verdict {
    /// Yes, for as long as the contract lets a grant hold.
    pub const GRANT: Self = Self::Grant { until: Timestamp::END };

    const fn is_yes(&self) -> bool {
        matches!(self, Self::Grant { .. })
    }
}

/// A person's decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Which operation.
    pub id: OperationId,
    /// Which request; a decision on an older one does not count.
    pub request: ApprovalId,
    /// Who decides.
    pub by: Arc<str>,
    /// What.
    pub verdict: Verdict,
    /// What the person signed: see [`Statement`].
    pub signature: Option<Signature>,
    /// Whose decisions count for who records this one. It is checked once more
    /// where the grant is used, with the trust of who uses it.
    pub trust: Trust,
}

/// Why a decision does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undecided {
    /// No such request stands: it was spent, has expired or never was.
    NoRequest {
        /// Where the operation stands; `None` if the ledger does not know it.
        state: Option<StateName>,
    },
    /// The call has begun: its grant is in use, and a no comes too late for this run.
    Begun,
    /// Who asked may not decide.
    Requester,
    /// This person, or this key, has agreed already; a quorum is of different
    /// people.
    Again,
    /// Enough people have agreed already: another yes changes nothing. A no counts
    /// until the call is claimed.
    Enough,
    /// It is not signed by somebody who is trusted.
    Unproven,
    /// It would be over already.
    Over,
}

/// The answer to a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decided {
    /// Enough people agreed.
    Granted {
        /// Until when the call may be made.
        expires_at: Timestamp,
    },
    /// More people have to agree.
    Pending {
        /// How many.
        missing: u32,
    },
    /// The grant is on record, and it is [not known here](Trust::knows_everybody)
    /// whether it counts: where the request stands and how long is as before.
    Recorded,
    /// It is refused for good.
    Denied,
    /// The decision does not count; nothing changed.
    Refused(Undecided),
}

/// Records a decision on the request that stands.
pub fn decide(slot: &mut Option<Record>, decision: &Decision, around: &Around) -> Step<Decided> {
    let mut log = Log::new(around.now);
    let Some(record) = slot else {
        return log.answer(Decided::Refused(Undecided::NoRequest { state: None }));
    };
    lapse(record, &mut log);
    let reply = match acceptable(record, decision, around.now) {
        Err(undecided) => Decided::Refused(undecided),
        Ok(approval) => match &decision.verdict {
            Verdict::Grant { until } => grant(record, approval, decision, *until, &mut log),
            Verdict::Deny { why } => deny(record, approval, decision, why, &mut log),
        },
    };
    log.answer(reply)
}

/// The request that the decision is about, if it counts.
///
/// What is on record is not believed: enough names there, or a refusal, without
/// signatures that count, keep nobody from deciding.
fn acceptable(
    record: &Record,
    decision: &Decision,
    now: Timestamp,
) -> Result<Box<ApprovalRecord>, Undecided> {
    let gone = || Undecided::NoRequest { state: Some(record.state.name()) };
    let standing = record.approval.as_ref().filter(|approval| approval.id == decision.request);
    let approval = standing.ok_or_else(gone)?;
    let ballot = ballot(decision, &record.hash, approval, now);
    // Who does not know everybody may not take the place of a refusal that may count.
    let may_judge = decision.trust.knows_everybody() || decision.verdict.is_yes();
    let is_open = match record.state {
        State::AwaitingApproval | State::Approved => true,
        State::Denied { .. } => may_judge && !ballot.is_refused(approval),
        // A run that came to nothing gave its grant back: a no stops the next one.
        State::Released { .. } => !decision.verdict.is_yes() && approval.expires_at > now,
        State::Running { .. } => return Err(Undecided::Begun),
        _ => false,
    };
    if !is_open {
        return Err(gone());
    }
    if approval.requested_by.as_deref() == Some(&*decision.by) {
        return Err(Undecided::Requester);
    }
    let signer = signer(decision, &ballot).ok_or(Undecided::Unproven)?;
    if let Verdict::Grant { until } = decision.verdict {
        if until <= now {
            return Err(Undecided::Over);
        }
        if ballot.has_agreed(approval, &decision.by, signer) {
            return Err(Undecided::Again);
        }
        if record.state == State::Approved && ballot.is_granted(approval) {
            return Err(Undecided::Enough);
        }
    }
    Ok(approval.clone())
}

/// The request, as the one sees it who records the decision.
fn ballot<'a>(
    decision: &'a Decision,
    hash: &'a OperationHash,
    approval: &'a ApprovalRecord,
    now: Timestamp,
) -> Ballot<'a> {
    Ballot {
        id: &decision.id,
        hash,
        ignored: approval.ignored(),
        requested_by: approval.requested_by.as_deref(),
        trust: &decision.trust,
        now,
    }
}

fn signer(decision: &Decision, ballot: &Ballot<'_>) -> Option<Signer> {
    let statement = Statement {
        id: &decision.id,
        hash: ballot.hash,
        ignored: ballot.ignored,
        requested_by: ballot.requested_by,
        request: &decision.request,
        by: &decision.by,
        verdict: &decision.verdict,
    };
    decision.trust.signer(&statement, decision.signature.as_ref())
}

fn grant(
    record: &mut Record,
    mut approval: Box<ApprovalRecord>,
    decision: &Decision,
    until: Timestamp,
    log: &mut Log,
) -> Decided {
    let (by, signature) = (Arc::clone(&decision.by), decision.signature);
    let decided = if decision.trust.knows_everybody() {
        // What stood under this name did not count.
        approval.grants.retain(|grant| grant.by != by);
        approval.grants.push(Grant { by, at: log.now, until, signature });
        count(record, &mut approval, decision, log.now)
    } else {
        approval.grants.push(Grant { by, at: log.now, until, signature });
        Decided::Recorded
    };
    let state = match &decided {
        Decided::Granted { .. } => State::Approved,
        Decided::Recorded => record.state.clone(),
        _ => State::AwaitingApproval,
    };
    let excess = approval.grants.len().saturating_sub(Ballot::MOST);
    approval.grants.drain(..excess);
    record.approval = Some(approval);
    log.enter(record, state, EventKind::ApprovalGranted, Some(decision.by.to_string()));
    decided
}

/// Whether enough people agreed. Only theirs is the time for which it is granted.
fn count(
    record: &Record,
    approval: &mut ApprovalRecord,
    decision: &Decision,
    now: Timestamp,
) -> Decided {
    let ballot = ballot(decision, &record.hash, approval, now);
    let missing = ballot.missing(approval);
    if missing > 0 {
        return Decided::Pending { missing };
    }
    let signed = ballot.people(approval).iter().map(|(grant, _)| grant.until).min();
    if let Some((ttl, _)) = record.terms.confirm {
        approval.expires_at = now.after(ttl).min(signed.unwrap_or(Timestamp::END));
    }
    Decided::Granted { expires_at: approval.expires_at }
}

fn deny(
    record: &mut Record,
    mut approval: Box<ApprovalRecord>,
    decision: &Decision,
    why: &Arc<str>,
    log: &mut Log,
) -> Decided {
    let (by, why) = (Arc::clone(&decision.by), Arc::clone(why));
    let detail = Some(format!("{by}: {why}"));
    let last = approval.denied.replace(Denial { by, why, signature: decision.signature });
    approval.denied_before.extend(last);
    let excess = approval.denied_before.len().saturating_sub(Ballot::MOST);
    approval.denied_before.drain(..excess);
    record.approval = Some(approval);
    let expires_at = log.now.after(record.terms.ttl);
    log.enter(record, State::Denied { expires_at }, EventKind::ApprovalDenied, detail);
    Decided::Denied
}
