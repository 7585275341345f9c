//! How a saga is undone.
//!
//! 1. What may have happened is found out first: as long as the outcome of one
//!    step is not known, nothing is undone.
//! 2. If the pivot happened, nothing is undone at all. What then failed for good
//!    waits for a person; what may succeed yet is tried again.
//! 3. That the saga gives up is noted, once; from then on it never goes forward.
//! 4. What happened is undone, newest first. What cannot be undone does not keep
//!    the rest from it; it waits for a person, who may give it up.

use std::collections::BTreeMap;

use super::{Journal, Noted, Stepped, step_id, undoing_id};
use crate::key::OperationId;
use crate::ledger::{Event, EventKind, Record, State};

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stand {
    /// Nothing happened.
    NotDone,
    /// Nothing happened, and nothing does before people have said yes.
    Waits,
    /// Nothing happened, and no call tries it again before a person lets it.
    Stuck,
    /// It happened.
    Done,
    /// It may have happened.
    Unknown,
    /// Somebody is at it.
    Moving,
    /// Its record has expired, and nobody can tell any more.
    Gone,
}

impl Stand {
    /// Where a step stands, as its record says.
    #[must_use]
    pub fn of(record: Option<&Record>) -> Self {
        let Some(record) = record else { return Self::NotDone };
        match &record.state {
            State::Succeeded { .. } => Self::Done,
            State::Unknown(_) => Self::Unknown,
            State::Running { .. } | State::Reconciling { .. } => Self::Moving,
            State::Expired => Self::Gone,
            State::AwaitingApproval => Self::Waits,
            State::Released { .. } if record.attempts < record.terms.max_total => {
                // Nobody answered in time, or the yes is spent.
                let wants_yes = record.terms.confirm.is_some() && record.approval.is_none();
                if wants_yes { Self::Waits } else { Self::NotDone }
            }
            State::Approved => Self::NotDone,
            // What a person gave up is that person's affair.
            State::Released { .. }
            | State::Exhausted { .. }
            | State::Abandoned { .. }
            | State::Denied { .. } => Self::Stuck,
        }
    }
}

/// Where the undoing of a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undoing {
    /// Nobody has tried yet in this run.
    Due,
    /// It is undone.
    Done,
    /// It was tried in this run, and may not be undone.
    Failed,
    /// A person gave up undoing it: what it did stands.
    GivenUp,
}

impl Undoing {
    /// Where the undoing of a step stands, as its record says; and, where that has
    /// expired, its history.
    #[must_use]
    pub fn of(record: Option<&Record>, history: &[Event]) -> Self {
        let Some(record) = record else { return Self::Due };
        match &record.state {
            State::Succeeded { .. } => Self::Done,
            State::Abandoned { .. } => Self::GivenUp,
            State::Expired => Self::expired(history),
            // Whoever vanished at it gave nothing back, and said nothing of it: it is tried
            // again, as long as it may be.
            State::Unknown(_) if record.reserved == 0 => Self::Failed,
            State::Unknown(_) if record.attempts >= record.terms.max_total => Self::Failed,
            State::Exhausted { .. } => Self::Failed,
            _ => Self::Due,
        }
    }

    /// What one came to whose record has expired.
    #[must_use]
    pub fn expired(history: &[Event]) -> Self {
        let ends = |event: &&Event| event.kind != EventKind::Expired;
        match history.iter().rev().find(ends).map(|event| event.kind) {
            Some(
                EventKind::Succeeded | EventKind::ReconciledHappened | EventKind::ResolvedHappened,
            ) => Self::Done,
            Some(EventKind::ResolvedAbandoned) => Self::GivenUp,
            _ => Self::Failed,
        }
    }
}

/// What is known of one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Where it stands.
    pub stand: Stand,
    /// Whether it was waited for, or its reconcile function asked, in this run.
    pub asked: bool,
    /// Where its undoing stands.
    pub undoing: Undoing,
}

impl Place {
    /// A step that was neither asked for nor undone in this run.
    #[must_use]
    pub const fn new(stand: Stand) -> Self {
        Self { stand, asked: false, undoing: Undoing::Due }
    }

    /// It was waited or asked for, and stands there now. What somebody was at, and is
    /// unknown now, may still be asked for.
    pub fn found(&mut self, stand: Stand) {
        self.asked = !(self.stand == Stand::Moving && stand == Stand::Unknown);
        self.stand = stand;
    }
}

/// What follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Wait for this step, at which somebody is.
    Wait(u32),
    /// Ask what came of this step.
    FindOut(u32),
    /// Note that the saga gives up.
    Note,
    /// Undo this step.
    Undo(u32),
    /// All is undone, or given up: these steps, in this order.
    Undone(Vec<u32>),
    /// The pivot happened: it can only go forward.
    Committed,
    /// It can go no further by itself.
    Rest(Why),
}

/// Why a saga goes no further by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// What these steps came to is not known.
    Unknown(Vec<u32>),
    /// What undoes these steps failed.
    NotUndone(Vec<u32>),
    /// Nobody tries these steps before a person has said something, and there is no
    /// way around them.
    Stuck(Vec<u32>),
}

impl Why {
    /// What a person has to see to: the steps, or what undoes them.
    #[must_use]
    pub fn operations(&self, saga: &OperationId, journal: &Journal) -> Vec<OperationId> {
        let (Self::Unknown(numbers) | Self::NotUndone(numbers) | Self::Stuck(numbers)) = self;
        let steps = numbers.iter().filter_map(|number| journal.steps.get(number));
        let ids = steps.filter_map(|stepped| step_id(saga, stepped).ok());
        match self {
            Self::NotUndone(_) => ids.map(|id| undoing_id(&id)).collect(),
            Self::Unknown(_) | Self::Stuck(_) => ids.collect(),
        }
    }
}

/// What has to be found out before anything that the saga decided counts; `None`
/// if every step's outcome is known.
#[must_use]
pub fn settled(places: &BTreeMap<u32, Place>) -> Option<Next> {
    let open: Vec<_> = places
        .iter()
        .filter(|(_, place)| matches!(place.stand, Stand::Unknown | Stand::Moving | Stand::Gone))
        .collect();
    let askable = |place: &Place| !place.asked && place.stand != Stand::Gone;
    if let Some((number, place)) = open.iter().find(|(_, place)| askable(place)) {
        let next = if place.stand == Stand::Moving { Next::Wait } else { Next::FindOut };
        return Some(next(**number));
    }
    let unknown: Vec<u32> = open.into_iter().map(|(number, _)| *number).collect();
    (!unknown.is_empty()).then_some(Next::Rest(Why::Unknown(unknown)))
}

/// What to do next for a saga that gave up. The `places` have every step of the journal
/// but the reads, which leave nothing behind.
#[must_use]
pub fn unwind(journal: &Journal, places: &BTreeMap<u32, Place>) -> Next {
    if let Some(next) = settled(places) {
        return next;
    }
    let is_done = |number: &u32| places.get(number).is_some_and(|place| place.stand == Stand::Done);
    let is_read = |stepped: &Stepped| matches!(stepped.noted, Some(Noted::Read(_)));
    let is_passed = |stepped: &Stepped| is_read(stepped) || is_done(&stepped.step);
    let pivot = journal.steps.values().find(|stepped| stepped.pivot && is_passed(stepped));
    if let Some(pivot) = pivot {
        let is_stuck = |place: &Place| matches!(place.stand, Stand::Stuck | Stand::Waits);
        let stuck = places.range(pivot.step..).filter(|(_, place)| is_stuck(place));
        let stuck: Vec<u32> = stuck.map(|(number, _)| *number).collect();
        return if stuck.is_empty() { Next::Committed } else { Next::Rest(Why::Stuck(stuck)) };
    }
    if journal.unwinding.is_none() {
        return Next::Note;
    }
    let done = || places.iter().rev().filter(|(number, _)| is_done(number));
    if let Some((number, _)) = done().find(|(_, place)| place.undoing == Undoing::Due) {
        return Next::Undo(*number);
    }
    let failed: Vec<u32> = done()
        .filter(|(_, place)| place.undoing == Undoing::Failed)
        .map(|(number, _)| *number)
        .collect();
    if failed.is_empty() {
        Next::Undone(done().map(|(number, _)| *number).collect())
    } else {
        Next::Rest(Why::NotUndone(failed))
    }
}

/// What a saga that rests rests for; `None` if it goes on when it is called again.
///
/// Until it gives up, that is a yes too for which one of its steps has asked.
#[must_use]
pub fn rests_for(journal: &Journal, places: &BTreeMap<u32, Place>) -> Option<Why> {
    match unwind(journal, places) {
        Next::Rest(why) => Some(why),
        Next::Note => {
            let asks = |stepped: &&Stepped| {
                let place = places.get(&stepped.step);
                stepped.noted.is_none() && place.is_some_and(|place| place.stand == Stand::Waits)
            };
            let asked = journal.steps.values().filter(asks).map(|stepped| stepped.step);
            let asked: Vec<u32> = asked.collect();
            (!asked.is_empty()).then_some(Why::Stuck(asked))
        }
        _ => None,
    }
}

impl Journal {
    /// Its steps that may have left something behind: all but the reads.
    pub fn effects(&self) -> impl Iterator<Item = &Stepped> {
        self.steps.values().filter(|stepped| !matches!(stepped.noted, Some(Noted::Read(_))))
    }
}
