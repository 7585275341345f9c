//! What a saga makes of a step that was refused.

use super::Stand;
use crate::ledger::{Record, State};
use crate::rulebook::Code;

/// What follows where nothing of a step ran in this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The step has failed, and the body decides what follows.
    Failed,
    /// The saga goes no further now; calling it again may help.
    Again,
    /// The saga goes no further before a person has seen to the step.
    Person,
    /// People have been asked for their yes to the step. The saga rests until they have
    /// said something, unless a step that was made together with this one has failed.
    Waits,
}

/// Whether a refusal says nothing of a step with this record: something may have come of
/// it, or people have said yes to it, and may not do so again.
#[must_use]
pub fn may_stand(record: Option<&Record>) -> bool {
    match Stand::of(record) {
        Stand::NotDone => record.is_some_and(|record| matches!(record.state, State::Approved)),
        Stand::Waits => false,
        Stand::Stuck | Stand::Done | Stand::Unknown | Stand::Moving | Stand::Gone => true,
    }
}

/// What follows when a step is refused with `code`. What is refused before the pivot
/// has failed, unless something `may_stand` of it that an earlier run began: of that the
/// refusal says nothing. After the pivot there is no way but to try again.
#[must_use]
pub fn refused(code: Code, is_committed: bool, may_stand: bool) -> Refused {
    match code {
        Code::APPROVAL_MISSING => Refused::Waits,
        // It is there, and nobody can say what it came to; or people were asked for it on
        // another's behalf.
        Code::EXPIRED | Code::CONFLICT | Code::RESULT_UNREADABLE | Code::APPROVAL_VOID => {
            Refused::Person
        }
        // Its objective has nothing left, however often it is called.
        Code::BUDGET_SPENT if is_committed || may_stand => Refused::Person,
        // Nothing happens there any more, before a person lets it.
        Code::ABANDONED | Code::ATTEMPTS_EXHAUSTED | Code::APPROVAL_DENIED => Refused::Failed,
        Code::IN_FLIGHT | Code::NOT_BEFORE => Refused::Again,
        _ if is_committed || may_stand => Refused::Again,
        _ => Refused::Failed,
    }
}
