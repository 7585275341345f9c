//! The statements of the ledger.

use rusqlite::{Connection, Statement};
use tool_contract_spec::ledger::Twin;

use super::row;

/// The statements of a [`Store`](super::store::Store), prepared once.
pub(super) struct Statements<'c> {
    pub(super) begin: Statement<'c>,
    pub(super) commit: Statement<'c>,
    pub(super) rollback: Statement<'c>,
    pub(super) meta: Statement<'c>,
    pub(super) put_meta: Statement<'c>,
    pub(super) load: Statement<'c>,
    pub(super) twins: Statement<'c>,
    pub(super) insert: Statement<'c>,
    pub(super) claim: Statement<'c>,
    pub(super) update: Statement<'c>,
    pub(super) append: Statement<'c>,
    pub(super) cell: Statement<'c>,
    pub(super) put_cell: Statement<'c>,
    pub(super) drop_cells: Statement<'c>,
}

impl<'c> Statements<'c> {
    pub(super) fn prepare(connection: &'c Connection) -> rusqlite::Result<Self> {
        let prepare = |sql: &str| connection.prepare(sql);
        Ok(Self {
            begin: prepare("BEGIN IMMEDIATE")?,
            commit: prepare("COMMIT")?,
            rollback: prepare("ROLLBACK")?,
            meta: prepare("SELECT fence, clock FROM meta")?,
            put_meta: prepare("UPDATE meta SET fence = ?1, clock = ?2")?,
            load: prepare(&load())?,
            twins: prepare(&twins())?,
            insert: prepare(&insert())?,
            claim: prepare(&update(&row::CLAIM))?,
            update: prepare(&update(&row::STANDING))?,
            append: prepare(&format!(
                "INSERT INTO events ({}, operation) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                row::EVENT
            ))?,
            cell: prepare(&format!(
                "SELECT arrival, used, slots FROM cells WHERE {}",
                row::CELL.map(|name| format!("{name} = ?")).join(" AND ")
            ))?,
            put_cell: prepare(&format!(
                "INSERT INTO cells ({}, arrival, used, slots) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
                 ON CONFLICT DO UPDATE SET arrival = excluded.arrival, used = excluded.used, \
                 slots = excluded.slots",
                row::CELL.join(", ")
            ))?,
            drop_cells: prepare("DELETE FROM cells WHERE used = 0 AND arrival <= ?1")?,
        })
    }
}

/// Reads one operation.
pub(super) fn load() -> String {
    row::select("WHERE tenant = ?1 AND tool = ?2 AND key = ?3")
}

/// Reads what stands for the same intent, newest first.
pub(super) fn twins() -> String {
    let newest = format!("fence > 0 ORDER BY fence DESC LIMIT {}", Twin::LOOK_BACK);
    row::select(&format!("WHERE tenant = ?1 AND tool = ?2 AND hash = ?3 AND {newest}"))
}

fn insert() -> String {
    let columns = [row::ID.as_slice(), &row::CLAIM, &row::STANDING].concat();
    let places: Vec<_> = (1..=columns.len()).map(|place| format!("?{place}")).collect();
    format!("INSERT INTO operations ({}) VALUES ({})", columns.join(", "), places.join(", "))
}

/// Where no column of an index is named, SQLite leaves the index alone: most
/// steps change only how an operation stands.
fn update(columns: &[&str]) -> String {
    let columns: Vec<_> =
        (1..).zip(columns).map(|(place, name)| format!("{name} = ?{place}")).collect();
    format!("UPDATE operations SET {} WHERE id = ?{}", columns.join(", "), columns.len() + 1)
}
