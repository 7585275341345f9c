//! What reconcile functions and compensations are given.

use std::fmt;

use tool_contract_spec::key::IdempotencyKey;
use tool_contract_spec::ledger::Timestamp;

use crate::cx::Cx;
use crate::tool::Tool;
use crate::two_phase::Recovery;

/// An operation whose outcome is not known, for the function that finds out.
///
/// Answer `Ok(Some(output))` if it happened, `Ok(None)` if it did not, and an
/// error if that cannot be told. "It did not" is asked for again, and believed
/// only after the contract's `settle`.
#[non_exhaustive]
pub struct Asked<T: Tool> {
    /// The arguments of the call.
    pub args: T,
    /// Its key.
    pub key: IdempotencyKey,
    /// The ledger's time at which the reconciler began to look.
    pub at: Timestamp,
    pub(crate) cx: Cx,
}

impl<T: Tool> Asked<T> {
    /// The call's context: its downstream key, tenant and state.
    #[must_use]
    pub const fn cx(&self) -> &Cx {
        &self.cx
    }

    /// The id under which the other side knows the operation, if the body handed
    /// it on: [`Cx::idempotency_key`], and what [`Cx::two_phase`] reserves under.
    #[must_use]
    pub fn tracking_id(&self) -> &str {
        self.cx.idempotency_key()
    }

    /// How far an operation came that is made in two phases.
    pub fn two_phase(&self) -> Recovery {
        Recovery::new(self.tracking_id().to_owned())
    }
}

impl<T: Tool + fmt::Debug> fmt::Debug for Asked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked")
            .field("args", &self.args)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// An operation that succeeded, for the function that undoes it.
#[non_exhaustive]
pub struct Done<T: Tool> {
    /// The arguments of the call.
    pub args: T,
    /// What it returned.
    pub output: T::Output,
    /// Its key.
    pub key: IdempotencyKey,
    pub(crate) cx: Cx,
}

impl<T: Tool> Done<T> {
    /// The call's context: its downstream key, tenant and state.
    #[must_use]
    pub const fn cx(&self) -> &Cx {
        &self.cx
    }

    /// The key to hand to an API that dedupes on one: the same each time this
    /// undoing is repeated, and another than that of the call itself.
    #[must_use]
    pub fn idempotency_key(&self) -> &str {
        self.cx.idempotency_key()
    }
}

impl<T: Tool + fmt::Debug> fmt::Debug for Done<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Done")
            .field("args", &self.args)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
