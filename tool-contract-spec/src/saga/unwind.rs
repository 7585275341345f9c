//! How a saga is undone.
//!
//! 1. What may have happened is found out first: as long as the outcome of one
//!    step is not known, nothing is undone.
//! 2. If the pivot happened, nothing is undone at all.
//! 3. That the saga gives up is noted, once; from then on it never goes forward.
//! 4. What happened is undone, newest first. What cannot be undone does not keep
//!    the rest from it; it waits for a person, who may give it up.

use std::collections::BTreeMap;

use super::{Journal, Noted, Stepped};

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stand {
    /// Nothing happened.
    NotDone,
    /// It happened.
    Done,
    /// It may have happened.
    Unknown,
    /// Somebody is at it.
    Moving,
    /// Its record has expired, and nobody can tell any more.
    Gone,
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
}

/// What has to be found out before anything that the saga decided counts; `None`
/// if every step's outcome is known.
#[must_use]
pub fn settled(places: &BTreeMap<u32, Place>) -> Option<Next> {
    let open: Vec<_> = places
        .iter()
        .filter(|(_, place)| !matches!(place.stand, Stand::NotDone | Stand::Done))
        .collect();
    let askable = |place: &Place| !place.asked && place.stand != Stand::Gone;
    if let Some((number, place)) = open.iter().find(|(_, place)| askable(place)) {
        let next = if place.stand == Stand::Moving { Next::Wait } else { Next::FindOut };
        return Some(next(**number));
    }
    let unknown: Vec<u32> = open.into_iter().map(|(number, _)| *number).collect();
    (!unknown.is_empty()).then_some(Next::Rest(Why::Unknown(unknown)))
}

/// What to do next for a saga that gave up. `places` has every step of the
/// journal but the reads, which leave nothing behind.
#[must_use]
pub fn unwind(journal: &Journal, places: &BTreeMap<u32, Place>) -> Next {
    if let Some(next) = settled(places) {
        return next;
    }
    let is_done = |number: &u32| places.get(number).is_some_and(|place| place.stand == Stand::Done);
    let is_read = |stepped: &Stepped| matches!(stepped.noted, Some(Noted::Read(_)));
    let is_passed = |stepped: &Stepped| is_read(stepped) || is_done(&stepped.step);
    if journal.steps.values().any(|stepped| stepped.pivot && is_passed(stepped)) {
        return Next::Committed;
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

impl Journal {
    /// Its steps that may have left something behind: all but the reads.
    pub fn effects(&self) -> impl Iterator<Item = &Stepped> {
        self.steps.values().filter(|stepped| !matches!(stepped.noted, Some(Noted::Read(_))))
    }
}
