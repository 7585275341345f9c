//! Admission: one atomic step that replays, refuses or claims.

use std::sync::Arc;

use super::ask::{approve, denied, is_approved, weigh_refusal};
use super::settle::escalation;
use super::{
    Admission, Admitted, Around, Cell, Chain, Claim, Draw, EscalationId, EventKind, Fence, Log,
    Record, Refusal, Replay, Slot, State, Step, Terms, Timestamp, Twin, Unknown, draw, lapse,
};
use crate::key::IdempotencyKey;
use crate::policy::Remint;

/// Admits a call, or says why not; in this order: replay, conflict, state of
/// the record, attempts and backoff, approval, limits, claim.
///
/// So a replay needs no second approval and uses no limit, and a limited call
/// leaves no claim. `cells` are those of `request.draws`, in their order; they
/// change only if the call claims.
pub fn admit(
    slot: &mut Option<Record>,
    request: &Admission,
    twin: Option<&Twin>,
    cells: &mut [Cell],
    around: &Around,
) -> Step<Admitted> {
    let mut log = Log::new(around.now);
    let reply = match slot {
        Some(record) => {
            lapse(record, &mut log);
            admit_known(record, request, cells, around, &mut log)
        }
        None => admit_new(slot, request, twin, cells, around, &mut log),
    };
    log.answer(reply.unwrap_or_else(Admitted::Refused))
}

/// A key that the ledger has never seen.
fn admit_new(
    slot: &mut Option<Record>,
    request: &Admission,
    twin: Option<&Twin>,
    cells: &mut [Cell],
    around: &Around,
    log: &mut Log,
) -> Result<Admitted, Refusal> {
    let twin = twin.filter(|twin| twin.record.speaks_at(around.now));
    if let Some(twin) = twin
        && let Some(answer) = answer_for_twin(twin, request.terms.remint)
    {
        return answer;
    }
    let record = slot.insert(absent(request, around.now));
    let reminted_from = twin.map(|twin| twin.key.clone());
    let reply = approve(record, request, log)
        .and_then(|()| take_limits(record, cells, request, around))
        .map(|()| claim(record, request, reminted_from, around, log));
    // A limited call leaves nothing behind; a request for approval does.
    if !log.changed {
        *slot = None;
    }
    reply
}

/// A key that the ledger knows.
fn admit_known(
    record: &mut Record,
    request: &Admission,
    cells: &mut [Cell],
    around: &Around,
    log: &mut Log,
) -> Result<Admitted, Refusal> {
    let same = record.hash == request.hash;
    if let (true, Some(replay)) = (same, replay(record, around.now, log)) {
        return Ok(Admitted::Replay(replay));
    }
    if !same && !matches!(record.state, State::Released { .. } | State::Exhausted { .. }) {
        return Err(Refusal::Conflict { state: record.state.name() });
    }
    if let Some(own) = own_claim(record, request, log) {
        return Ok(Admitted::Claimed(own));
    }
    if same {
        weigh_refusal(record, request, log);
    }
    may_run(record, request)?;
    has_attempts(record, request, around.now)?;
    if same {
        return run(record, request, cells, around, log);
    }
    // Only a call that gets further than this binds the key anew.
    let mut bound = bound(record, request);
    let events = log.events.len();
    let reply = run(&mut bound, request, cells, around, log);
    if log.events.len() > events {
        *record = bound;
    }
    reply
}

/// The last steps of every call that nothing on record forbids.
fn run(
    record: &mut Record,
    request: &Admission,
    cells: &mut [Cell],
    around: &Around,
    log: &mut Log,
) -> Result<Admitted, Refusal> {
    approve(record, request, log)?;
    take_limits(record, cells, request, around)?;
    Ok(claim(record, request, None, around, log))
}

/// The result, if there is one. A sliding ttl starts again.
fn replay(record: &mut Record, now: Timestamp, log: &mut Log) -> Option<Replay> {
    let State::Succeeded { result, expires_at } = &mut record.state else { return None };
    if record.terms.sliding {
        *expires_at = now.after(record.terms.ttl);
        log.changed = true;
    }
    Some(Replay { result: Arc::clone(result), attempts: record.attempts, reminted_from: None })
}

/// The claim that this very call made, if its reply was lost. Its lease begins
/// again, since the caller counts from the reply that it gets.
fn own_claim(record: &mut Record, request: &Admission, log: &mut Log) -> Option<Claim> {
    let own = record.nonce == request.nonce && record.holder == request.holder;
    // Who can write the ledger can write that a call has begun, too.
    let own = own && is_approved(record, request, log.now);
    let until = log.now.after(record.terms.lease);
    match &mut record.state {
        State::Running { lease_until } if own => *lease_until = until,
        _ => return None,
    }
    log.changed = true;
    Some(claimed(record, until, log.now))
}

/// What the holder of a claim is told.
fn claimed(record: &Record, lease_until: Timestamp, now: Timestamp) -> Claim {
    Claim {
        fence: record.fence,
        attempts_before: record.attempts.saturating_sub(record.reserved),
        attempts: record.reserved,
        lease_until,
        now,
        in_doubt: record.doubt.is_some(),
        is_first: false,
        reminted_from: None,
        approval: record.approval.as_ref().map(|approval| approval.id.clone()),
    }
}

/// Whether the state lets anybody run.
///
/// An unknown outcome runs again only if *both* contracts, the stored and the
/// calling one, say that repetition is harmless, and neither wants it
/// confirmed: a request for approval would take the place of the unknown.
fn may_run(record: &Record, request: &Admission) -> Result<(), Refusal> {
    let may_repeat = |terms: &Terms| terms.repeatable && terms.confirm.is_none();
    match &record.state {
        State::AwaitingApproval
        | State::Approved
        | State::Released { .. }
        | State::Exhausted { .. } => Ok(()),
        State::Unknown(_) if may_repeat(&record.terms) && may_repeat(&request.terms) => Ok(()),
        State::Unknown(unknown) => Err(unknown_outcome(record, unknown)),
        State::Running { lease_until } => {
            Err(Refusal::InFlight { reconciling: false, lease_until: *lease_until })
        }
        State::Reconciling { lease_until, .. } => {
            Err(Refusal::InFlight { reconciling: true, lease_until: *lease_until })
        }
        State::Abandoned { no, .. } => {
            Err(Refusal::Abandoned { by: Arc::clone(&no.by), why: Arc::clone(&no.why) })
        }
        State::Denied { .. } => Err(denied(record)),
        // A result that replays was answered before.
        State::Expired | State::Succeeded { .. } => Err(Refusal::Expired),
    }
}

/// Whether the key may have another attempt, and may have it now.
fn has_attempts(record: &Record, request: &Admission, now: Timestamp) -> Result<(), Refusal> {
    let (attempts, max_total) = (record.attempts, request.terms.max_total);
    match &record.state {
        // That it may have happened is worth more than why it is not repeated.
        State::Unknown(unknown) if attempts >= max_total => Err(unknown_outcome(record, unknown)),
        _ if attempts >= max_total || failed_for_good(record) => {
            let escalation = escalation(record);
            Err(Refusal::AttemptsExhausted { attempts, max_total, escalation })
        }
        State::Released { not_before } | State::Exhausted { not_before } if *not_before > now => {
            Err(Refusal::NotBefore { retry_after: not_before.since(now) })
        }
        _ => Ok(()),
    }
}

/// Whether it waits for a person though its own contract left it attempts. A
/// contract that comes to allow more lets only the others run.
fn failed_for_good(record: &Record) -> bool {
    matches!(record.state, State::Exhausted { .. }) && record.attempts < record.terms.max_total
}

fn unknown_outcome(record: &Record, unknown: &Unknown) -> Refusal {
    let escalation = record.escalation.clone().unwrap_or_else(|| EscalationId::of(&record.chain));
    Refusal::Unknown { escalation, cause: unknown.cause.clone() }
}

/// A released key bound to other arguments: its attempts stay counted, an
/// approval of the former arguments is void.
fn bound(record: &Record, request: &Admission) -> Record {
    let arguments = Arc::clone(&request.arguments);
    Record { hash: request.hash, arguments, approval: None, ..record.clone() }
}

/// Draws from the limits of the call. A saga that has begun drew from them then, and must
/// be able to come to its end: it takes the slots that follow its claim, and draws no
/// more.
fn take_limits(
    record: &Record,
    cells: &mut [Cell],
    request: &Admission,
    around: &Around,
) -> Result<(), Refusal> {
    let slot = Slot { fence: around.fence, until: around.now.after(request.terms.lease) };
    let take = |cells: &mut [Cell], draws: &[Draw]| {
        draw(cells, draws, Some(slot), around.now).map_err(Refusal::Limited)
    };
    let has_begun = record.terms.saga && record.attempts > 0;
    if !has_begun {
        return take(cells, &request.draws);
    }
    let of_slots = |draw: &Draw| draw.cell.takes_a_slot();
    let pairs = cells.iter().cloned().zip(request.draws.iter().cloned());
    let (mut taken, draws): (Vec<_>, Vec<_>) = pairs.filter(|(_, draw)| of_slots(draw)).unzip();
    take(&mut taken, &draws)?;
    let held = cells.iter_mut().zip(&request.draws).filter(|(_, draw)| of_slots(draw));
    held.zip(taken).for_each(|((cell, _), after)| *cell = after);
    Ok(())
}

/// Makes the caller the holder. Its attempts are reserved here, so that a
/// crash never loosens the cap.
fn claim(
    record: &mut Record,
    request: &Admission,
    reminted_from: Option<IdempotencyKey>,
    around: &Around,
    log: &mut Log,
) -> Admitted {
    let left = request.terms.max_total.saturating_sub(record.attempts);
    let attempts = request.terms.attempts.min(left).max(1);
    let lease_until = around.now.after(request.terms.lease);
    if let State::Unknown(unknown) = &record.state {
        record.doubt = Some(unknown.clone());
    }
    let is_first = record.fence == Fence::NONE;
    let has_not_begun = record.attempts == 0;
    if record.doubt.is_none() {
        record.escalation = None;
    }
    record.fence = around.fence;
    record.nonce = request.nonce;
    record.holder = request.holder;
    record.attempts = record.attempts.saturating_add(attempts);
    record.reserved = attempts;
    record.terms.clone_from(&request.terms);
    let slots = request.draws.iter().filter(|draw| draw.cell.takes_a_slot());
    record.slots = slots.map(|draw| draw.cell.clone()).collect();
    record.correlation_id.clone_from(&request.correlation_id);
    if let Some(fingerprint) = &request.fingerprint {
        log.note(record, EventKind::Bound, Some(fingerprint.to_string()));
    }
    if let Some(workflow) = &request.workflow {
        log.note(record, EventKind::InWorkflow, Some(workflow.to_string()));
    }
    // Whoever takes a saga up does so on behalf of the user for whom it began.
    if request.terms.saga && has_not_begun && (request.requested_by.is_some() || !is_first) {
        let user = request.requested_by.as_deref().unwrap_or_default();
        log.note(record, EventKind::OnBehalf, Some(user.to_owned()));
    }
    let (kind, detail) = match &reminted_from {
        None => (EventKind::Claimed, None),
        Some(first) => (EventKind::ClaimedReminted, Some(first.to_string())),
    };
    log.enter(record, State::Running { lease_until }, kind, detail);
    let claim = claimed(record, lease_until, around.now);
    Admitted::Claimed(Claim { is_first, reminted_from, ..claim })
}

/// The record of an operation of which nothing is known but the request.
fn absent(request: &Admission, now: Timestamp) -> Record {
    Record {
        hash: request.hash,
        arguments: Arc::clone(&request.arguments),
        state: State::Released { not_before: Timestamp::ZERO },
        fence: Fence::NONE,
        nonce: request.nonce,
        holder: request.holder,
        attempts: 0,
        reserved: 0,
        terms: request.terms.clone(),
        slots: Vec::new(),
        approval: None,
        escalation: None,
        doubt: None,
        correlation_id: request.correlation_id.clone(),
        created_at: now,
        changed_at: now,
        chain: Chain::default(),
    }
}

/// What the contract says of the same operation under another key; `None` if
/// it may run all the same.
fn answer_for_twin(twin: &Twin, remint: Remint) -> Option<Result<Admitted, Refusal>> {
    match (remint, &twin.record.state) {
        (Remint::Warn, _) => None,
        (Remint::Replay, State::Succeeded { result, .. }) => Some(Ok(Admitted::Replay(Replay {
            result: Arc::clone(result),
            attempts: twin.record.attempts,
            reminted_from: Some(twin.key.clone()),
        }))),
        (Remint::Replay | Remint::Reject, state) => {
            Some(Err(Refusal::Reminted { first: twin.key.clone(), state: state.name() }))
        }
    }
}
