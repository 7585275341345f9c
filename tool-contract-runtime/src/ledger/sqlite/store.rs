//! The steps of the ledger on one connection.

use std::time::Duration;

use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, Params, Row, Statement, params_from_iter};
use tool_contract_spec::key::OperationId;
use tool_contract_spec::ledger::{Around, Hold, Step, Twin, admit, draw, notice};
use tool_contract_spec::operation::OperationHash;

use super::archive;
use super::fault::{Damage, Trouble};
use super::row;
use super::statements::Statements;
use super::value::{bytes, json, number, text, time};
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

/// How far the stored clock may be behind. It guards against a clock that is set
/// back across a restart; to keep it to the millisecond would cost each
/// settlement a page.
const CLOCK_GRAIN: Duration = Duration::from_secs(1);

/// After so many new cells it is worth looking for idle ones.
const MANY_CELLS: u32 = 4_096;

impl<'c> Store<'c> {
    pub(super) fn prepare(
        connection: &'c Connection,
        time: &'c mut Time,
    ) -> rusqlite::Result<Self> {
        let nothing = Meta { fence: Fence::NONE, clock: Timestamp::ZERO };
        let mut store = Self {
            connection,
            statements: Statements::prepare(connection)?,
            time,
            meta: nothing,
            stored: nothing,
            may_write: false,
            changed: false,
            new_cells: 0,
        };
        // Who only looks must know the time too.
        store.read_meta()?;
        Ok(store)
    }

    // ---- transactions ----

    /// From now on steps may only look, each at what is durable then.
    pub(super) const fn look(&mut self) {
        self.may_write = false;
    }

    /// Begins to write; SQLite's own lock is taken.
    pub(super) fn begin(&mut self) -> rusqlite::Result<()> {
        self.statements.begin.execute([])?;
        self.may_write = true;
        self.read_meta()
    }

    /// Writes what the ledger as a whole remembers; then only the commit is left.
    pub(super) fn finish(&mut self) -> rusqlite::Result<()> {
        let is_late = self.meta.clock.since(self.stored.clock) >= CLOCK_GRAIN;
        if self.meta.fence != self.stored.fence || is_late {
            self.statements.put_meta.execute([number(self.meta.fence.0), time(self.meta.clock)])?;
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
        if self.connection.is_autocommit() {
            Ok(())
        } else {
            self.statements.rollback.execute([]).map(drop)
        }
    }

    fn read_meta(&mut self) -> rusqlite::Result<()> {
        // A fence that somebody set below zero must not start the sequence anew.
        let known = |row: &Row<'_>, column: usize| {
            let value: i64 = row.get(column)?;
            u64::try_from(value)
                .map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
        };
        self.meta = self.statements.meta.query_row([], |row| {
            Ok(Meta { fence: Fence(known(row, 0)?), clock: Timestamp(known(row, 1)?) })
        })?;
        self.stored = self.meta;
        self.time.saw(self.meta.clock);
        Ok(())
    }

    // ---- steps ----

    /// Whether the last step changed its record; it is asked once per step.
    pub(super) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// Makes one step on a known or unknown operation.
    pub(super) fn step<R>(
        &mut self,
        id: &OperationId,
        step: impl FnOnce(&mut Option<Record>, &Around) -> Step<R>,
    ) -> Result<R, Trouble> {
        let around = self.around();
        let Some((row, before)) = self.load(id)? else {
            // No transition but an admission makes a record.
            return Ok(step(&mut None, &around).reply);
        };
        let mut slot = Some(before.clone());
        let done = step(&mut slot, &around);
        if let (true, Some(record)) = (done.changed, &slot) {
            self.rewrite(row, &before, record, &done.events, &around)?;
        }
        Ok(done.reply)
    }

    /// Admits a call, or says why not.
    pub(super) fn admit(&mut self, request: &Admission) -> Result<Admitted, Trouble> {
        let around = self.around();
        let found = self.load(&request.id)?;
        if found.is_none() && !self.may_write {
            return Err(Trouble::MustWrite);
        }
        let mut cells = self.cells(&request.draws)?;
        let before = cells.clone();
        let mut slot = found.as_ref().map(|(_, record)| record.clone());
        let twin =
            if slot.is_none() { self.twin(&request.id, request.hash, around.now)? } else { None };
        let done = admit(&mut slot, request, twin.as_ref(), &mut cells, &around);
        if let (true, Some(record)) = (done.changed, &slot) {
            match &found {
                Some((row, before)) => self.rewrite(*row, before, record, &done.events, &around)?,
                None => self.write(&request.id, record, &done.events, &around)?,
            }
        }
        self.put_cells(&request.draws, &before, &cells)?;
        Ok(done.reply)
    }

    /// Draws from limits without an operation.
    pub(super) fn draw(&mut self, draws: &[Draw]) -> Result<Result<(), Limited>, Trouble> {
        let now = self.time.now();
        let mut cells = self.cells(draws)?;
        let before = cells.clone();
        let reply = draw(&mut cells, draws, None, now);
        self.put_cells(draws, &before, &cells)?;
        Ok(reply)
    }

    /// Moves what is known of expired operations out of the way.
    pub(super) fn archive(&mut self, ids: &[OperationId]) -> Result<(), Trouble> {
        let now = self.time.now();
        for id in ids {
            self.step(id, notice)?;
            self.dirty(now)?;
            archive::archive(self.connection, id, now)?;
        }
        Ok(())
    }

    fn around(&mut self) -> Around {
        Around { now: self.time.now(), fence: Fence(self.meta.fence.0 + 1) }
    }

    // ---- operations ----

    fn load(&mut self, id: &OperationId) -> Result<Option<(i64, Record)>, Trouble> {
        let values = name(id);
        one(&mut self.statements.load, values, |row| Ok((row::row_id(row)?, row::record(row)?)))
    }

    fn twin(
        &mut self,
        id: &OperationId,
        hash: OperationHash,
        now: Timestamp,
    ) -> Result<Option<Twin>, Trouble> {
        let values =
            [text(row::tenant(id.tenant.as_ref())), text(&id.tool), bytes(hash.as_bytes())];
        let mut rows = self.statements.twins.query(values)?;
        while let Some(row) = rows.next()? {
            let record = row::record(row)?;
            if record.speaks_at(now) {
                return Ok(Some(Twin { key: row::id(row)?.key, record }));
            }
        }
        Ok(None)
    }

    fn write(
        &mut self,
        id: &OperationId,
        record: &Record,
        events: &[Event],
        around: &Around,
    ) -> Result<(), Trouble> {
        let (name, claim, standing) =
            (name(id), row::encode_claim(record)?, row::encode_standing(record)?);
        self.dirty(around.now)?;
        let values = name.iter().chain(&claim).chain(&standing);
        self.statements.insert.execute(params_from_iter(values))?;
        self.note(self.connection.last_insert_rowid(), record, events)
    }

    fn rewrite(
        &mut self,
        row: i64,
        before: &Record,
        record: &Record,
        events: &[Event],
        around: &Around,
    ) -> Result<(), Trouble> {
        let standing = row::encode_standing(record)?;
        self.dirty(around.now)?;
        let row_id = ToSqlOutput::from(row);
        if row::is_claimed_anew(before, record) {
            let claim = row::encode_claim(record)?;
            self.statements.claim.execute(params_from_iter(claim.iter().chain([&row_id])))?;
        }
        self.statements.update.execute(params_from_iter(standing.iter().chain([&row_id])))?;
        for hold in Hold::moved(before, record) {
            let mut cell = self.cell(&hold.cell)?;
            cell.hold(hold.slot, around.now);
            self.put_cell(&hold.cell, &cell)?;
        }
        self.note(row, record, events)
    }

    /// Whatever is written is preceded by this.
    fn dirty(&mut self, now: Timestamp) -> Result<(), Trouble> {
        if !self.may_write {
            return Err(Trouble::MustWrite);
        }
        self.meta.clock = self.meta.clock.max(now);
        Ok(())
    }

    fn note(&mut self, row: i64, record: &Record, events: &[Event]) -> Result<(), Trouble> {
        self.changed = true;
        self.meta.fence = self.meta.fence.max(record.fence);
        let row = ToSqlOutput::from(row);
        for event in events {
            let values = row::encode_event(event);
            self.statements.append.execute(params_from_iter(values.iter().chain([&row])))?;
        }
        Ok(())
    }

    // ---- cells ----

    fn cells(&mut self, draws: &[Draw]) -> Result<Vec<Cell>, Trouble> {
        if !self.may_write {
            // Whoever draws has to write; until then any cell will do.
            return Ok(vec![Cell::default(); draws.len()]);
        }
        draws.iter().map(|draw| self.cell(&draw.cell)).collect()
    }

    fn cell(&mut self, cell: &CellId) -> Result<Cell, Trouble> {
        let found = one(&mut self.statements.cell, row::encode_cell(cell), row::cell)?;
        Ok(found.unwrap_or_default())
    }

    fn put_cells(
        &mut self,
        draws: &[Draw],
        before: &[Cell],
        after: &[Cell],
    ) -> Result<(), Trouble> {
        for ((draw, before), after) in draws.iter().zip(before).zip(after) {
            if before == after {
                continue;
            }
            let now = self.time.now();
            self.dirty(now)?;
            self.put_cell(&draw.cell, after)?;
            if *before == Cell::default() {
                self.new_cells += 1;
            }
        }
        if self.new_cells > MANY_CELLS { self.drop_idle_cells() } else { Ok(()) }
    }

    fn put_cell(&mut self, cell: &CellId, after: &Cell) -> Result<(), Trouble> {
        let slots = Some(&after.slots).filter(|slots| !slots.is_empty());
        let amounts = [number(after.arrival), number(after.count.into()), json(slots)?];
        let values = row::encode_cell(cell);
        self.statements.put_cell.execute(params_from_iter(values.iter().chain(&amounts)))?;
        Ok(())
    }

    /// Drops the cells that say no more than new ones.
    fn drop_idle_cells(&mut self) -> Result<(), Trouble> {
        self.new_cells = 0;
        let now = self.time.now().0.saturating_mul(1_000_000);
        self.statements.drop_cells.execute([number(now)])?;
        Ok(())
    }
}

/// The values of [`row::ID`].
pub(super) fn name(id: &OperationId) -> [ToSqlOutput<'_>; 3] {
    [text(row::tenant(id.tenant.as_ref())), text(&id.tool), text(id.key.as_str())]
}

/// The first row, if there is one.
pub(super) fn one<T>(
    statement: &mut Statement<'_>,
    values: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T, Damage>,
) -> Result<Option<T>, Trouble> {
    let mut rows = statement.query(values)?;
    match rows.next()? {
        Some(row) => Ok(Some(read(row)?)),
        None => Ok(None),
    }
}
