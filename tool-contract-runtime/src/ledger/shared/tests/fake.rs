//! A store in this process: what every store does, in the fewest words.

use std::collections::BTreeMap;
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tool_contract_spec::key::OperationId;
use tool_contract_spec::ledger::draw;
use tool_contract_spec::operation::OperationHash;

use crate::clock::Clock;
use crate::ledger::shared::{Exchange, Exchanged, Found, Put, Store, TwinFound, Twins, Versioned};
use crate::ledger::waiting::Waiting;
use crate::ledger::{
    Answer, BoxFuture, Cell, CellId, Draw, Event, Fence, LedgerError, Limited, Query, Record, Slot,
    Timestamp, Twin,
};

/// What happens to the next exchange that writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mishap {
    /// It does not arrive.
    Lost,
    /// It is carried out, and the answer does not arrive.
    ReplyLost,
}

#[derive(Default)]
struct Shelf {
    records: BTreeMap<OperationId, Versioned>,
    histories: BTreeMap<OperationId, Vec<Event>>,
    cells: Vec<(CellId, Cell)>,
    fence: u64,
    mishap: Option<Mishap>,
    exchanges: u32,
}

/// A store that several ledgers share.
#[derive(Clone)]
pub(in crate::ledger) struct FakeStore {
    kept: Arc<Mutex<Shelf>>,
    waiting: Arc<Waiting>,
    /// The store's own clock, which no client sees.
    clock: Arc<dyn Clock>,
}

impl FakeStore {
    pub(in crate::ledger) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { kept: Arc::default(), waiting: Arc::default(), clock }
    }

    /// How many exchanges there were since this was last asked.
    pub(super) fn exchanges(&self) -> u32 {
        std::mem::take(&mut self.inside().exchanges)
    }

    pub(super) fn fail_next(&self, mishap: Mishap) {
        self.inside().mishap = Some(mishap);
    }

    /// Drops the cells that say no more than new ones would.
    pub(super) fn drop_idle_cells(&self) {
        let now = self.clock.now();
        self.inside().cells.retain(|(_, cell)| !cell.is_idle(now));
    }

    pub(super) fn set_fence(&self, fence: u64) {
        self.inside().fence = fence;
    }

    fn inside(&self) -> MutexGuard<'_, Shelf> {
        self.kept.lock().unwrap()
    }

    fn carry_out(&self, exchange: &Exchange) -> Result<Exchanged, LedgerError> {
        let now = self.clock.now();
        let mut kept = self.inside();
        kept.exchanges += 1;
        let mishap = if exchange.put.is_some() { kept.mishap.take() } else { None };
        let lost = || Err(LedgerError::Unavailable("the line is dead".to_owned()));
        if mishap == Some(Mishap::Lost) {
            return lost();
        }
        let exchanged = kept.exchange(exchange, now);
        drop(kept);
        if matches!(exchanged, Exchanged::Put { .. }) {
            self.waiting.wake(&exchange.id);
        }
        if mishap == Some(Mishap::ReplyLost) { lost() } else { Ok(exchanged) }
    }
}

impl Shelf {
    fn exchange(&mut self, Exchange { id, hash, put }: &Exchange, now: Timestamp) -> Exchanged {
        let Some(put) = put.as_ref().filter(|put| self.holds(id, put, now)) else {
            let record = self.records.get(id).cloned();
            let hash = hash.filter(|_| record.is_none());
            let twins = hash.map(|hash| self.twins(id, hash)).unwrap_or_default();
            return Exchanged::Found(Found { now, record, twins });
        };
        if let Err(limited) = self.draw(&put.draws, put.slot(), now) {
            return Exchanged::Limited { limited, now };
        }
        for hold in &put.holds {
            let held = self.cells.iter_mut().filter(|(id, _)| *id == hold.cell);
            held.for_each(|(_, cell)| cell.hold(hold.slot, now));
        }
        let written = Versioned { version: put.expected + 1, record: put.record.clone() };
        self.records.insert(id.clone(), written);
        self.histories.entry(id.clone()).or_default().extend(put.events.iter().cloned());
        Exchanged::Put { now }
    }

    /// Whether what a proposal builds on still holds.
    fn holds(&self, id: &OperationId, put: &Put, now: Timestamp) -> bool {
        let version = self.records.get(id).map_or(0, |found| found.version);
        let is_dated_well = put.at <= now && now.since(put.at) <= Put::OLDEST;
        let twins_hold = |known: &Twins| {
            let twins = self.twins(id, known.hash);
            let seen = known.seen.iter().map(|(key, version)| (key, *version));
            seen.eq(twins.iter().map(|found| (&found.twin.key, found.version)))
        };
        version == put.expected && is_dated_well && put.twins.as_ref().is_none_or(twins_hold)
    }

    fn twins(&self, id: &OperationId, hash: OperationHash) -> Vec<TwinFound> {
        let same = |(other, found): &(&OperationId, &Versioned)| {
            (&other.tenant, &other.tool) == (&id.tenant, &id.tool)
                && found.record.hash == hash
                && found.record.fence > Fence::NONE
        };
        let found = self.records.iter().filter(same).map(|(other, found)| TwinFound {
            version: found.version,
            twin: Twin { key: other.key.clone(), record: found.record.clone() },
        });
        let mut found: Vec<_> = found.collect();
        found.sort_by_key(|found| std::cmp::Reverse(found.twin.record.fence));
        found.truncate(Twin::LOOK_BACK);
        found
    }

    fn draw(&mut self, draws: &[Draw], slot: Option<Slot>, now: Timestamp) -> Result<(), Limited> {
        let cell = |draw: &Draw| {
            let found = self.cells.iter().find(|(id, _)| *id == draw.cell);
            found.map(|(_, cell)| cell.clone()).unwrap_or_default()
        };
        let mut cells: Vec<_> = draws.iter().map(cell).collect();
        draw(&mut cells, draws, slot, now)?;
        for (draw, cell) in draws.iter().zip(cells) {
            self.cells.retain(|(id, _)| *id != draw.cell);
            self.cells.push((draw.cell.clone(), cell));
        }
        Ok(())
    }
}

impl Store for FakeStore {
    fn exchange(&self, exchange: Exchange) -> Answer<'_, Exchanged> {
        let answer = self.carry_out(&exchange);
        Box::pin(async move {
            // Others may come in between.
            tokio::task::yield_now().await;
            answer
        })
    }

    fn reserve_fences(&self, count: u64) -> Answer<'_, Fence> {
        let mut kept = self.inside();
        let first = kept.fence + 1;
        kept.fence += count;
        Box::pin(ready(Ok(Fence(first))))
    }

    fn draw(&self, draws: Vec<Draw>) -> Answer<'_, Result<(), Limited>> {
        let now = self.clock.now();
        Box::pin(ready(Ok(self.inside().draw(&draws, None, now))))
    }

    fn over(&self, most: usize) -> Answer<'_, Vec<OperationId>> {
        let (kept, now) = (self.inside(), self.clock.now());
        let over = kept.records.iter().filter(|(_, found)| found.record.is_over(now));
        Box::pin(ready(Ok(over.take(most).map(|(id, _)| id.clone()).collect())))
    }

    fn archive(&self, _: OperationId) -> Answer<'_, ()> {
        Box::pin(ready(Ok(())))
    }

    fn history(&self, id: OperationId) -> Answer<'_, Vec<Event>> {
        Box::pin(ready(Ok(self.inside().histories.get(&id).cloned().unwrap_or_default())))
    }

    fn list(&self, query: Query) -> Answer<'_, Vec<(OperationId, Record)>> {
        let kept = self.inside();
        let now = self.clock.now();
        let all = kept.records.iter().filter(|(id, found)| query.matches(id, &found.record, now));
        let listed = all.take(query.bound()).map(|(id, found)| (id.clone(), found.record.clone()));
        Box::pin(ready(Ok(listed.collect())))
    }

    fn changed(&self, id: OperationId, within: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let change = self.waiting.listen(&id);
            let is_moving = self
                .inside()
                .records
                .get(&id)
                .is_some_and(|found| found.record.state.name().is_moving());
            if is_moving {
                tokio::select! {
                    () = change => {}
                    () = self.clock.alarm(within) => {}
                }
            }
        })
    }
}
