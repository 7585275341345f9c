//! Guards of a saga that can be taken away.

use std::collections::BTreeMap;

use tool_contract_spec::ledger::{Record, State, Timestamp};
use tool_contract_spec::saga::{Journal, Next, Place, Stand, Undoing};

use super::Operation;

/// A guard that is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// A saga is claimed though another process holds it.
    ClaimedWhileHeld,
    /// A saga whose process vanished is not claimed again.
    NeverTakenOver,
    /// Notes are written by whatever fence.
    NotesNeedNoFence,
    /// A process that learns that its claim is lost goes on.
    GoesOnWithoutClaim,
    /// A step begins without a note.
    StepNotNoted,
    /// That the saga gives up is not noted.
    UnwindingNotNoted,
    /// A step of which nobody knows whether it happened is made again.
    UnknownRunsAgain,
    /// What is not known is taken for done.
    UnknownTakenForDone,
    /// What is not known is taken for not done.
    UnknownTakenForNotDone,
    /// A reconciler that cannot tell is taken to say that it did not happen.
    CannotTellTakenForNo,
    /// Nobody remembers that a step was the pivot.
    PivotForgotten,
    /// What happened is undone oldest first.
    OldestFirst,
    /// What undoes a step leaves no record.
    UndoingForgotten,
    /// What could not be undone is taken for undone.
    FailureTakenForUndone,
    /// A step that has had all its attempts waits for a person, though its saga goes by
    /// its failure and may be undone.
    NotCovered,
}

impl Fault {
    /// What it makes of a record before somebody is admitted.
    pub(super) fn before_admission(self, of: Operation, record: &mut Record, now: u64) {
        let is_open = match &record.state {
            State::Unknown(_) => true,
            State::Running { lease_until } => {
                self == Self::ClaimedWhileHeld || lease_until.0 <= now
            }
            _ => false,
        };
        let is_hit = matches!(
            (self, of),
            (Self::ClaimedWhileHeld, Operation::Saga)
                | (Self::UnknownRunsAgain, Operation::Call(_))
        );
        let is_undone = self == Self::UndoingForgotten
            && matches!((of, &record.state), (Operation::Undoing(_), State::Succeeded { .. }));
        if (is_hit && is_open) || is_undone {
            record.state = State::Released { not_before: Timestamp::ZERO };
            record.attempts = 0;
        }
    }

    /// What it makes of what is known of a saga at its end.
    pub(super) fn at_the_end(self, journal: &mut Journal, places: &mut BTreeMap<u32, Place>) {
        if self == Self::PivotForgotten {
            journal.steps.values_mut().for_each(|stepped| stepped.pivot = false);
        }
        for place in places.values_mut() {
            match (self, place.stand, place.undoing) {
                (Self::UnknownTakenForDone, Stand::Unknown, _) => place.stand = Stand::Done,
                (Self::UnknownTakenForNotDone, Stand::Unknown, _) => place.stand = Stand::NotDone,
                (Self::FailureTakenForUndone, _, Undoing::Failed) => place.undoing = Undoing::Done,
                _ => {}
            }
        }
    }

    /// What it makes of what was decided then.
    pub(super) fn of_next(self, next: Next, places: &BTreeMap<u32, Place>) -> Next {
        let is_due = |place: &Place| place.stand == Stand::Done && place.undoing == Undoing::Due;
        match (self, next) {
            (Self::OldestFirst, Next::Undo(newest)) => {
                let oldest = places.iter().find(|(_, place)| is_due(place));
                Next::Undo(oldest.map_or(newest, |(step, _)| *step))
            }
            (_, next) => next,
        }
    }
}
