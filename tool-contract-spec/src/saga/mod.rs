//! What the history of a saga says, and what follows from it.
//!
//! A saga is an operation whose body makes others: its **steps**, each under a
//! key that is a child of the saga's. Before a step's first attempt its number,
//! its tool and the hash of what it does are noted in the saga's own history;
//! before anything is undone, that it is. So whoever takes a saga over knows all
//! that may have begun, and what was decided.

mod ended;
mod journal;
mod refused;
mod unwind;

pub use ended::{Ended, ended};
pub use journal::{Journal, JournalError, Noted, Stepped};
pub use refused::{Refused, may_stand, refused};
pub use unwind::{Next, Place, Stand, Undoing, Why, rests_for, settled, unwind};

use crate::key::{IdempotencyKey, LONGEST_KEY, MalformedKey, OperationId};
use crate::ledger::Terms;
use crate::operation::Fingerprint;
use crate::policy::Text;

/// The most steps of one saga.
pub const MOST_STEPS: u32 = 1_000;

/// The longest key of a saga, in bytes: those of its steps have a `/` and up to
/// three digits more.
pub const LONGEST_ROOT: usize = LONGEST_KEY - "/999".len();

/// How many attempts a saga's key may have. Running again is harmless, and a
/// process that dies gives none back, so there are many.
pub const MOST_ATTEMPTS: u32 = 10_000;

/// Whether a claim with these terms is that of a saga: nothing else has that many
/// attempts and a body whose repetition is harmless, as [`unlike_saga`] sees to.
#[must_use]
pub const fn is_saga(terms: &Terms) -> bool {
    terms.repeatable && terms.max_total == MOST_ATTEMPTS
}

/// The terms of a tool that is no saga: one attempt fewer, if its contract asks for just
/// as many as a saga has.
#[must_use]
pub const fn unlike_saga(mut terms: Terms) -> Terms {
    if is_saga(&terms) {
        terms.max_total = MOST_ATTEMPTS - 1;
    }
    terms
}

/// The key of step `number` of the saga with the key `root`; so a saga may be a
/// step of another.
///
/// # Errors
/// If `root` is longer than [`LONGEST_ROOT`].
pub fn child_key(root: &IdempotencyKey, number: u32) -> Result<IdempotencyKey, MalformedKey> {
    if root.as_str().len() > LONGEST_ROOT {
        return Err(MalformedKey::TooLong(root.as_str().len()));
    }
    IdempotencyKey::new(format!("{root}/{number}"))
}

/// What step `number` of `saga` binds besides its arguments and what its caller
/// gave.
#[must_use]
pub fn fingerprint(saga: &OperationId, number: u32, given: Option<&Fingerprint>) -> Fingerprint {
    Fingerprint::of_step(&format!("{}[{}]", saga.tool, saga.key), number, given)
}

/// The operation of a step of `saga`.
///
/// # Errors
/// If the saga's key is longer than [`LONGEST_ROOT`].
pub fn step_id(saga: &OperationId, step: &Stepped) -> Result<OperationId, MalformedKey> {
    let (tenant, tool) = (saga.tenant.clone(), Text::Owned(step.tool.clone()));
    Ok(OperationId { tenant, tool, key: child_key(&saga.key, step.step)? })
}

/// The operation that undoes that of a step.
#[must_use]
pub fn undoing_id(step: &OperationId) -> OperationId {
    OperationId { tool: Text::Owned(rollback_name(&step.tool)), ..step.clone() }
}

/// The name under which what undoes a call of `tool` is on record.
#[must_use]
pub fn rollback_name(tool: &str) -> String {
    format!("{tool}.rollback")
}

#[cfg(test)]
mod tests;
