//! A state of the world: the record, who believes what of it, and what an
//! observer outside knows.

use tool_contract_spec::ledger::Fence;

use crate::call::Call;
use crate::ledger::Ledger;
use crate::look::Look;
use crate::property::{Note, Promise, Sight};
use crate::protocol::Protocol;

/// One effect in the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Effect {
    /// From when on nobody can miss it; 0 once that is so.
    pub(crate) seen_from: u64,
    /// Whether the other side dedupes it on the key.
    pub(crate) deduped: bool,
}

/// A state of the world.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    /// The ledger's clock.
    pub(crate) now: u64,
    pub(crate) ledger: Ledger,
    pub(crate) calls: Vec<Call>,
    pub(crate) looks: Vec<Look>,
    pub(crate) effects: Vec<Effect>,
    /// Attempts that were begun.
    pub(crate) begun: u32,
    /// Whether the newest claim's outcome is still open, and if so, whether its
    /// contract calls repetition harmless.
    pub(crate) open: Option<bool>,
    /// Whether success was ever recorded.
    pub(crate) done: bool,
    /// What the step that led here did, if it is worth a word.
    pub(crate) note: Option<Note>,
}

impl World {
    /// A world in which nothing has happened yet.
    pub(crate) fn new(calls: usize, looks: usize) -> Self {
        Self {
            now: 0,
            ledger: Ledger::default(),
            calls: vec![Call::Idle; calls],
            looks: vec![Look::Idle; looks],
            effects: Vec::new(),
            begun: 0,
            open: None,
            done: false,
            note: None,
        }
    }

    pub(crate) fn tick(&mut self, model: &Protocol) {
        self.now += 1;
        self.ledger.sweep(model.fault, self.now);
        for effect in &mut self.effects {
            if effect.seen_from <= self.now {
                effect.seen_from = 0;
            }
        }
    }

    /// Whether a call that was let in may still do something.
    pub(crate) fn may_act(&self) -> bool {
        self.calls.iter().any(|call| call.may_act(self.now))
    }

    /// How many effects there are for somebody who counts charges.
    pub(crate) fn charges(&self) -> usize {
        let own = self.effects.iter().filter(|effect| !effect.deduped).count();
        own + usize::from(self.effects.iter().any(|effect| effect.deduped))
    }
    /// Gives the fences that anybody still knows the numbers from 1, in their
    /// order. Nothing depends on more of them than which is which.
    pub(crate) fn renumber(&mut self) {
        let mut known: Vec<Fence> = self.fences().map(|fence| *fence).collect();
        known.sort_unstable();
        known.dedup();
        let rank = |fence: Fence| known.iter().position(|known| *known == fence).unwrap_or(0);
        for fence in self.fences() {
            *fence = Fence(rank(*fence) as u64 + 1);
        }
        self.ledger.last = self.ledger.last.min(known.len() as u64);
    }

    fn fences(&mut self) -> impl Iterator<Item = &mut Fence> {
        let on_record = self.ledger.slot.as_mut().map(|record| &mut record.fence);
        let of_calls = self.calls.iter_mut().filter_map(Call::fence);
        let of_looks = self.looks.iter_mut().filter_map(Look::fence);
        on_record.into_iter().chain(of_calls).chain(of_looks)
    }

    /// Whether somebody who looks now cannot miss that it happened.
    pub(crate) fn shows(&self) -> bool {
        self.effects.iter().any(|effect| effect.seen_from == 0)
    }

    /// It is on record that it happened.
    pub(crate) fn happened(&mut self) {
        self.done = true;
        self.open = None;
    }

    /// Whether the last step noted this.
    pub(crate) fn has_noted(&self, note: Note) -> bool {
        self.note == Some(note)
    }

    /// The step came across this, and across nothing worse.
    pub(crate) fn saw(&mut self, sight: Sight) {
        if !matches!(self.note, Some(Note::Promise(_))) {
            self.note = Some(Note::Sight(sight));
        }
    }

    pub(crate) fn broke(&mut self, promise: Promise) {
        self.note = Some(Note::Promise(promise));
    }

    /// Whoever showed `fence` changed nothing if it was not the newest, but for
    /// what time did.
    pub(crate) fn check_stale(&mut self, before: &Ledger, fence: Fence) {
        let is_stale = before.newest() != Some(fence);
        if is_stale && self.ledger != *before && self.ledger != before.lapsed(self.now) {
            self.broke(Promise::StaleFence);
        }
    }
}
