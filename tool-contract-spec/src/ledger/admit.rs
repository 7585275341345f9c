//! Admission: one atomic step that replays, refuses or claims.

use std::sync::Arc;
use std::time::Duration;

use super::settle::escalation;
use super::{
    ApprovalId, ApprovalRecord, Around, Ballot, Cell, Chain, Draw, EscalationId, EventKind, Fence,
    Holder, Limited, Log, Nonce, Record, Slot, State, StateName, Step, Terms, Timestamp, Trust,
    Unknown, draw, lapse,
};
use crate::key::{IdempotencyKey, OperationId};
use crate::operation::{Fingerprint, OperationHash, Preimage};
use crate::policy::{Remint, Text};

/// What a call wants of its admission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// To run.
    Claim,
    /// To be approved, and not to run yet.
    RequestApproval,
}

/// A call that asks to be admitted.
#[derive(Debug, Clone, PartialEq)]
pub struct Admission {
    /// Which operation.
    pub id: OperationId,
    /// What it does.
    pub hash: OperationHash,
    /// Its arguments as JSON, secrets left out.
    pub arguments: Arc<str>,
    /// The call's own name, the same when it asks again.
    pub nonce: Nonce,
    /// The runtime that asks.
    pub holder: Holder,
    /// What its contract says.
    pub terms: Arc<Terms>,
    /// What it wants.
    pub intent: Intent,
    /// The approval that it brings.
    pub approval: Option<ApprovalId>,
    /// On whose behalf it is made.
    pub requested_by: Option<Arc<str>>,
    /// What it draws from limits if it claims.
    pub draws: Vec<Draw>,
    /// What ties it to other calls.
    pub correlation_id: Option<Arc<str>>,
    /// What it binds besides its arguments; the hash covers it.
    pub fingerprint: Option<Fingerprint>,
    /// What its hash is of, for who is asked to approve it.
    pub preimage: Option<Preimage>,
    /// Whose approval counts.
    pub trust: Trust,
}

impl Admission {
    /// This call's view of a request for approval: all but the request itself
    /// and who agreed is its own, and nothing of it from the record.
    #[must_use]
    pub fn ballot(&self, now: Timestamp) -> Ballot<'_> {
        Ballot {
            id: &self.id,
            hash: &self.hash,
            requested_by: self.requested_by.as_deref(),
            trust: &self.trust,
            now,
        }
    }
}

/// A right to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What the holder shows at settlement.
    pub fence: Fence,
    /// Attempts that the key had before.
    pub attempts_before: u32,
    /// Attempts that this claim may use. At least 1.
    pub attempts: u32,
    /// Until when it holds, unless renewed.
    pub lease_until: Timestamp,
    /// The time of the ledger.
    pub now: Timestamp,
    /// Whether an earlier attempt may have happened: the claim was given all
    /// the same, because repetition is harmless.
    pub in_doubt: bool,
    /// Whether nobody has claimed it before. One whose reply was lost may be told
    /// `false`.
    pub is_first: bool,
    /// The same operation's key, where it stands under another one.
    pub reminted_from: Option<IdempotencyKey>,
    /// The request whose grant it uses.
    pub approval: Option<ApprovalId>,
}

/// A finished operation's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// The result, as JSON.
    pub result: Arc<str>,
    /// Attempts that it took.
    pub attempts: u32,
    /// The key under which it stands, where it is not the one that was asked.
    pub reminted_from: Option<IdempotencyKey>,
}

/// Why a call does not run. Nothing was executed, and nothing is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The key stands for other arguments.
    Conflict {
        /// Where that operation stands.
        state: StateName,
    },
    /// The key was used and is past its ttl.
    Expired,
    /// Another call holds the operation, or somebody reconciles it.
    InFlight {
        /// Whether it is being reconciled.
        reconciling: bool,
        /// When its lease runs out, unless renewed.
        lease_until: Timestamp,
    },
    /// The backoff of an earlier call has not passed.
    NotBefore {
        /// How much of it is left.
        retry_after: Duration,
    },
    /// The key has had all its attempts, or failed for good where somebody counts
    /// on it.
    AttemptsExhausted {
        /// How many it had.
        attempts: u32,
        /// How many it may have.
        max_total: u32,
        /// Its escalation, if its own contract is the one that allows no more.
        escalation: Option<EscalationId>,
    },
    /// It may have happened.
    Unknown {
        /// Its escalation.
        escalation: EscalationId,
        /// What is known of the cause.
        cause: Text,
    },
    /// Nobody has approved it yet.
    AwaitingApproval {
        /// The request.
        request: ApprovalId,
        /// Until when it may be granted.
        expires_at: Timestamp,
    },
    /// It is approved, and was not to be run.
    Approved {
        /// The request.
        request: ApprovalId,
        /// Until when the grant may be used.
        expires_at: Timestamp,
    },
    /// Somebody refused it.
    Denied {
        /// Who.
        by: Arc<str>,
        /// Why.
        why: Arc<str>,
    },
    /// Somebody gave it up: the key never runs again.
    Abandoned {
        /// Who.
        by: Arc<str>,
        /// Why.
        why: Arc<str>,
    },
    /// A refusal is on record, in somebody's name who did not sign it.
    DenialUnproven {
        /// In whose name.
        by: Arc<str>,
    },
    /// The approval that the call brought is not the one that stands.
    WrongApproval,
    /// It was asked on behalf of somebody else.
    OtherRequester {
        /// The request.
        request: ApprovalId,
    },
    /// It asked for an approval, and no contract wants one.
    NothingToApprove,
    /// A limit has no room.
    Limited(Limited),
    /// The same operation stands under another key.
    Reminted {
        /// That key.
        first: IdempotencyKey,
        /// Where it stands.
        state: StateName,
    },
}

/// The answer to an admission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admitted {
    /// It may run.
    Claimed(Claim),
    /// It ran before; this is its result.
    Replay(Replay),
    /// It does not run.
    Refused(Refusal),
}

/// The same operation under another key: of the same tenant, tool and hash the
/// record with the newest fence of those that [speak](Record::speaks_at) for it.
/// A store looks for it only if there is no record under the key itself, and
/// only among the [newest](Twin::LOOK_BACK).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Twin {
    /// Its key.
    pub key: IdempotencyKey,
    /// What is known of it.
    pub record: Record,
}

impl Twin {
    /// Among how many records of an intent, newest fence first, a store looks
    /// for one that speaks. So a tool that is called again and again with the same
    /// arguments under ever new keys, and fails, does not make each call slower.
    pub const LOOK_BACK: usize = 32;
}

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
        .and_then(|()| take_limits(cells, request, around))
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
    take_limits(cells, request, around)?;
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
    Some(Claim {
        fence: record.fence,
        attempts_before: record.attempts.saturating_sub(record.reserved),
        attempts: record.reserved,
        lease_until: until,
        now: log.now,
        in_doubt: record.doubt.is_some(),
        is_first: false,
        reminted_from: None,
        approval: record.approval.as_ref().map(|approval| approval.id.clone()),
    })
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
        State::Denied { .. } => Err(denied(record, request)),
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

fn denied(record: &Record, request: &Admission) -> Refusal {
    let approval = record.approval.as_deref();
    let Some(denial) = approval.and_then(|approval| approval.denied.clone()) else {
        return Refusal::DenialUnproven { by: "".into() };
    };
    // A no holds until its own ttl, so that of the ledger's time none is asked.
    let is_proven = approval
        .is_some_and(|approval| request.ballot(Timestamp::ZERO).is_denied(approval, &denial));
    if is_proven {
        Refusal::Denied { by: denial.by, why: denial.why }
    } else {
        Refusal::DenialUnproven { by: denial.by }
    }
}

/// A released key bound to other arguments: its attempts stay counted, an
/// approval of the former arguments is void.
fn bound(record: &Record, request: &Admission) -> Record {
    let arguments = Arc::clone(&request.arguments);
    Record { hash: request.hash, arguments, approval: None, ..record.clone() }
}

/// How long an approval holds, and how many people it takes: both contracts, the
/// stored and the calling one, may demand it.
fn confirm(record: &Record, request: &Admission) -> Option<(Duration, u32)> {
    request.terms.confirm.or(record.terms.confirm)
}

/// Whether the people whom its contract wants agreed to this very call.
fn is_approved(record: &Record, request: &Admission, now: Timestamp) -> bool {
    let Some((_, quorum)) = confirm(record, request) else { return true };
    record.approval.as_ref().is_some_and(|approval| {
        approval.quorum >= quorum && request.ballot(now).is_granted(approval)
    })
}

/// Finds the grant of this call, or leaves a request for one.
fn approve(record: &mut Record, request: &Admission, log: &mut Log) -> Result<(), Refusal> {
    let Some((ttl, quorum)) = confirm(record, request) else {
        return match request.intent {
            Intent::Claim => Ok(()),
            Intent::RequestApproval => Err(Refusal::NothingToApprove),
        };
    };
    raise_quorum(record, quorum, log);
    let standing = record.approval.as_ref().filter(|approval| approval.expires_at > log.now);
    let brought_another = |approval: &ApprovalRecord| {
        request.approval.as_ref().is_some_and(|brought| *brought != approval.id)
    };
    match standing {
        Some(approval) if brought_another(approval) => Err(Refusal::WrongApproval),
        Some(approval) if approval.requested_by != request.requested_by => {
            Err(Refusal::OtherRequester { request: approval.id.clone() })
        }
        Some(approval) if request.ballot(log.now).is_granted(approval) => match request.intent {
            Intent::Claim => Ok(()),
            Intent::RequestApproval => Err(Refusal::Approved {
                request: approval.id.clone(),
                expires_at: approval.expires_at,
            }),
        },
        Some(approval) => Err(Refusal::AwaitingApproval {
            request: approval.id.clone(),
            expires_at: approval.expires_at,
        }),
        None if request.approval.is_some() => Err(Refusal::WrongApproval),
        None => {
            let approval = ApprovalRecord {
                id: ApprovalId::of(request.nonce, &record.chain),
                requested_by: request.requested_by.clone(),
                requested_at: log.now,
                expires_at: log.now.after(ttl),
                quorum,
                grants: Vec::new(),
                denied: None,
                preimage: request.preimage.clone(),
            };
            let refusal = Refusal::AwaitingApproval {
                request: approval.id.clone(),
                expires_at: approval.expires_at,
            };
            let detail = Some(approval.id.to_string());
            record.approval = Some(Box::new(approval));
            record.terms = request.terms.clone();
            log.enter(record, State::AwaitingApproval, EventKind::ApprovalRequested, detail);
            Err(refusal)
        }
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

fn take_limits(cells: &mut [Cell], request: &Admission, around: &Around) -> Result<(), Refusal> {
    let slot = Slot { fence: around.fence, until: around.now.after(request.terms.lease) };
    draw(cells, &request.draws, Some(slot), around.now).map_err(Refusal::Limited)
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
    let attempts_before = record.attempts;
    let attempts =
        request.terms.attempts.min(request.terms.max_total.saturating_sub(attempts_before)).max(1);
    let lease_until = around.now.after(request.terms.lease);
    if let State::Unknown(unknown) = &record.state {
        record.doubt = Some(unknown.clone());
    }
    let is_first = record.fence == Fence::NONE;
    if record.doubt.is_none() {
        record.escalation = None;
    }
    record.fence = around.fence;
    record.nonce = request.nonce;
    record.holder = request.holder;
    record.attempts = attempts_before.saturating_add(attempts);
    record.reserved = attempts;
    record.terms.clone_from(&request.terms);
    let slots = request.draws.iter().filter(|draw| draw.cell.takes_a_slot());
    record.slots = slots.map(|draw| draw.cell.clone()).collect();
    record.correlation_id.clone_from(&request.correlation_id);
    if let Some(fingerprint) = &request.fingerprint {
        log.note(record, EventKind::Bound, Some(fingerprint.to_string()));
    }
    let (kind, detail) = match &reminted_from {
        None => (EventKind::Claimed, None),
        Some(first) => (EventKind::ClaimedReminted, Some(first.to_string())),
    };
    log.enter(record, State::Running { lease_until }, kind, detail);
    let in_doubt = record.doubt.is_some();
    Admitted::Claimed(Claim {
        fence: around.fence,
        attempts_before,
        attempts,
        lease_until,
        now: around.now,
        in_doubt,
        is_first,
        reminted_from,
        approval: record.approval.as_ref().map(|approval| approval.id.clone()),
    })
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
