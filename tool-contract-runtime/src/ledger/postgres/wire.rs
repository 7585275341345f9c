//! Requests as JSON objects, answers as rows.

use std::time::Duration;

use serde::Serialize;
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;
use tool_contract_spec::key::{IdempotencyKey, OperationId, Tenant};
use tool_contract_spec::operation::OperationHash;
use tool_contract_spec::policy::{Period, Quota};

use crate::ledger::shared::{Exchange, Exchanged, Found, Put, TwinFound, Versioned};
use crate::ledger::{
    Draw, Event, EventKind, Fence, LedgerError, Limited, Record, State, Timestamp, Twin,
};

/// What the function `exchange` takes, but for the number.
#[derive(Serialize)]
struct Request<'a> {
    #[serde(flatten)]
    id: Option<Id<'a>>,
    look: Option<String>,
    #[serde(flatten)]
    put: Option<Proposal<'a>>,
    draws: Option<Vec<Cell<'a>>>,
}

#[derive(Serialize)]
struct Id<'a> {
    tenant: &'a str,
    tool: &'a str,
    key: &'a str,
}

#[derive(Serialize)]
struct Proposal<'a> {
    expected: u64,
    twins: Option<String>,
    newest: Option<Fence>,
    spoke: Option<&'a IdempotencyKey>,
    spoke_version: Option<u64>,
    at: Timestamp,
    record: String,
    state: &'static str,
    hash: String,
    fence: Fence,
    changed_at: Timestamp,
    expires_at: Option<Timestamp>,
    events: Vec<Happened>,
}

#[derive(Serialize)]
struct Happened {
    seq: u32,
    at: Timestamp,
    kind: &'static str,
    fence: Fence,
    detail: Option<String>,
    hash: String,
}

#[derive(Serialize)]
struct Cell<'a> {
    number: usize,
    tool: &'a str,
    scope: &'static str,
    most: u32,
    per: &'static str,
    tenant: &'a str,
    subject: &'a str,
}

/// A step on one operation.
pub(super) fn exchange(exchange: &Exchange) -> Result<String, LedgerError> {
    let id = &exchange.id;
    let draws = exchange.put.as_ref().map_or(&[][..], |put| &put.draws);
    json(&Request {
        id: Some(Id { tenant: tenant(id.tenant.as_ref()), tool: &id.tool, key: id.key.as_str() }),
        look: exchange.hash.map(hex),
        put: exchange.put.as_ref().map(proposal).transpose()?,
        draws: cells(draws),
    })
}

/// Draws without an operation.
pub(super) fn draw(draws: &[Draw]) -> Result<String, LedgerError> {
    json(&Request { id: None, look: None, put: None, draws: cells(draws) })
}

fn proposal(put: &Put) -> Result<Proposal<'_>, LedgerError> {
    let (record, twins) = (&put.record, put.twins.as_ref());
    let spoke = twins.and_then(|twins| twins.spoke.as_ref());
    Ok(Proposal {
        expected: put.expected,
        twins: twins.map(|twins| hex(twins.hash)),
        newest: twins.map(|twins| twins.newest),
        spoke: spoke.map(|(key, _)| key),
        spoke_version: spoke.map(|(_, version)| *version),
        at: put.at,
        record: json(record)?,
        state: record.state.name().as_str(),
        hash: hex(record.hash),
        fence: record.fence,
        changed_at: record.changed_at,
        expires_at: expires_at(&record.state),
        events: put.events.iter().map(happened).collect::<Result<_, _>>()?,
    })
}

const fn expires_at(state: &State) -> Option<Timestamp> {
    match state {
        State::Succeeded { expires_at, .. } | State::Denied { expires_at } => Some(*expires_at),
        _ => None,
    }
}

fn happened(event: &Event) -> Result<Happened, LedgerError> {
    Ok(Happened {
        seq: event.seq,
        at: event.at,
        kind: event.kind.as_str(),
        fence: event.fence,
        detail: event.detail.as_ref().map(json).transpose()?,
        hash: bytea(&event.hash),
    })
}

fn cells(draws: &[Draw]) -> Option<Vec<Cell<'_>>> {
    let cells = draws.iter().enumerate().map(|(number, Draw { cell })| {
        let (most, per) = match cell.limit.quota {
            Quota::Rate(most, per) => (most, Period::as_str(per)),
            Quota::Count(most) => (most, "ever"),
        };
        Cell {
            number,
            tool: &cell.tool,
            scope: cell.limit.scope.as_str(),
            most,
            per,
            tenant: tenant(cell.tenant.as_ref()),
            subject: cell.subject.as_deref().unwrap_or_default(),
        }
    });
    // None at all is nothing to look at.
    (!draws.is_empty()).then(|| cells.collect())
}

/// What is stored where there is no tenant; a tenant has at least one character.
pub(super) fn tenant(tenant: Option<&Tenant>) -> &str {
    tenant.map_or("", Tenant::as_str)
}

fn json(value: &impl Serialize) -> Result<String, LedgerError> {
    serde_json::to_string(value).map_err(|error| {
        LedgerError::Unavailable(format!("a record cannot be written as JSON: {error}"))
    })
}

fn hex(hash: OperationHash) -> String {
    bytea(hash.as_bytes())
}

fn bytea(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    let mut text = String::with_capacity(2 + 2 * bytes.len());
    text.push_str("\\x");
    for byte in bytes {
        text.extend([digit(byte >> 4), digit(byte & 15)]);
    }
    text
}

// ---- answers ----

/// What came of a step with these draws.
pub(super) fn exchanged(row: &Row, draws: &[Draw]) -> Result<Exchanged, LedgerError> {
    let now = Timestamp(number(row, "told")?);
    Ok(match get(row, "answer")? {
        "put" => Exchanged::Put { now },
        "limited" => Exchanged::Limited { limited: limited(row, draws)?, now },
        _ => Exchanged::Found(Found { now, record: versioned(row)?, twins: twins(row)? }),
    })
}

/// What came of draws.
pub(super) fn drawn(row: &Row, draws: &[Draw]) -> Result<Result<(), Limited>, LedgerError> {
    Ok(match get(row, "answer")? {
        "put" => Ok(()),
        _ => Err(limited(row, draws)?),
    })
}

fn limited(row: &Row, draws: &[Draw]) -> Result<Limited, LedgerError> {
    let which = usize::try_from(get::<i32>(row, "draw")?).ok().and_then(|at| draws.get(at));
    let limit = which.ok_or_else(|| damage("draw", &"is none of those that were made"))?.cell.limit;
    let retry_after: Option<i64> = get(row, "retry_after")?;
    let retry_after = retry_after.map(|nanos| Duration::from_nanos(nanos.unsigned_abs()));
    Ok(Limited { scope: limit.scope, quota: limit.quota, retry_after })
}

fn versioned(row: &Row) -> Result<Option<Versioned>, LedgerError> {
    let Some(text) = get::<Option<&str>>(row, "record")? else { return Ok(None) };
    Ok(Some(Versioned { version: number(row, "version")?, record: read(text)? }))
}

fn twins(row: &Row) -> Result<Vec<TwinFound>, LedgerError> {
    let Some(keys) = get::<Option<Vec<&str>>>(row, "twin_keys")? else { return Ok(Vec::new()) };
    let versions: Vec<i64> = get(row, "twin_versions")?;
    let records: Vec<&str> = get(row, "twin_records")?;
    let all = keys.into_iter().zip(versions).zip(records);
    all.map(|((key, version), text)| {
        let twin = Twin { key: self::key(key)?, record: read(text)? };
        Ok(TwinFound { version: version.unsigned_abs(), twin })
    })
    .collect()
}

fn key(text: &str) -> Result<IdempotencyKey, LedgerError> {
    IdempotencyKey::new(text).map_err(|error| damage("key", &error))
}

fn read(text: &str) -> Result<Record, LedgerError> {
    serde_json::from_str(text).map_err(|error| damage("record", &error))
}

/// A row of `tenant, tool, key, record`.
pub(super) fn listed(row: &Row) -> Result<(OperationId, Record), LedgerError> {
    Ok((id(row)?, read(get(row, "record")?)?))
}

/// A row of `tenant, tool, key`.
pub(super) fn id(row: &Row) -> Result<OperationId, LedgerError> {
    let tenant = match get(row, "tenant")? {
        "" => None,
        tenant => Some(Tenant::new(tenant).map_err(|error| damage("tenant", &error))?),
    };
    let tool = get::<String>(row, "tool")?.into();
    Ok(OperationId { tenant, tool, key: key(get(row, "key")?)? })
}

/// The columns of an event, as [`event`] reads them.
pub(super) const EVENT: &str = "seq, at, kind, fence, detail, hash";

pub(super) fn event(row: &Row) -> Result<Event, LedgerError> {
    let word: &str = get(row, "kind")?;
    let kind = EventKind::ALL.into_iter().find(|kind| kind.as_str() == word);
    let detail: Option<&str> = get(row, "detail")?;
    let hash: &[u8] = get(row, "hash")?;
    Ok(Event {
        seq: u32::try_from(get::<i32>(row, "seq")?).map_err(|error| damage("seq", &error))?,
        at: Timestamp(number(row, "at")?),
        kind: kind.ok_or_else(|| damage("kind", &format!("is `{word}`, which means nothing")))?,
        fence: Fence(number(row, "fence")?),
        detail: detail
            .map(serde_json::from_str)
            .transpose()
            .map_err(|error| damage("detail", &error))?,
        hash: hash.try_into().map_err(|error| damage("hash", &error))?,
    })
}

/// A number that is not below zero.
pub(super) fn number(row: &Row, column: &str) -> Result<u64, LedgerError> {
    u64::try_from(get::<i64>(row, column)?).map_err(|error| damage(column, &error))
}

pub(super) fn get<'a, T: FromSql<'a>>(row: &'a Row, column: &str) -> Result<T, LedgerError> {
    row.try_get(column).map_err(|error| damage(column, &error))
}

fn damage(column: &str, problem: &dyn std::fmt::Display) -> LedgerError {
    LedgerError::Corrupt(format!(
        "the column `{column}` of the ledger's schema: {problem}; restore it from a backup, or repair \
         this row by hand"
    ))
}
