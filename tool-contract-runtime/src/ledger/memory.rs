//! A ledger that lives as long as its process.

use std::collections::HashMap;
use std::fmt;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use foldhash::quality::RandomState;
use tool_contract_spec::key::{IdempotencyKey, OperationId};
use tool_contract_spec::ledger::{
    Around, Hold, Step, Twin, admit, begin_reconcile, decide_approval, draw, finish_reconcile,
    notice, renew, resolve, settle,
};
use tool_contract_spec::operation::OperationHash;

use super::time::Time;
use super::twins::{Mark, Twins};
use super::waiting::Waiting;
use super::{
    Admission, Admitted, Answer, Cell, CellId, Decided, Decision, Draw, Event, Fence, Finding,
    Ledger, LedgerError, Limited, Note, Query, ReconcileClaim, ReconcileRequest, Reconciled,
    Record, Renewed, Resolution, Settled, Settlement, StateName, Timestamp,
};
use crate::clock::{Clock, SystemClock};
use crate::sync::{Mutex, MutexGuard};
use crate::tool::BoxFuture;

/// A ledger that lives as long as its process: for tests, for tools whose
/// repetition is harmless across restarts, and to try things out.
///
/// It dedupes, limits and waits like every ledger, and after a restart it knows
/// nothing: what ran before may run again.
///
/// It never forgets a key, for that would let it run again. What an operation
/// takes is its arguments, its result and about 1.3 kB; so a process that makes
/// new keys without end wants [`SqliteLedger`](super::SqliteLedger).
pub struct MemoryLedger {
    shelf: Mutex<Shelf>,
    waiting: Waiting,
    clock: Arc<dyn Clock>,
}

/// All that the ledger knows.
struct Shelf {
    time: Time,
    /// The newest fence that was given.
    fence: Fence,
    /// Boxed, so that a growing table moves little. Its hasher is seeded, so that
    /// nobody can choose keys that collide, and cheaper than the standard one.
    operations: HashMap<OperationId, Box<Kept>, RandomState>,
    twins: Twins,
    cells: HashMap<CellId, Cell>,
    /// How many cells there may be before the idle ones are dropped.
    most_cells: usize,
}

/// How many cells there may be before it is worth looking for idle ones.
const FEW_CELLS: usize = 1_024;

/// What a step came to.
struct Stepped<R> {
    reply: R,
    changed: bool,
    holds: Vec<Hold>,
}

/// One operation: never `None`, but the transitions want a slot.
struct Kept {
    slot: Option<Record>,
    history: Vec<Event>,
}

impl MemoryLedger {
    /// An empty ledger that lives by the system's clock.
    #[must_use]
    pub fn new() -> Self {
        Self::with_clock(Arc::new(SystemClock::new()))
    }

    /// An empty ledger that lives by `clock`.
    #[must_use]
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        let shelf = Shelf {
            time: Time::new(Arc::clone(&clock)),
            fence: Fence::NONE,
            operations: HashMap::default(),
            twins: Twins::default(),
            cells: HashMap::new(),
            most_cells: FEW_CELLS,
        };
        Self { shelf: Mutex::new(shelf), waiting: Waiting::default(), clock }
    }

    /// Forgets every operation, every history and every limit; fences go on.
    ///
    /// **Every key may run again afterwards**, those of calls that still run
    /// included. It is for tests.
    pub fn clear(&self) {
        if let Ok(mut shelf) = self.shelf.lock() {
            shelf.operations = HashMap::default();
            shelf.twins = Twins::default();
            shelf.cells = HashMap::new();
        }
    }

    fn shelf(&self) -> Result<MutexGuard<'_, Shelf>, LedgerError> {
        // After a panic in the middle of a step nobody knows what is true.
        self.shelf
            .lock()
            .map_err(|_| LedgerError::Unavailable("a step of this MemoryLedger panicked".into()))
    }

    /// Makes one step on a known or unknown operation.
    fn step<R: Send + 'static>(
        &self,
        id: &OperationId,
        step: impl FnOnce(&mut Option<Record>, &Around) -> Step<R>,
    ) -> Answer<'_, R> {
        let answer = self.shelf().map(|mut shelf| shelf.step(id, step));
        if let Ok((_, true)) = answer {
            self.waiting.wake(id);
        }
        Box::pin(ready(answer.map(|(reply, _)| reply)))
    }

    fn look<R: Send + 'static>(&self, look: impl FnOnce(&Shelf) -> R) -> Answer<'_, R> {
        Box::pin(ready(self.shelf().map(|shelf| look(&shelf))))
    }
}

impl Default for MemoryLedger {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryLedger").finish_non_exhaustive()
    }
}

impl Ledger for MemoryLedger {
    fn admit<'a>(&'a self, admission: &'a Admission) -> Answer<'a, Admitted> {
        let answer = self.shelf().map(|mut shelf| shelf.admit(admission));
        if let Ok((_, true)) = answer {
            self.waiting.wake(&admission.id);
        }
        Box::pin(ready(answer.map(|(reply, _)| reply)))
    }

    fn settle<'a>(&'a self, settlement: &'a Settlement) -> Answer<'a, Settled> {
        self.step(&settlement.id, |slot, around| settle(slot, settlement, around))
    }

    fn renew(&self, id: OperationId, fence: Fence, note: Option<Note>) -> Answer<'_, Renewed> {
        self.step(&id, |slot, around| renew(slot, fence, note.as_ref(), around))
    }

    fn begin_reconcile(&self, request: ReconcileRequest) -> Answer<'_, ReconcileClaim> {
        self.step(&request.id, |slot, around| begin_reconcile(slot, &request, around))
    }

    fn finish_reconcile(
        &self,
        id: OperationId,
        fence: Fence,
        finding: Finding,
    ) -> Answer<'_, Reconciled> {
        self.step(&id, |slot, around| finish_reconcile(slot, fence, &finding, around))
    }

    fn resolve(&self, resolution: Resolution) -> Answer<'_, Reconciled> {
        self.step(&resolution.id, |slot, around| resolve(slot, &resolution, around))
    }

    fn decide_approval(&self, decision: Decision) -> Answer<'_, Decided> {
        self.step(&decision.id, |slot, around| decide_approval(slot, &decision, around))
    }

    fn draw(&self, draws: Vec<Draw>) -> Answer<'_, Result<(), Limited>> {
        let answer = self.shelf().map(|mut shelf| {
            let now = shelf.time.now();
            let mut cells = shelf.cells(&draws);
            draw(&mut cells, &draws, None, now).map(|()| shelf.put_cells(&draws, cells))
        });
        Box::pin(ready(answer))
    }

    fn prune(&self, most: usize) -> Answer<'_, usize> {
        let pruned = self.shelf().map(|mut shelf| shelf.prune(most));
        Box::pin(ready(pruned))
    }

    fn find(&self, id: OperationId) -> Answer<'_, Option<Record>> {
        self.look(|shelf| shelf.operations.get(&id).and_then(|kept| kept.slot.clone()))
    }

    fn history(&self, id: OperationId) -> Answer<'_, Vec<Event>> {
        self.look(|shelf| {
            shelf.operations.get(&id).map(|kept| kept.history.clone()).unwrap_or_default()
        })
    }

    fn list(&self, query: Query) -> Answer<'_, Vec<(OperationId, Record)>> {
        let found = self.shelf().map(|mut shelf| shelf.list(&query));
        Box::pin(ready(found))
    }

    fn changed(&self, id: OperationId, within: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let change = self.waiting.listen(&id);
            if self.is_moving(&id) {
                tokio::select! {
                    () = change => {}
                    () = self.clock.alarm(within) => {}
                }
            }
        })
    }
}

impl MemoryLedger {
    fn is_moving(&self, id: &OperationId) -> bool {
        self.shelf().is_ok_and(|shelf| {
            shelf
                .operations
                .get(id)
                .and_then(|kept| kept.slot.as_ref())
                .is_some_and(|record| record.state.name().is_moving())
        })
    }
}

impl Shelf {
    fn around(&mut self) -> Around {
        Around { now: self.time.now(), fence: Fence(self.fence.0 + 1) }
    }

    /// Makes one step; says also whether the record changed.
    fn step<R>(
        &mut self,
        id: &OperationId,
        step: impl FnOnce(&mut Option<Record>, &Around) -> Step<R>,
    ) -> (R, bool) {
        let around = self.around();
        let Some(kept) = self.operations.get_mut(id) else {
            // No transition but an admission makes a record.
            return (step(&mut None, &around).reply, false);
        };
        let stepped = kept.step(id, &mut self.twins, &mut self.fence, |slot| step(slot, &around));
        self.hold(&stepped.holds, around.now);
        (stepped.reply, stepped.changed)
    }

    fn admit(&mut self, request: &Admission) -> (Admitted, bool) {
        let around = self.around();
        let mut cells = self.cells(&request.draws);
        let Stepped { reply, changed, holds } = match self.operations.get_mut(&request.id) {
            Some(kept) => kept.step(&request.id, &mut self.twins, &mut self.fence, |slot| {
                admit(slot, request, None, &mut cells, &around)
            }),
            None => self.admit_new(request, &mut cells, &around),
        };
        if matches!(reply, Admitted::Claimed(_)) {
            self.put_cells(&request.draws, cells);
        }
        self.hold(&holds, around.now);
        (reply, changed)
    }

    fn admit_new(
        &mut self,
        request: &Admission,
        cells: &mut [Cell],
        around: &Around,
    ) -> Stepped<Admitted> {
        let twin = self.twin(&request.id, request.hash, around.now);
        let mut kept = Box::new(Kept { slot: None, history: Vec::new() });
        let done = admit(&mut kept.slot, request, twin.as_ref(), cells, around);
        if kept.slot.is_some() {
            kept.history = done.events;
            self.fence = self.fence.max(kept.fence());
            if let Some(mark) = kept.mark() {
                self.twins.follow(&request.id, None, mark);
            }
            self.operations.insert(request.id.clone(), kept);
        }
        Stepped { reply: done.reply, changed: done.changed, holds: Vec::new() }
    }

    /// There is no other place to move it to: it only becomes a tombstone.
    fn prune(&mut self, most: usize) -> usize {
        let now = self.time.now();
        let is_over = |kept: &Kept| kept.slot.as_ref().is_some_and(|record| record.is_over(now));
        let over = self.operations.iter().filter(|(_, kept)| is_over(kept));
        let over: Vec<_> = over.map(|(id, _)| id.clone()).take(most).collect();
        for id in &over {
            self.step(id, notice);
        }
        over.len()
    }

    fn twin(&self, id: &OperationId, hash: OperationHash, now: Timestamp) -> Option<Twin> {
        let record = |key: &IdempotencyKey| {
            let twin = OperationId { key: key.clone(), ..id.clone() };
            self.operations.get(&twin)?.slot.as_ref().filter(|record| record.speaks_at(now))
        };
        let mut newest = self.twins.find(id, hash).take(Twin::LOOK_BACK);
        newest.find_map(|key| Some(Twin { key: key.clone(), record: record(key)?.clone() }))
    }

    fn cells(&self, draws: &[Draw]) -> Vec<Cell> {
        draws.iter().map(|draw| self.cells.get(&draw.cell).cloned().unwrap_or_default()).collect()
    }

    fn put_cells(&mut self, draws: &[Draw], cells: Vec<Cell>) {
        for (draw, cell) in draws.iter().zip(cells) {
            self.cells.insert(draw.cell.clone(), cell);
        }
        if self.cells.len() > self.most_cells {
            self.drop_idle_cells();
        }
    }

    fn hold(&mut self, holds: &[Hold], now: Timestamp) {
        for hold in holds {
            if let Some(cell) = self.cells.get_mut(&hold.cell) {
                cell.hold(hold.slot, now);
            }
        }
    }

    /// Drops the cells that say no more than a new one.
    fn drop_idle_cells(&mut self) {
        let now = self.time.now();
        self.cells.retain(|_, cell| !cell.is_idle(now));
        self.most_cells = FEW_CELLS.max(self.cells.len().saturating_mul(2));
    }

    fn list(&mut self, query: &Query) -> Vec<(OperationId, Record)> {
        let now = self.time.now();
        let mut found: Vec<_> = self
            .operations
            .iter()
            .filter_map(|(id, kept)| Some((id, kept.slot.as_ref()?)))
            .filter(|(id, record)| query.matches(id, record, now))
            .collect();
        found.sort_unstable_by_key(|(id, _)| *id);
        found
            .into_iter()
            .take(query.bound())
            .map(|(id, record)| (id.clone(), record.clone()))
            .collect()
    }
}

impl Query {
    pub(super) fn matches(&self, id: &OperationId, record: &Record, now: Timestamp) -> bool {
        let state = || {
            if record.is_overdue(now) { StateName::Unknown } else { record.state.name() }
        };
        self.tenant.as_ref().is_none_or(|tenant| id.tenant.as_ref() == Some(tenant))
            && self.tool.as_ref().is_none_or(|tool| id.tool == *tool)
            && self.state.is_none_or(|wanted| state() == wanted)
            && (!self.escalated || state().is_escalated())
            && self.after.as_ref().is_none_or(|after| id > after)
    }
}

impl Kept {
    /// Makes one step, and follows it in what else knows of the record.
    fn step<R>(
        &mut self,
        id: &OperationId,
        twins: &mut Twins,
        fence: &mut Fence,
        step: impl FnOnce(&mut Option<Record>) -> Step<R>,
    ) -> Stepped<R> {
        let before = self.mark();
        let holder = self.slot.as_ref().filter(|record| !record.slots.is_empty()).cloned();
        let done = step(&mut self.slot);
        if done.changed {
            self.history.extend(done.events);
            *fence = self.fence().max(*fence);
            if let Some(after) = self.mark() {
                twins.follow(id, before, after);
            }
        }
        let holds = holder.as_ref().zip(self.slot.as_ref());
        let holds = holds.map(|(before, after)| Hold::moved(before, after)).unwrap_or_default();
        Stepped { reply: done.reply, changed: done.changed, holds }
    }

    fn mark(&self) -> Option<Mark> {
        self.slot.as_ref().map(Mark::of)
    }

    fn fence(&self) -> Fence {
        self.slot.as_ref().map_or(Fence::NONE, |record| record.fence)
    }
}
