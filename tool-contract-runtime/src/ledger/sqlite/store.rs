//! The steps of the ledger on one connection.

use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, OptionalExtension, Params, Row, Statement, params_from_iter};
use tool_contract_spec::key::{IdempotencyKey, OperationId};
use tool_contract_spec::ledger::{Around, Step, Twin, admit, draw};
use tool_contract_spec::operation::OperationHash;

use super::fault::{Damage, Trouble};
use super::row;
use super::value::{bytes, number, text, time};
use crate::ledger::time::Time;
use crate::ledger::{
    Admission, Admitted, Cell, CellId, Draw, Event, Fence, Limited, Record, Timestamp,
};

/// What the ledger as a whole remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Meta {
    fence: Fence,
    clock: Timestamp,
}

/// The steps of the ledger on one connection, with its statements prepared.
///
/// Each step loads a record, calls the transition, and writes what came of it.
/// When that takes effect, and whether, is the business of the
/// [writer](super::writer).
pub(super) struct Store<'c> {
    connection: &'c Connection,
    statements: Statements<'c>,
    time: &'c mut Time,
    meta: Meta,
    /// What `meta` was when the transaction began.
    stored: Meta,
    /// Whether steps may write; if not, one that has to says so.
    may_write: bool,
    /// Whether the last step changed its record.
    changed: bool,
    /// Cells that were made since the idle ones were dropped.
    new_cells: u32,
}

/// After so many new cells it is worth looking for idle ones.
const MANY_CELLS: u32 = 4_096;

struct Statements<'c> {
    look: Statement<'c>,
    begin: Statement<'c>,
    commit: Statement<'c>,
    rollback: Statement<'c>,
    meta: Statement<'c>,
    put_meta: Statement<'c>,
    load: Statement<'c>,
    twin: Statement<'c>,
    insert: Statement<'c>,
    update: Statement<'c>,
    append: Statement<'c>,
    cell: Statement<'c>,
    put_cell: Statement<'c>,
    drop_cells: Statement<'c>,
}

impl<'c> Statements<'c> {
    fn prepare(connection: &'c Connection) -> rusqlite::Result<Self> {
        let prepare = |sql: &str| connection.prepare(sql);
        Ok(Self {
            look: prepare("BEGIN")?,
            begin: prepare("BEGIN IMMEDIATE")?,
            commit: prepare("COMMIT")?,
            rollback: prepare("ROLLBACK")?,
            meta: prepare("SELECT fence, clock FROM meta")?,
            put_meta: prepare("UPDATE meta SET fence = ?1, clock = ?2")?,
            load: prepare(&row::select("WHERE tenant = ?1 AND tool = ?2 AND key = ?3"))?,
            twin: prepare(&row::select(
                "WHERE tenant = ?1 AND tool = ?2 AND hash = ?3 AND speaks_until IS NOT NULL \
                 ORDER BY speaks_until DESC, fence DESC LIMIT 1",
            ))?,
            insert: prepare(&insert())?,
            update: prepare(&update())?,
            append: prepare(&format!("INSERT INTO events ({}, operation) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", row::EVENT))?,
            cell: prepare(&format!("SELECT arrival, used FROM cells WHERE {}", row::CELL.map(|name| format!("{name} = ?")).join(" AND ")))?,
            put_cell: prepare(&format!(
                "INSERT INTO cells ({}, arrival, used) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
                 ON CONFLICT DO UPDATE SET arrival = excluded.arrival, used = excluded.used",
                row::CELL.join(", ")
            ))?,
            drop_cells: prepare("DELETE FROM cells WHERE used = 0 AND arrival <= ?1")?,
        })
    }
}

fn insert() -> String {
    let columns = [row::RECORD.as_slice(), row::ID.as_slice()].concat();
    let places: Vec<_> = (1..=columns.len()).map(|place| format!("?{place}")).collect();
    format!("INSERT INTO operations ({}) VALUES ({})", columns.join(", "), places.join(", "))
}

/// It leaves out what names the operation, so that SQLite leaves its index alone.
fn update() -> String {
    let columns: Vec<_> = (1..).zip(row::RECORD).map(|(place, name)| format!("{name} = ?{place}")).collect();
    format!("UPDATE operations SET {} WHERE id = ?{}", columns.join(", "), columns.len() + 1)
}

impl<'c> Store<'c> {
    pub(super) fn prepare(connection: &'c Connection, time: &'c mut Time) -> rusqlite::Result<Self> {
        let nothing = Meta { fence: Fence::NONE, clock: Timestamp::ZERO };
        Ok(Self {
            connection,
            statements: Statements::prepare(connection)?,
            time,
            meta: nothing,
            stored: nothing,
            may_write: false,
            changed: false,
            new_cells: 0,
        })
    }

    // ---- transactions ----

    /// Begins to look, without the right to write.
    pub(super) fn look(&mut self) -> rusqlite::Result<()> {
        self.statements.look.execute([])?;
        self.may_write = false;
        self.read_meta()
    }

    /// Begins to write; SQLite's own lock is taken.
    pub(super) fn begin(&mut self) -> rusqlite::Result<()> {
        self.statements.begin.execute([])?;
        self.may_write = true;
        self.read_meta()
    }

    /// Writes what the ledger as a whole remembers; then only the commit is left.
    pub(super) fn finish(&mut self) -> rusqlite::Result<()> {
        if self.connection.changes_since(&self.stored, self.meta) {
            let values = [number(self.meta.fence.0), time(self.meta.clock)];
            self.statements.put_meta.execute(values)?;
        }
        Ok(())
    }

    /// Makes all steps since the beginning durable.
    pub(super) fn commit(&mut self) -> rusqlite::Result<()> {
        self.statements.commit.execute([]).map(drop)
    }

    /// Undoes all steps since the beginning.
    pub(super) fn roll_back(&mut self) -> rusqlite::Result<()> {
        // Some errors have rolled it back already.
        if self.connection.is_autocommit() { Ok(()) } else { self.statements.rollback.execute([]).map(drop) }
    }
}
