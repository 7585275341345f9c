//! What follows from an outcome under a policy: one pure, total function.

mod why;

use std::time::Duration;

use crate::outcome::{Outcome, OutcomeClass};
use crate::policy::{Backoff, Jitter, Policy, Retry};

/// How far a call has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Attempts of this call, the one that just ended included. At least 1.
    pub attempt: u32,
    /// Attempts under this key, likewise, over all calls and processes.
    pub total: u32,
    /// Time since the call's first attempt began.
    pub elapsed: Duration,
    /// Time until the call's deadline, if it has one.
    pub remaining: Option<Duration>,
    /// Whether an earlier attempt under this key may have happened. Then the
    /// failure of a later one proves nothing.
    pub in_doubt: bool,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// It succeeded: record the result.
    Continue,
    /// Nothing happened, and the call ends: free the key.
    Stop,
    /// Try again, after a delay drawn between floor and ceiling.
    RetryAfter {
        /// The shortest delay.
        floor: Duration,
        /// The longest delay.
        ceiling: Duration,
    },
    /// It may have happened: ask the reconcile function.
    Reconcile,
    /// It may have happened, and only a person can find out.
    Escalate,
}

/// A row of the decision matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// `success`
    Success,
    /// `validation_failure`, `permission_denied`, `permanent_failure`
    Final,
    /// `retryable_failure`, cause in `on`, attempts and budget left
    Retry,
    /// `retryable_failure`, otherwise
    NoRetry,
    /// `side_effect_unknown` on a read, attempts left
    UnknownRead,
    /// `side_effect_unknown` on a read, no attempts left
    UnknownReadSpent,
    /// Nothing happened this time, but an earlier attempt may have
    Doubt,
    /// `side_effect_unknown`, deduped by downstream or nature, `on` names it
    UnknownRepeatable,
    /// `side_effect_unknown`, with a reconcile function
    UnknownReconcilable,
    /// `side_effect_unknown`, otherwise
    Unknown,
}

impl Row {
    /// Every row, in the order of the matrix.
    pub const ALL: [Self; 10] = [
        Self::Success,
        Self::Final,
        Self::Retry,
        Self::NoRetry,
        Self::UnknownRead,
        Self::UnknownReadSpent,
        Self::Doubt,
        Self::UnknownRepeatable,
        Self::UnknownReconcilable,
        Self::Unknown,
    ];

    /// The row in words: which outcome, and what follows.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success: record the result",
            Self::Final => {
                "validation_failure, permission_denied or permanent_failure: stop, the key is released"
            }
            Self::Retry => {
                "retryable_failure, cause in `on`, attempts, budget and deadline left, a read or idempotent: retry"
            }
            Self::NoRetry => {
                "retryable_failure, otherwise: stop, the key is released, not before the backoff"
            }
            Self::UnknownRead => {
                "side_effect_unknown on a read, attempts, budget and deadline left: retry"
            }
            Self::UnknownReadSpent => "side_effect_unknown on a read, otherwise: stop",
            Self::Doubt => {
                "no retry is left, and an earlier attempt of the same key may have happened: reconcile, else escalate"
            }
            Self::UnknownRepeatable => {
                "side_effect_unknown on a write, by downstream or nature, named in `on`, attempts, budget and deadline left: retry with the same key"
            }
            Self::UnknownReconcilable => {
                "side_effect_unknown on a write, with a reconcile function: reconcile"
            }
            Self::Unknown => "side_effect_unknown on a write, otherwise: escalate to a person",
        }
    }
}

/// A decision, and the row of the matrix that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// What to do next.
    pub step: NextStep,
    /// Which row said so.
    pub row: Row,
}

/// Decides what follows from `outcome`.
///
/// A delay that would pass the budget or the deadline is no retry. The delay
/// that the other side asked for lengthens a retry that the policy allows; it
/// never allows one.
///
/// ```
/// # mod tool_contract { pub use tool_contract_spec as spec; }
/// use std::time::Duration;
/// use tool_contract::spec::decide::{NextStep, Progress, decide};
/// use tool_contract::spec::outcome::OutcomeClass;
/// # let policy = tool_contract::spec::decide::example_policy();
/// let progress = Progress { attempt: 1, total: 1, elapsed: Duration::ZERO, remaining: None, in_doubt: false };
/// let decision = decide(&policy, OutcomeClass::SideEffectUnknown.into(), progress);
/// assert_eq!(decision.step, NextStep::Escalate);
/// ```
#[must_use]
pub fn decide(policy: &Policy, outcome: Outcome, progress: Progress) -> Decision {
    let retry = retry_step(policy, outcome, progress);
    // A read leaves nothing that could have happened.
    let in_doubt = progress.in_doubt && !policy.is_read();
    let find_out =
        if policy.reconcile.is_some() { NextStep::Reconcile } else { NextStep::Escalate };
    let (row, step) = match outcome.class {
        OutcomeClass::Success => (Row::Success, NextStep::Continue),
        // An API that dedupes on the key answers for the whole operation;
        // nothing else does.
        OutcomeClass::ValidationFailure
        | OutcomeClass::PermissionDenied
        | OutcomeClass::PermanentFailure
            if in_doubt && !policy.is_deduped_downstream() =>
        {
            (Row::Doubt, find_out)
        }
        OutcomeClass::ValidationFailure
        | OutcomeClass::PermissionDenied
        | OutcomeClass::PermanentFailure => (Row::Final, NextStep::Stop),
        class @ OutcomeClass::RetryableFailure(_) => match retry {
            Some(step) if may_repeat(policy, in_doubt) && policy.retry.on.contains(class) => {
                (Row::Retry, step)
            }
            _ if in_doubt => (Row::Doubt, find_out),
            _ => (Row::NoRetry, NextStep::Stop),
        },
        OutcomeClass::SideEffectUnknown if policy.is_read() => match retry {
            Some(step) => (Row::UnknownRead, step),
            None => (Row::UnknownReadSpent, NextStep::Stop),
        },
        class @ OutcomeClass::SideEffectUnknown => match retry {
            Some(step) if policy.is_repeatable() && policy.retry.on.contains(class) => {
                (Row::UnknownRepeatable, step)
            }
            _ if policy.reconcile.is_some() => (Row::UnknownReconcilable, find_out),
            _ => (Row::Unknown, find_out),
        },
    };
    Decision { step, row }
}

/// Whether another attempt does no harm: after what may have happened, only if
/// somebody other than our ledger sees to that.
fn may_repeat(policy: &Policy, in_doubt: bool) -> bool {
    if in_doubt { policy.is_repeatable() } else { policy.is_idempotent() }
}

/// A retry, if attempts, budget and deadline leave room for one.
fn retry_step(policy: &Policy, outcome: Outcome, progress: Progress) -> Option<NextStep> {
    let retry = &policy.retry;
    let total = if policy.is_read() { 0 } else { progress.total };
    if progress.attempt >= retry.max || total >= retry.max_total {
        return None;
    }
    let (floor, ceiling) = delay(retry, progress.attempt, outcome.retry_after);
    let budget = retry.budget.map(|budget| budget.saturating_sub(progress.elapsed));
    let room = [budget, progress.remaining].into_iter().flatten().min().unwrap_or(Duration::MAX);
    (floor < room).then(|| NextStep::RetryAfter { floor, ceiling: ceiling.min(room) })
}

/// The delay after the attempt of this number: its floor and its ceiling.
///
/// Full jitter draws between nothing and the whole delay ("Exponential Backoff
/// And Jitter", AWS Architecture Blog, 2015). A delay that the other side asked
/// for comes first, the backoff after it.
#[must_use]
pub fn delay(retry: &Retry, attempt: u32, retry_after: Option<Duration>) -> (Duration, Duration) {
    let doublings = match retry.backoff {
        Backoff::Constant => 0,
        Backoff::Exponential => attempt.saturating_sub(1).min(31),
    };
    let whole = retry.base.saturating_mul(1 << doublings).min(retry.cap);
    let asked = retry_after.unwrap_or_default();
    let ceiling = asked.saturating_add(whole);
    match retry.jitter {
        Jitter::Full => (asked, ceiling),
        Jitter::None => (ceiling, ceiling),
    }
}

/// A write, deduped by the ledger, without retry or reconcile: for examples.
#[doc(hidden)]
#[must_use]
pub fn example_policy() -> Policy {
    use crate::policy::{DedupedBy, Idempotency, InFlight, Remint, Rollback, SideEffect, Ttl};
    Policy {
        side_effect: SideEffect::Write,
        idempotency: Idempotency::Keyed { by: DedupedBy::Ledger, template: None },
        retry: Retry::ONCE,
        timeout: Policy::DEFAULT_TIMEOUT,
        ttl: Ttl::DEFAULT,
        rollback: Rollback::None,
        reconcile: None,
        confirm: None,
        limits: std::borrow::Cow::Borrowed(&[]),
        breaker: None,
        in_flight: InFlight::Wait,
        remint: Remint::Warn,
    }
}

#[cfg(test)]
mod tests;
