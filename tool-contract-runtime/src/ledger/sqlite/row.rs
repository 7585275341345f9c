//! A record, a history and a cell as rows.

use rusqlite::Row;
use rusqlite::types::ToSqlOutput;
use tool_contract_spec::key::{IdempotencyKey, OperationId, Tenant};
use tool_contract_spec::operation::OperationHash;
use tool_contract_spec::policy::{Period, Quota, Remint};

use super::fault::{Damage, Trouble};
use super::value::{Columns, big, bytes, json, maybe, number, span, text, time};
use crate::ledger::{
    Cell, CellId, Chain, Denial, EscalationId, Event, EventKind, Fence, Holder, Nonce, Record,
    Slot, State, StateName, Terms, Timestamp, Unknown,
};

/// The columns of a record that a claim sets, in the order of [`encode_claim`].
pub(super) const CLAIM: [&str; 22] = [
    "hash",
    "arguments",
    "fence",
    "nonce",
    "holder",
    "attempts_per_claim",
    "max_total",
    "repeatable",
    "reconcilable",
    "lease_ms",
    "timeout_ms",
    "stoppable",
    "settle_ms",
    "ttl_ms",
    "sliding",
    "remint",
    "confirm_ms",
    "quorum",
    "saga",
    "covered",
    "correlation_id",
    "slots",
];

/// The columns that say how it stands, in the order of [`encode_standing`].
pub(super) const STANDING: [&str; 18] = [
    "state",
    "lease_until",
    "not_before",
    "expires_at",
    "result",
    "unknown_since",
    "believed_from",
    "cause",
    "abandoned",
    "attempts",
    "reserved",
    "approval",
    "escalation",
    "doubt",
    "created_at",
    "changed_at",
    "events",
    "head",
];

/// The columns that name an operation.
pub(super) const ID: [&str; 3] = ["tenant", "tool", "key"];

/// What SQLite stores where there is no tenant; a tenant has at least one
/// character.
pub(super) fn tenant(tenant: Option<&Tenant>) -> &str {
    tenant.map_or("", Tenant::as_str)
}

/// The parts of a state, each a column of its own.
#[derive(Default)]
struct Parts<'a> {
    lease_until: Option<Timestamp>,
    not_before: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    result: Option<&'a str>,
    unknown: Option<&'a Unknown>,
    no: Option<&'a Denial>,
}

impl<'a> Parts<'a> {
    fn of(state: &'a State) -> Self {
        let none = Self::default();
        match state {
            State::AwaitingApproval | State::Approved | State::Expired => none,
            State::Denied { expires_at } => Self { expires_at: Some(*expires_at), ..none },
            State::Running { lease_until } => Self { lease_until: Some(*lease_until), ..none },
            State::Released { not_before } | State::Exhausted { not_before } => {
                Self { not_before: Some(*not_before), ..none }
            }
            State::Abandoned { no, expires_at } => {
                Self { expires_at: Some(*expires_at), no: Some(no), ..none }
            }
            State::Succeeded { result, expires_at } => {
                Self { expires_at: Some(*expires_at), result: Some(result), ..none }
            }
            State::Unknown(unknown) => Self { unknown: Some(unknown), ..none },
            State::Reconciling { lease_until, unknown } => {
                Self { lease_until: Some(*lease_until), unknown: Some(unknown), ..none }
            }
        }
    }
}

/// A record as the values of [`CLAIM`].
pub(super) fn encode_claim(record: &Record) -> Result<[ToSqlOutput<'_>; CLAIM.len()], Trouble> {
    let terms = &record.terms;
    let (confirm, quorum) = terms.confirm.unzip();
    Ok([
        bytes(record.hash.as_bytes()),
        text(&record.arguments),
        number(record.fence.0),
        big(record.nonce.0),
        big(record.holder.0),
        number(terms.attempts.into()),
        number(terms.max_total.into()),
        number(terms.repeatable.into()),
        number(terms.reconcilable.into()),
        span(terms.lease),
        span(terms.timeout),
        number(terms.stoppable.into()),
        span(terms.settle),
        span(terms.ttl),
        number(terms.sliding.into()),
        text(terms.remint.as_str()),
        maybe(confirm, span),
        maybe(quorum, |quorum| number(quorum.into())),
        number(terms.saga.into()),
        number(terms.covered.into()),
        maybe(record.correlation_id.as_deref(), text),
        json(Some(&record.slots).filter(|slots| !slots.is_empty()))?,
    ])
}

/// Whether two records of an operation differ in [`CLAIM`].
pub(super) fn is_claimed_anew(before: &Record, after: &Record) -> bool {
    before.fence != after.fence || before.hash != after.hash || before.terms != after.terms
}

/// A record as the values of [`STANDING`].
pub(super) fn encode_standing(
    record: &Record,
) -> Result<[ToSqlOutput<'_>; STANDING.len()], Trouble> {
    let parts = Parts::of(&record.state);
    Ok([
        text(record.state.name().as_str()),
        maybe(parts.lease_until, time),
        maybe(parts.not_before, time),
        maybe(parts.expires_at, time),
        maybe(parts.result, text),
        maybe(parts.unknown, |unknown| time(unknown.since)),
        maybe(parts.unknown.and_then(|unknown| unknown.believed_from), time),
        maybe(parts.unknown, |unknown| text(&unknown.cause)),
        json(parts.no)?,
        number(record.attempts.into()),
        number(record.reserved.into()),
        json(record.approval.as_ref())?,
        maybe(record.escalation.as_ref(), |escalation| text(&escalation.0)),
        json(record.doubt.as_ref())?,
        time(record.created_at),
        time(record.changed_at),
        number(record.chain.length.into()),
        bytes(&record.chain.head),
    ])
}

/// Where the columns of [`ID`] and of the record begin in what [`select`] reads.
const ID_AT: usize = 1;
const RECORD_AT: usize = ID_AT + ID.len();

/// A statement that reads operations: the row's id, the operation's, the record.
pub(super) fn select(which: &str) -> String {
    let columns = [ID.as_slice(), &CLAIM, &STANDING].concat().join(", ");
    format!("SELECT id, {columns} FROM operations {which}")
}

/// The row's id.
pub(super) fn row_id(row: &Row<'_>) -> Result<i64, Damage> {
    Columns::from(row, 0).row_id()
}

/// The operation's id.
pub(super) fn id(row: &Row<'_>) -> Result<OperationId, Damage> {
    let mut columns = Columns::from(row, ID_AT);
    let tenant = match columns.text()? {
        "" => None,
        tenant => Some(Tenant::new(tenant).map_err(|error| columns.damage(&error.to_string()))?),
    };
    let tool = columns.text()?.to_owned().into();
    let key = columns.text()?;
    let key = IdempotencyKey::new(key).map_err(|error| columns.damage(&error.to_string()))?;
    Ok(OperationId { tenant, tool, key })
}

/// The record.
pub(super) fn record(row: &Row<'_>) -> Result<Record, Damage> {
    let mut columns = Columns::from(row, RECORD_AT);
    let c = &mut columns;
    Ok(Record {
        hash: OperationHash::from_bytes(c.bytes()?),
        arguments: c.shared()?,
        fence: Fence(c.number()?),
        nonce: Nonce(c.big()?),
        holder: Holder(c.big()?),
        terms: terms(c)?.into(),
        correlation_id: c.maybe_text()?.map(Into::into),
        slots: c.json::<Vec<CellId>>()?.unwrap_or_default(),
        state: state(c)?,
        attempts: c.small()?,
        reserved: c.small()?,
        approval: c.json()?,
        escalation: c.maybe_text()?.map(|text| EscalationId(text.into())),
        doubt: c.json()?,
        created_at: c.time()?,
        changed_at: c.time()?,
        chain: Chain { length: c.small()?, head: c.bytes()? },
    })
}

fn state(c: &mut Columns<'_, '_>) -> Result<State, Damage> {
    let name = c.word(&StateName::ALL, StateName::as_str)?;
    let lease_until = c.maybe_time()?;
    let not_before = c.maybe_time()?;
    let expires_at = c.maybe_time()?;
    let result = c.maybe_text()?;
    let (since, believed_from, cause) = (c.maybe_time()?, c.maybe_time()?, c.maybe_text()?);
    let no = c.json()?;
    let unknown = || {
        let cause = cause?.to_owned().into();
        Some(Unknown { since: since?, believed_from, cause })
    };
    let whole = match name {
        StateName::AwaitingApproval => Some(State::AwaitingApproval),
        StateName::Approved => Some(State::Approved),
        StateName::Expired => Some(State::Expired),
        StateName::Denied => expires_at.map(|expires_at| State::Denied { expires_at }),
        StateName::Running => lease_until.map(|lease_until| State::Running { lease_until }),
        StateName::Released => not_before.map(|not_before| State::Released { not_before }),
        StateName::Exhausted => not_before.map(|not_before| State::Exhausted { not_before }),
        StateName::Abandoned => {
            no.zip(expires_at).map(|(no, expires_at)| State::Abandoned { no, expires_at })
        }
        StateName::Succeeded => result
            .zip(expires_at)
            .map(|(result, expires_at)| State::Succeeded { result: result.into(), expires_at }),
        StateName::Unknown => unknown().map(State::Unknown),
        StateName::Reconciling => lease_until
            .zip(unknown())
            .map(|(lease_until, unknown)| State::Reconciling { lease_until, unknown }),
    };
    whole.ok_or_else(|| Damage {
        column: "state".into(),
        problem: format!("is {name}, without what belongs to it"),
    })
}

fn terms(c: &mut Columns<'_, '_>) -> Result<Terms, Damage> {
    Ok(Terms {
        attempts: c.small()?,
        max_total: c.small()?,
        repeatable: c.flag()?,
        reconcilable: c.flag()?,
        lease: c.span()?,
        timeout: c.span()?,
        stoppable: c.flag()?,
        settle: c.span()?,
        ttl: c.span()?,
        sliding: c.flag()?,
        remint: c.word(&Remint::ALL, Remint::as_str)?,
        confirm: {
            let (ttl, quorum) = (c.maybe_span()?, c.maybe_number()?);
            let quorum =
                quorum.map(u32::try_from).transpose().map_err(|_| c.damage("is too large"))?;
            ttl.zip(quorum)
        },
        saga: c.flag()?,
        covered: c.flag()?,
    })
}

/// The columns of an event, in the order of [`encode_event`] and [`event`].
pub(super) const EVENT: &str = "seq, at, kind, fence, detail, hash";

/// An event as the values of [`EVENT`].
pub(super) fn encode_event(event: &Event) -> [ToSqlOutput<'_>; 6] {
    [
        number(event.seq.into()),
        time(event.at),
        text(event.kind.as_str()),
        number(event.fence.0),
        maybe(event.detail.as_deref(), text),
        bytes(&event.hash),
    ]
}

/// An event.
pub(super) fn event(row: &Row<'_>) -> Result<Event, Damage> {
    let mut columns = Columns::from(row, 0);
    let c = &mut columns;
    Ok(Event {
        seq: c.small()?,
        at: c.time()?,
        kind: c.word(&EventKind::ALL, EventKind::as_str)?,
        fence: Fence(c.number()?),
        detail: c.maybe_text()?.map(ToOwned::to_owned),
        hash: c.bytes()?,
    })
}

/// The columns that name a cell, in the order of [`encode_cell`].
pub(super) const CELL: [&str; 6] = ["tool", "scope", "most", "per", "tenant", "subject"];

/// A cell's name as the values of [`CELL`].
pub(super) fn encode_cell(cell: &CellId) -> [ToSqlOutput<'_>; 6] {
    let (most, per) = match cell.limit.quota {
        Quota::Rate(most, per) => (most, text(Period::as_str(per))),
        Quota::Count(most) => (most, text("ever")),
        Quota::Within(most, span) => (most, format!("{}ns", span.as_nanos()).into()),
        Quota::Concurrent(most) => (most, text("time")),
    };
    [
        text(cell.over.as_str()),
        text(cell.limit.scope.as_str()),
        number(most.into()),
        per,
        text(tenant(cell.tenant.as_ref())),
        text(cell.subject.as_deref().unwrap_or_default()),
    ]
}

/// How much of a cell is used up: `arrival, used, slots`.
pub(super) fn cell(row: &Row<'_>) -> Result<Cell, Damage> {
    let mut columns = Columns::from(row, 0);
    Ok(Cell {
        arrival: columns.number()?,
        count: columns.small()?,
        slots: columns.json::<Vec<Slot>>()?.unwrap_or_default(),
    })
}
