//! What is known of expired keys, moved out of the way of calls.

use rusqlite::{Connection, params_from_iter};
use tool_contract_spec::key::OperationId;

use super::fault::Trouble;
use super::row;
use super::store::{name, one};
use super::value::{Columns, number, time};
use crate::ledger::Timestamp;

/// How many keys are moved in one step, so that no call waits for more.
pub(super) const STEP: usize = 32;

/// Those that are past their ttl, or expired and not moved yet. It reads the whole
/// table, which a reader may: an index would cost every call.
pub(super) fn over(
    connection: &Connection,
    now: Timestamp,
    most: usize,
) -> Result<Vec<OperationId>, Trouble> {
    let mut load = connection.prepare(&row::select(
        "WHERE expires_at <= ?1 \
         OR (state = 'expired' AND arguments <> '') LIMIT ?2",
    ))?;
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    let mut rows = load.query(params_from_iter([time(now), number(most)]))?;
    let mut over = Vec::new();
    while let Some(row) = rows.next()? {
        over.push(row::id(row)?);
    }
    Ok(over)
}

/// Moves what is known of an expired operation.
pub(super) fn archive(
    connection: &Connection,
    id: &OperationId,
    now: Timestamp,
) -> Result<(), Trouble> {
    let expired = "(SELECT id FROM operations WHERE tenant = ?1 AND tool = ?2 AND key = ?3 AND state = 'expired')";
    let keep = format!(
        "INSERT INTO archive (operation, arguments, archived_at) \
         SELECT id, arguments, ?4 FROM operations WHERE id = {expired} AND arguments <> '' \
         ON CONFLICT (operation) DO UPDATE \
         SET arguments = excluded.arguments, archived_at = excluded.archived_at"
    );
    let [tenant, tool, key] = name(id);
    let values = [tenant, tool, key, time(now)];
    connection.prepare(&keep)?.execute(params_from_iter(values))?;
    for sql in [
        format!("INSERT INTO archived_events SELECT * FROM events WHERE operation = {expired}"),
        format!("DELETE FROM events WHERE operation = {expired}"),
        format!("UPDATE operations SET arguments = '' WHERE id = {expired}"),
    ] {
        connection.prepare(&sql)?.execute(name(id))?;
    }
    Ok(())
}

/// The arguments of an operation that keeps none itself.
pub(super) fn arguments(
    connection: &Connection,
    id: &OperationId,
) -> Result<Option<String>, Trouble> {
    let mut load = connection.prepare(
        "SELECT arguments FROM archive WHERE operation = \
         (SELECT id FROM operations WHERE tenant = ?1 AND tool = ?2 AND key = ?3)",
    )?;
    one(&mut load, name(id), |row| Ok(Columns::from(row, 0).text()?.to_owned()))
}
