//! What a call needs of people before it may be claimed.

use std::time::Duration;

use super::{
    Admission, ApprovalId, ApprovalRecord, Ballot, EventKind, Intent, Log, Record, Refusal, State,
    Timestamp,
};

/// How long an approval holds, and how many people it takes: both contracts, the
/// stored and the calling one, may demand it.
fn confirm(record: &Record, request: &Admission) -> Option<(Duration, u32)> {
    request.terms.confirm.or(record.terms.confirm)
}

/// Whether the people whom its contract wants agreed to this very call.
pub(super) fn is_approved(record: &Record, request: &Admission, now: Timestamp) -> bool {
    let Some((_, quorum)) = confirm(record, request) else { return true };
    record.approval.as_ref().is_some_and(|approval| {
        approval.quorum >= quorum && request.ballot(now).is_granted(approval)
    })
}

/// Finds the grant of this call, or leaves a request for one.
pub(super) fn approve(
    record: &mut Record,
    request: &Admission,
    log: &mut Log,
) -> Result<(), Refusal> {
    let Some((ttl, quorum)) = confirm(record, request) else {
        return match request.intent {
            Intent::Claim => Ok(()),
            Intent::RequestApproval => Err(Refusal::NothingToApprove),
        };
    };
    raise_quorum(record, quorum, log);
    let standing = record.approval.as_deref().filter(|approval| approval.expires_at > log.now);
    let Some(approval) = standing else {
        return Err(match request.approval {
            Some(_) => Refusal::WrongApproval,
            None => ask(record, request, ttl, quorum, log),
        });
    };
    let (id, expires_at) = (approval.id.clone(), approval.expires_at);
    if request.approval.as_ref().is_some_and(|brought| *brought != id) {
        return Err(Refusal::WrongApproval);
    }
    if approval.requested_by != request.requested_by {
        let was_named = approval.requested_by.is_some();
        return Err(Refusal::OtherRequester { request: id, was_named });
    }
    let ballot = request.ballot(log.now);
    if approval.ignored() != ballot.ignored {
        let ignored = approval.ignored().unwrap_or("{}").into();
        return Err(Refusal::OtherIgnored { request: id, ignored });
    }
    match (ballot.is_granted(approval), request.intent) {
        (false, _) => Err(Refusal::AwaitingApproval { request: id, expires_at }),
        (true, Intent::RequestApproval) => Err(Refusal::Approved { request: id, expires_at }),
        (true, Intent::Claim) => Ok(()),
    }
}

/// A contract that has come to want more people than the standing request was
/// made for gets them; who agreed already is counted.
fn raise_quorum(record: &mut Record, quorum: u32, log: &mut Log) {
    let Some(approval) = record.approval.as_mut().filter(|approval| approval.quorum < quorum)
    else {
        return;
    };
    approval.quorum = quorum;
    let detail = Some(format!("{} takes {quorum} people now", approval.id));
    log.enter(record, State::AwaitingApproval, EventKind::ApprovalRequested, detail);
}

/// Leaves a request.
fn ask(
    record: &mut Record,
    request: &Admission,
    ttl: Duration,
    quorum: u32,
    log: &mut Log,
) -> Refusal {
    let id = ApprovalId::of(request.nonce, &record.chain);
    let expires_at = log.now.after(ttl);
    record.approval = Some(Box::new(ApprovalRecord {
        id: id.clone(),
        requested_by: request.requested_by.clone(),
        requested_at: log.now,
        expires_at,
        quorum,
        grants: Vec::new(),
        denied: None,
        denied_before: Vec::new(),
        preimage: request.preimage.clone(),
    }));
    record.terms = request.terms.clone();
    let detail = Some(id.to_string());
    log.enter(record, State::AwaitingApproval, EventKind::ApprovalRequested, detail);
    Refusal::AwaitingApproval { request: id, expires_at }
}

/// Sees to it that an operation is refused if, and only if, somebody refused it who
/// counts for this call. Any other refusal is none, and the request stands as before;
/// it stays on record, for whom it may count.
pub(super) fn weigh_refusal(record: &mut Record, request: &Admission, log: &mut Log) {
    let approval = record.approval.as_deref();
    let denial = approval.and_then(|approval| approval.denied.as_ref());
    let is_refused = approval.is_some_and(|approval| {
        // A no holds until its own ttl, so that of the ledger's time none is asked; and it
        // was signed to who asked, whoever calls now.
        let (ignored, requested_by) = (approval.ignored(), approval.requested_by.as_deref());
        let ballot = request.ballot(Timestamp::ZERO);
        Ballot { ignored, requested_by, ..ballot }.is_refused(approval)
    });
    let by = denial.map_or("nobody", |denial| &denial.by);
    match (&record.state, is_refused) {
        (State::Denied { .. }, false) => {
            let detail = Some(format!("the refusal in the name of {by} does not count"));
            log.enter(record, State::AwaitingApproval, EventKind::ApprovalRequested, detail);
        }
        (State::AwaitingApproval | State::Approved, true) => {
            let detail = Some(format!("{by} refused it, which counts"));
            let expires_at = log.now.after(record.terms.ttl);
            log.enter(record, State::Denied { expires_at }, EventKind::ApprovalDenied, detail);
        }
        _ => {}
    }
}

/// What somebody's no says to who asks again.
pub(super) fn denied(record: &Record) -> Refusal {
    let denial = record.approval.as_ref().and_then(|approval| approval.denied.clone());
    let (by, why) = denial.map_or_else(Default::default, |denial| (denial.by, denial.why));
    Refusal::Denied { by, why }
}
