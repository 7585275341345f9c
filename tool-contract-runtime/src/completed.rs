//! A result, and how it was come by.

use std::fmt;
use std::ops::Deref;

use tool_contract_spec::key::IdempotencyKey;

/// The result of a call that succeeded, now or before.
///
/// It derefs to the tool's output.
#[derive(Clone, PartialEq, Eq)]
pub struct Completed<T> {
    pub(crate) output: T,
    pub(crate) replayed: bool,
    pub(crate) attempts: u32,
    pub(crate) key: Option<IdempotencyKey>,
    pub(crate) reminted_from: Option<IdempotencyKey>,
}

impl<T> Completed<T> {
    /// Whether the result was on record, and nothing ran for this call.
    pub const fn replayed(&self) -> bool {
        self.replayed
    }

    /// Attempts that this key has had.
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The key under which it is on record; a read has none.
    pub const fn key(&self) -> Option<&IdempotencyKey> {
        self.key.as_ref()
    }

    /// The other key under which the same operation stands: this call's key
    /// looks newly minted for an old intent.
    pub const fn reminted_from(&self) -> Option<&IdempotencyKey> {
        self.reminted_from.as_ref()
    }

    /// The output.
    pub fn into_inner(self) -> T {
        self.output
    }
}

impl<T> Deref for Completed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.output
    }
}

impl<T: fmt::Debug> fmt::Debug for Completed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Completed")
            .field("output", &self.output)
            .field("replayed", &self.replayed)
            .field("attempts", &self.attempts)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
