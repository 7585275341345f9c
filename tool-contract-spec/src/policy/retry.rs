//! What is tried again, how often, and after how long.

use std::time::Duration;

use crate::outcome::{Cause, OutcomeClass};
use crate::worded::worded;

/// What may be retried: a set of causes, and perhaps unknown outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct RetryOn(u8);

impl RetryOn {
    const UNKNOWN: u8 = 1 << 7;
    /// Nothing.
    pub const NOTHING: Self = Self(0);
    /// `retryable`: every cause.
    pub const RETRYABLE: Self = Self(0b1_1111);

    /// This set with `cause`.
    #[must_use]
    pub const fn with(self, cause: Cause) -> Self {
        Self(self.0 | (1 << cause as u8))
    }

    /// This set with `side_effect_unknown`.
    #[must_use]
    pub const fn with_unknown(self) -> Self {
        Self(self.0 | Self::UNKNOWN)
    }

    /// The union of two sets.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether an outcome of this class is in the set.
    #[must_use]
    pub const fn contains(self, class: OutcomeClass) -> bool {
        match class {
            OutcomeClass::RetryableFailure(cause) => self.0 & (1 << cause as u8) != 0,
            OutcomeClass::SideEffectUnknown => self.0 & Self::UNKNOWN != 0,
            _ => false,
        }
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The set as a number, for generated code; see [`RetryOn::from_bits`].
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The set of a number that [`RetryOn::bits`] gave; other bits are dropped.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & (Self::RETRYABLE.0 | Self::UNKNOWN))
    }

    /// The words of the set in their one order, as contracts write them:
    /// all causes together are `retryable_failure`.
    #[must_use]
    pub fn words(self) -> Vec<&'static str> {
        let mut words = Vec::new();
        if self.0 & Self::RETRYABLE.0 == Self::RETRYABLE.0 {
            words.push("retryable_failure");
        } else {
            let named = Cause::ALL
                .into_iter()
                .filter(|c| self.contains(OutcomeClass::RetryableFailure(*c)));
            words.extend(named.map(Cause::as_str));
        }
        if self.contains(OutcomeClass::SideEffectUnknown) {
            words.push(OutcomeClass::SideEffectUnknown.as_str());
        }
        words
    }
}

worded! {
    /// How the delay between attempts grows.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum Backoff {
        /// `base`, twice that, four times that …, up to `cap`.
        Exponential => "exponential",
        /// `base` each time.
        Constant => "constant",
    }
}

worded! {
    /// How the delay is spread, so that many callers do not come back together.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum Jitter {
        /// Anywhere between nothing and the whole delay.
        Full => "full",
        /// The whole delay.
        None => "none",
    }
}

/// The retry matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// Attempts of one call, the first included. At least 1.
    pub max: u32,
    /// Attempts under one key, over all calls and processes.
    pub max_total: u32,
    /// What is retried.
    pub on: RetryOn,
    /// How the delay grows.
    pub backoff: Backoff,
    /// The first delay.
    pub base: Duration,
    /// The longest delay.
    pub cap: Duration,
    /// How the delay is spread.
    pub jitter: Jitter,
    /// The wall-clock time that one call's attempts may take together.
    pub budget: Option<Duration>,
}

impl Retry {
    /// The most that `max` and `max_total`'s default may be.
    pub const MOST: u32 = 20;
    /// `max_total` where none is given, unless `max` is greater.
    pub const DEFAULT_TOTAL: u32 = 10;
    /// `base` where none is given.
    pub const DEFAULT_BASE: Duration = Duration::from_millis(200);
    /// `cap` where none is given.
    pub const DEFAULT_CAP: Duration = Duration::from_secs(10);

    /// One attempt and no more: what a tool has that does not say `retry`.
    pub const ONCE: Self = Self {
        max: 1,
        max_total: Self::DEFAULT_TOTAL,
        on: RetryOn::NOTHING,
        backoff: Backoff::Exponential,
        base: Self::DEFAULT_BASE,
        cap: Self::DEFAULT_CAP,
        jitter: Jitter::Full,
        budget: None,
    };

    /// The longest time that the attempts of one call may take: the budget,
    /// else attempts × (`timeout` + backoff cap).
    #[must_use]
    pub fn span(&self, timeout: Duration) -> Duration {
        self.budget.unwrap_or_else(|| timeout.saturating_add(self.cap).saturating_mul(self.max))
    }
}
