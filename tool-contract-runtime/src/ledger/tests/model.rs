//! The pure transitions on plain maps: what every ledger must answer.

use std::collections::BTreeMap;

use tool_contract_spec::key::OperationId;
use tool_contract_spec::ledger::{
    Around, Hold, Step, Twin, admit, begin_reconcile, decide_approval, draw, finish_reconcile,
    renew, resolve, settle,
};

use crate::ledger::{
    Admission, Cell, CellId, Decision, Draw, Event, Fence, Finding, Note, ReconcileRequest, Record,
    Resolution, Settlement, Timestamp,
};

/// What is asked of a ledger.
#[derive(Debug, Clone)]
pub(super) enum Command {
    Admit(Admission),
    Settle(Settlement),
    Renew(OperationId, Fence, Option<Note>),
    Begin(ReconcileRequest),
    Finish(OperationId, Fence, Finding),
    Resolve(Resolution),
    Decide(Decision),
    Draw(Vec<Draw>),
}

/// The simplest ledger there is.
#[derive(Default)]
pub(super) struct Model {
    pub(super) records: BTreeMap<OperationId, Record>,
    pub(super) histories: BTreeMap<OperationId, Vec<Event>>,
    cells: Vec<(CellId, Cell)>,
    fence: u64,
}

impl Model {
    /// The answer, written out.
    pub(super) fn run(&mut self, command: &Command, now: Timestamp) -> String {
        match command {
            Command::Admit(request) => self.admit(request, now),
            Command::Settle(settlement) => {
                self.step(&settlement.id, now, |slot, around| settle(slot, settlement, around))
            }
            Command::Renew(id, fence, note) => {
                self.step(id, now, |slot, around| renew(slot, *fence, note.as_ref(), around))
            }
            Command::Begin(request) => {
                self.step(&request.id, now, |slot, around| begin_reconcile(slot, request, around))
            }
            Command::Finish(id, fence, finding) => {
                self.step(id, now, |slot, around| finish_reconcile(slot, *fence, finding, around))
            }
            Command::Resolve(resolution) => {
                self.step(&resolution.id, now, |slot, around| resolve(slot, resolution, around))
            }
            Command::Decide(decision) => {
                self.step(&decision.id, now, |slot, around| decide_approval(slot, decision, around))
            }
            Command::Draw(draws) => {
                let mut cells = self.cells(draws);
                let reply = draw(&mut cells, draws, None, now);
                self.put_cells(draws, cells);
                format!("{reply:?}")
            }
        }
    }

    fn admit(&mut self, request: &Admission, now: Timestamp) -> String {
        let twin =
            if self.records.contains_key(&request.id) { None } else { self.twin(request, now) };
        let mut cells = self.cells(&request.draws);
        let around = Around { now, fence: Fence(self.fence + 1) };
        let mut slot = self.records.get(&request.id).cloned();
        let done = admit(&mut slot, request, twin.as_ref(), &mut cells, &around);
        self.put_cells(&request.draws, cells);
        self.keep(&request.id, slot, now, done)
    }

    fn step<R: std::fmt::Debug>(
        &mut self,
        id: &OperationId,
        now: Timestamp,
        step: impl FnOnce(&mut Option<Record>, &Around) -> Step<R>,
    ) -> String {
        let mut slot = self.records.get(id).cloned();
        let done = step(&mut slot, &Around { now, fence: Fence(self.fence + 1) });
        self.keep(id, slot, now, done)
    }

    fn keep<R: std::fmt::Debug>(
        &mut self,
        id: &OperationId,
        slot: Option<Record>,
        now: Timestamp,
        done: Step<R>,
    ) -> String {
        if let Some(record) = slot.filter(|_| done.changed) {
            self.fence = self.fence.max(record.fence.0);
            let before = self.records.get(id);
            for hold in before.map(|before| Hold::moved(before, &record)).unwrap_or_default() {
                let held = self.cells.iter_mut().filter(|(id, _)| *id == hold.cell);
                held.for_each(|(_, cell)| cell.hold(hold.slot, now));
            }
            self.records.insert(id.clone(), record);
            self.histories.entry(id.clone()).or_default().extend(done.events);
        }
        format!("{:?}", done.reply)
    }

    /// Of all that do the same and speak for it, the newest.
    fn twin(&self, request: &Admission, now: Timestamp) -> Option<Twin> {
        let same = |(id, record): &(&OperationId, &Record)| {
            id.tenant == request.id.tenant
                && id.tool == request.id.tool
                && record.hash == request.hash
        };
        self.records
            .iter()
            .filter(same)
            .filter(|(_, record)| record.speaks_at(now))
            .max_by_key(|(_, record)| record.fence)
            .map(|(id, record)| Twin { key: id.key.clone(), record: record.clone() })
    }

    fn cells(&self, draws: &[Draw]) -> Vec<Cell> {
        let cell = |draw: &Draw| {
            self.cells.iter().find(|(id, _)| *id == draw.cell).map(|(_, cell)| cell.clone())
        };
        draws.iter().map(|draw| cell(draw).unwrap_or_default()).collect()
    }

    fn put_cells(&mut self, draws: &[Draw], cells: Vec<Cell>) {
        for (draw, cell) in draws.iter().zip(cells) {
            self.cells.retain(|(id, _)| *id != draw.cell);
            self.cells.push((draw.cell.clone(), cell));
        }
    }
}
