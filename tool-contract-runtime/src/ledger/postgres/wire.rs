//! Answers as rows.

use std::time::Duration;

use tokio_postgres::Row;
use tokio_postgres::types::FromSql;
use tool_contract_spec::key::{IdempotencyKey, OperationId, Tenant};

use crate::ledger::shared::{Exchanged, Found, TwinFound, Versioned};
use crate::ledger::{Draw, Event, LedgerError, Limited, Record, Timestamp, Twin};

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
    let draw = which.ok_or_else(|| damage("draw", &"is none of those that were made"))?;
    let retry_after: Option<i64> = get(row, "retry_after")?;
    let retry_after = retry_after.map(|nanos| Duration::from_nanos(nanos.unsigned_abs()));
    let used = u32::try_from(number(row, "spent")?).unwrap_or(u32::MAX);
    Ok(Limited { cell: draw.cell.clone(), used, retry_after })
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

/// A row of `event`.
pub(super) fn event(row: &Row) -> Result<Event, LedgerError> {
    serde_json::from_str(get(row, "event")?).map_err(|error| damage("event", &error))
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
