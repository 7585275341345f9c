//! Operations as programs read them. The names of the fields stay.

use serde::Serialize;
use serde_json::value::RawValue;
use tool_contract_runtime::ledger::{
    self, ApprovalRecord, Attempt, Denial, Event, EventKind, Record, State, StateName, Timestamp,
};
use tool_contract_spec::duration;
use tool_contract_spec::key::{OperationId, Tenant};
use tool_contract_spec::policy::Remint;
use tool_contract_spec::saga::Ended;

use super::stand;
use crate::operator::time;

/// Which operation.
#[derive(Debug, Serialize)]
pub(crate) struct Name<'r> {
    tenant: Option<&'r str>,
    tool: &'r str,
    key: &'r str,
}

impl<'r> Name<'r> {
    pub(crate) fn of(id: &'r OperationId) -> Self {
        Self {
            tenant: id.tenant.as_ref().map(Tenant::as_str),
            tool: &id.tool,
            key: id.key.as_str(),
        }
    }
}

/// An operation in a list.
#[derive(Debug, Serialize)]
pub(crate) struct Line<'r> {
    #[serde(flatten)]
    name: Name<'r>,
    state: StateName,
    stands: StateName,
    /// What a saga came to: `finished` or `undone`.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<&'static str>,
    since: String,
    attempts: u32,
    escalation: Option<&'r str>,
    approval: Option<&'r str>,
}

impl<'r> Line<'r> {
    pub(crate) fn of(id: &'r OperationId, record: &'r Record, now: Timestamp) -> Self {
        Self {
            name: Name::of(id),
            state: record.state.name(),
            stands: stand::at(record, now).state.name(),
            ended: stand::came_to(record).map(Ended::as_str),
            since: time::iso(stand::since(record, now)),
            attempts: record.attempts,
            escalation: record.escalation.as_ref().map(|id| &*id.0),
            approval: record.approval.as_ref().map(|approval| &*approval.id.0),
        }
    }
}

/// A stored text that is JSON, or else a string.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Stored {
    Json(Box<RawValue>),
    Text(String),
}

impl Stored {
    pub(crate) fn of(text: &str) -> Self {
        serde_json::from_str(text).map_or_else(|_| Self::Text(text.to_owned()), Self::Json)
    }
}

/// One event of a history.
#[derive(Debug, Serialize)]
pub(super) struct Happening<'r> {
    seq: u32,
    at: String,
    kind: EventKind,
    fence: u64,
    detail: Option<&'r str>,
    attempts: Vec<Try>,
}

/// An attempt that failed.
#[derive(Debug, Serialize)]
struct Try {
    number: u32,
    began_at: String,
    took_ms: u64,
    class: String,
    error: String,
    decided: String,
}

impl<'r> Happening<'r> {
    pub(super) fn of(event: &'r Event) -> Self {
        let attempts: Vec<Try> = event.attempts().into_iter().map(Try::of).collect();
        Self {
            seq: event.seq,
            at: time::iso(event.at),
            kind: event.kind,
            fence: event.fence.0,
            detail: event.detail.as_deref().filter(|_| attempts.is_empty()),
            attempts,
        }
    }
}

impl Try {
    fn of(attempt: Attempt) -> Self {
        Self {
            number: attempt.number,
            began_at: time::iso(attempt.began_at),
            took_ms: u64::try_from(attempt.took.as_millis()).unwrap_or(u64::MAX),
            class: attempt.class.to_string(),
            error: attempt.error,
            decided: attempt.decided,
        }
    }
}

/// What the contract of the newest claim says; see the runtime's own terms.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a yes or no of the contract")]
pub(super) struct Terms {
    attempts: u32,
    max_total: u32,
    repeatable: bool,
    reconcilable: bool,
    lease: String,
    timeout: String,
    stoppable: bool,
    settle: String,
    ttl: String,
    sliding: bool,
    remint: Remint,
    confirm: Option<Confirm>,
    saga: bool,
    covered: bool,
}

/// How many people must approve, and how long that holds.
#[derive(Debug, Serialize)]
struct Confirm {
    ttl: String,
    quorum: u32,
}

impl Terms {
    pub(super) fn of(terms: &ledger::Terms) -> Self {
        Self {
            attempts: terms.attempts,
            max_total: terms.max_total,
            repeatable: terms.repeatable,
            reconcilable: terms.reconcilable,
            lease: duration::format(terms.lease),
            timeout: duration::format(terms.timeout),
            stoppable: terms.stoppable,
            settle: duration::format(terms.settle),
            ttl: duration::format(terms.ttl),
            sliding: terms.sliding,
            remint: terms.remint,
            confirm: terms
                .confirm
                .map(|(ttl, quorum)| Confirm { ttl: duration::format(ttl), quorum }),
            saga: terms.saga,
            covered: terms.covered,
        }
    }
}

/// A request for approval.
#[derive(Debug, Serialize)]
pub(super) struct Request<'r> {
    id: &'r str,
    requested_by: Option<&'r str>,
    requested_at: String,
    expires_at: String,
    quorum: u32,
    grants: Vec<Grant<'r>>,
    denied: Option<&'r Denial>,
}

/// One person's yes.
#[derive(Debug, Serialize)]
struct Grant<'r> {
    by: &'r str,
    at: String,
}

impl<'r> Request<'r> {
    pub(super) fn of(approval: &'r ApprovalRecord) -> Self {
        let grants = approval.grants.iter();
        Self {
            id: &approval.id.0,
            requested_by: approval.requested_by.as_deref(),
            requested_at: time::iso(approval.requested_at),
            expires_at: time::iso(approval.expires_at),
            quorum: approval.quorum,
            grants: grants.map(|grant| Grant { by: &grant.by, at: time::iso(grant.at) }).collect(),
            denied: approval.denied.as_ref(),
        }
    }
}

/// The result, of an expired key too: its history keeps it.
pub(super) fn result<'r>(record: &'r Record, history: &'r [Event]) -> Option<&'r str> {
    match &record.state {
        State::Succeeded { result, .. } => Some(result),
        State::Expired => history
            .iter()
            .rev()
            .find(|event| event.kind == EventKind::Expired)
            .and_then(|event| event.detail.as_deref()),
        _ => None,
    }
}

/// The times that bind a state, by their names.
#[derive(Debug, Default, Serialize)]
pub(super) struct Times {
    believed_from: Option<String>,
    lease_until: Option<String>,
    not_before: Option<String>,
    expires_at: Option<String>,
}

impl Times {
    pub(super) fn of(state: &State) -> Self {
        let iso = |at: &Timestamp| Some(time::iso(*at));
        let none = Self::default();
        match state {
            State::Running { lease_until } => Self { lease_until: iso(lease_until), ..none },
            State::Released { not_before } | State::Exhausted { not_before } => {
                Self { not_before: iso(not_before), ..none }
            }
            State::Succeeded { expires_at, .. }
            | State::Denied { expires_at }
            | State::Abandoned { expires_at, .. } => Self { expires_at: iso(expires_at), ..none },
            State::Unknown(unknown) => {
                Self { believed_from: unknown.believed_from.as_ref().and_then(iso), ..none }
            }
            State::Reconciling { lease_until, unknown } => Self {
                believed_from: unknown.believed_from.as_ref().and_then(iso),
                lease_until: iso(lease_until),
                ..none
            },
            State::AwaitingApproval | State::Approved | State::Expired => none,
        }
    }
}
