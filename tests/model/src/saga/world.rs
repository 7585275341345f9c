//! A state of the world: what is on record, what each process believes of it, and
//! what an observer outside knows.

use std::hash::{DefaultHasher, Hash, Hasher};

use tool_contract_spec::ledger::{Fence, State, Timestamp};

use super::calm::comes_to_an_end;
use super::ledger::Ledger;
use super::process::Run;
use super::property::{Note, is_not_silent};
use super::{Operation, Promise, Saga, Sight};

/// What became of a step, for somebody who counts charges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Outside {
    /// How often it happened.
    pub(super) happened: u8,
    /// Whether what undoes it ran. Once is as good as twice.
    pub(super) undone: bool,
    /// Whether an attempt was begun of which no record says what it came to.
    pub(super) is_open: bool,
    /// Whether it was ever on record as undone.
    pub(super) is_settled: bool,
}

/// How much may still go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mishaps {
    /// Processes that die; another one takes its place.
    pub crashes: u8,
    /// Answers that are lost, or settlements that never arrive.
    pub losses: u8,
    /// Outcomes that are unknown, reconcilers that cannot tell, and bodies that give
    /// up by themselves.
    pub troubles: u8,
    /// What a person says.
    pub words: u8,
}

/// A state of the world.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    /// Everybody's clock.
    pub(super) now: u64,
    pub(super) ledger: Ledger,
    /// Processes: `None` is at nothing.
    pub(super) processes: Vec<Option<Run>>,
    pub(super) outside: Vec<Outside>,
    pub(super) left: Mishaps,
    /// What the step that led here broke.
    pub(super) broken: Vec<Promise>,
    /// What it came across. States that differ by nothing else are one: what has to be
    /// met is met on some way.
    pub(super) seen: Seen,
}

/// What a step came across; all that it came across is alike.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen(pub(super) Vec<Sight>);

impl PartialEq for Seen {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Seen {}

impl Hash for Seen {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl World {
    /// A world in which nothing has happened yet.
    pub(super) fn new(model: &Saga) -> Self {
        let steps = model.steps.len();
        Self {
            now: 0,
            ledger: Ledger::new(steps),
            processes: vec![None; 2],
            outside: vec![Outside::default(); steps],
            left: model.mishaps,
            broken: Vec::new(),
            seen: Seen::default(),
        }
    }

    pub(super) fn has_noted(&self, note: Note) -> bool {
        match note {
            Note::Promise(promise) => self.broken.contains(&promise),
            Note::Sight(sight) => self.seen.0.contains(&sight),
        }
    }

    pub(super) fn saw(&mut self, sight: Sight) {
        self.seen.0.push(sight);
    }

    fn broke_if(&mut self, is_broken: bool, promise: Promise) {
        if is_broken && !self.broken.contains(&promise) {
            self.broken.push(promise);
        }
    }

    /// What an observer makes of the step that led here.
    pub(super) fn look(&mut self, model: &Saga) {
        for step in 0..self.outside.len() {
            let of = |of| self.ledger.find(of).map(|record| &record.state);
            let is_known = !matches!(
                of(Operation::Call(step)),
                None | Some(State::Running { .. } | State::Unknown(_) | State::Reconciling { .. })
            );
            let is_undone = matches!(of(Operation::Undoing(step)), Some(State::Succeeded { .. }));
            self.outside[step].is_open &= !is_known;
            self.outside[step].is_settled |= is_undone;
        }
        let believers = self.processes.iter().flatten().filter(|run| run.believes(self.now));
        self.broke_if(believers.count() > 1, Promise::OneAdvances);
        self.broke_if(!is_not_silent(self), Promise::NotInSilence);
        self.broke_if(!comes_to_an_end(model, self), Promise::ComesToAnEnd);
        let twice = self.outside.iter().any(|outside| outside.happened > 1);
        self.broke_if(twice, Promise::HappensOnce);
    }

    /// A process that holds the saga by `fence` begins an attempt.
    pub(super) fn begins(&mut self, model: &Saga, of: Operation, fence: Fence) {
        let is_held = self.ledger.find(Operation::Saga).is_some_and(|saga| {
            let now = Timestamp(self.now);
            saga.fence == fence
                && matches!(saga.state, State::Running { lease_until } if now < lease_until)
        });
        self.broke_if(!is_held, Promise::OneAdvances);
        match of {
            Operation::Call(step) => self.makes(step),
            Operation::Undoing(step) => self.undoes(model, step),
            Operation::Saga => {}
        }
    }

    fn makes(&mut self, step: usize) {
        let journal = self.ledger.journal();
        self.broke_if(!journal.steps.contains_key(&(step as u32)), Promise::OnRecord);
        self.broke_if(journal.unwinding.is_some(), Promise::NotForwardAgain);
        self.outside[step].is_open = true;
    }

    fn undoes(&mut self, model: &Saga, step: usize) {
        let is_open = self.outside.iter().any(|outside| outside.is_open);
        self.broke_if(is_open, Promise::KnownFirst);
        self.broke_if(self.outside[step].is_settled, Promise::UndoneOnce);
        let is_skipped = |newer: usize| {
            let Outside { happened, undone, .. } = self.outside[newer];
            let is_tried = self.ledger.find(Operation::Undoing(newer)).is_some();
            happened > 0 && !undone && !is_tried
        };
        let skips = (step + 1..self.outside.len()).any(is_skipped);
        self.broke_if(skips, Promise::NewestFirst);
        self.check_undoing(model, step);
    }

    fn check_undoing(&mut self, model: &Saga, step: usize) {
        self.broke_if(self.outside[step].happened == 0, Promise::UndoesWhatHappened);
        let pivot = model.pivot().is_some_and(|pivot| self.outside[pivot].happened > 0);
        self.broke_if(pivot, Promise::NotAfterPivot);
    }

    /// An attempt has its effect.
    pub(super) fn acts(&mut self, model: &Saga, of: Operation) {
        match of {
            Operation::Call(step) => {
                self.broke_if(self.outside[step].undone, Promise::NotAfterUndone);
                self.outside[step].happened = (self.outside[step].happened + 1).min(2);
            }
            Operation::Undoing(step) => {
                self.check_undoing(model, step);
                self.outside[step].undone = true;
            }
            Operation::Saga => {}
        }
    }

    /// Gives the fences that anybody still knows the numbers from 1, in their order,
    /// and the processes an order: nothing depends on more of them than which is which.
    pub(super) fn renumber(&mut self) {
        self.ledger.forget(self.now);
        let mut known: Vec<Fence> = Vec::new();
        self.each_fence(|fence| known.push(*fence));
        known.sort_unstable();
        known.dedup();
        self.each_fence(|fence| {
            *fence = Fence(known.iter().position(|known| known == fence).unwrap_or(0) as u64 + 1);
        });
        self.ledger.last = known.len() as u64;
        self.processes.sort_by_cached_key(|run| {
            let mut hasher = DefaultHasher::new();
            run.hash(&mut hasher);
            hasher.finish()
        });
    }

    fn each_fence(&mut self, mut of: impl FnMut(&mut Fence)) {
        self.ledger.records().for_each(|record| of(&mut record.fence));
        self.processes.iter_mut().flatten().for_each(|run| run.each_fence(&mut of));
    }
}
