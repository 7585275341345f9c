//! A person's decision on a request for approval.

use std::sync::Arc;

use super::{
    ApprovalId, ApprovalRecord, Around, Denial, EventKind, Grant, Log, Record, State, StateName,
    Step, Timestamp, lapse,
};
use crate::key::OperationId;

/// Yes or no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Grant,
    /// No.
    Deny {
        /// Why.
        why: Arc<str>,
    },
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
}

/// Why a decision does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undecided {
    /// No such request stands: it was spent, has expired or never was.
    NoRequest {
        /// Where the operation stands; `None` if the ledger does not know it.
        state: Option<StateName>,
    },
    /// Who asked may not decide.
    Requester,
    /// This person has agreed already; a quorum is of different people.
    Again,
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
    let reply = match acceptable(record, decision) {
        Err(undecided) => Decided::Refused(undecided),
        Ok(approval) => match &decision.verdict {
            Verdict::Grant => grant(record, approval, decision, &mut log),
            Verdict::Deny { why } => deny(record, approval, decision, why, &mut log),
        },
    };
    log.answer(reply)
}

/// The request that the decision is about, if it counts.
fn acceptable(record: &Record, decision: &Decision) -> Result<Box<ApprovalRecord>, Undecided> {
    let standing = record.approval.as_ref().filter(|approval| approval.id == decision.request);
    let (State::AwaitingApproval, Some(approval)) = (&record.state, standing) else {
        return Err(Undecided::NoRequest { state: Some(record.state.name()) });
    };
    if approval.requested_by.as_deref() == Some(&*decision.by) {
        return Err(Undecided::Requester);
    }
    if approval.grants.iter().any(|grant| grant.by == decision.by)
        && decision.verdict == Verdict::Grant
    {
        return Err(Undecided::Again);
    }
    Ok(approval.clone())
}

fn grant(
    record: &mut Record,
    mut approval: Box<ApprovalRecord>,
    decision: &Decision,
    log: &mut Log,
) -> Decided {
    approval.grants.push(Grant { by: Arc::clone(&decision.by), at: log.now });
    let granted = approval.is_granted();
    let given = u32::try_from(approval.grants.len()).unwrap_or(u32::MAX);
    let missing = approval.quorum.saturating_sub(given);
    if let (true, Some((ttl, _))) = (granted, record.terms.confirm) {
        approval.expires_at = log.now.after(ttl);
    }
    let expires_at = approval.expires_at;
    record.approval = Some(approval);
    let state = if granted { State::Approved } else { State::AwaitingApproval };
    log.enter(record, state, EventKind::ApprovalGranted, Some(decision.by.to_string()));
    if granted { Decided::Granted { expires_at } } else { Decided::Pending { missing } }
}

fn deny(
    record: &mut Record,
    mut approval: Box<ApprovalRecord>,
    decision: &Decision,
    why: &Arc<str>,
    log: &mut Log,
) -> Decided {
    approval.denied = Some(Denial { by: Arc::clone(&decision.by), why: Arc::clone(why) });
    record.approval = Some(approval);
    let expires_at = log.now.after(record.terms.ttl);
    let detail = Some(format!("{}: {why}", decision.by));
    log.enter(record, State::Denied { expires_at }, EventKind::ApprovalDenied, detail);
    Decided::Denied
}
