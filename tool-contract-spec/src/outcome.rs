//! What came of an attempt.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::worded::worded;

worded! {
    /// Why a repetition may help: nothing happened, and the reason may pass.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Cause {
        /// The other side asked for fewer requests (HTTP 429).
        RateLimited => "rate_limited",
        /// The other side is down or overloaded (HTTP 503), or a read timed out.
        Unavailable => "unavailable",
        /// A lock or an optimistic version check was lost.
        LockTimeout => "lock_timeout",
        /// The request did not leave this machine, or was refused before it was read.
        Network => "network",
        /// Anything else that left no effect and may pass.
        Other => "other",
    }
}

/// The class of an attempt's outcome.
///
/// All but [`Success`](Self::Success) and
/// [`SideEffectUnknown`](Self::SideEffectUnknown) state that **nothing
/// happened**. Say `SideEffectUnknown` whenever that cannot be sworn to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OutcomeClass {
    /// It happened, once.
    Success,
    /// The request was wrong; nothing happened.
    ValidationFailure,
    /// The caller may not do this; nothing happened.
    PermissionDenied,
    /// Nothing happened, and a repetition may help.
    RetryableFailure(Cause),
    /// Nothing happened, and a repetition cannot help.
    PermanentFailure,
    /// It may have happened.
    SideEffectUnknown,
}

impl OutcomeClass {
    /// Every class, each retryable cause for itself.
    pub const ALL: [Self; 10] = [
        Self::Success,
        Self::ValidationFailure,
        Self::PermissionDenied,
        Self::RetryableFailure(Cause::RateLimited),
        Self::RetryableFailure(Cause::Unavailable),
        Self::RetryableFailure(Cause::LockTimeout),
        Self::RetryableFailure(Cause::Network),
        Self::RetryableFailure(Cause::Other),
        Self::PermanentFailure,
        Self::SideEffectUnknown,
    ];

    /// Whether nothing happened, and a repetition cannot help.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::ValidationFailure | Self::PermissionDenied | Self::PermanentFailure)
    }

    /// The word for this class, without its cause.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::ValidationFailure => "validation_failure",
            Self::PermissionDenied => "permission_denied",
            Self::RetryableFailure(_) => "retryable_failure",
            Self::PermanentFailure => "permanent_failure",
            Self::SideEffectUnknown => "side_effect_unknown",
        }
    }
}

impl fmt::Display for OutcomeClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RetryableFailure(cause) => write!(f, "retryable_failure({})", cause.as_str()),
            class => f.write_str(class.as_str()),
        }
    }
}

/// A word that names no outcome class and no cause.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no outcome class")]
pub struct UnknownClass(pub String);

impl FromStr for OutcomeClass {
    type Err = UnknownClass;

    /// Reads `retryable_failure(network)` as well as `network`, and both
    /// `retryable` and `retryable_failure` as the cause `other`.
    fn from_str(word: &str) -> Result<Self, UnknownClass> {
        let inner = word.strip_prefix("retryable_failure(").and_then(|rest| rest.strip_suffix(')'));
        if let Some(cause) =
            Cause::ALL.into_iter().find(|cause| cause.as_str() == inner.unwrap_or(word))
        {
            return Ok(Self::RetryableFailure(cause));
        }
        if matches!(word, "retryable" | "retryable_failure") {
            return Ok(Self::RetryableFailure(Cause::Other));
        }
        Self::ALL
            .into_iter()
            .find(|class| class.as_str() == word)
            .ok_or_else(|| UnknownClass(word.to_owned()))
    }
}

impl Serialize for OutcomeClass {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for OutcomeClass {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        word.parse().map_err(serde::de::Error::custom)
    }
}

/// An outcome: its class, and the delay that the other side asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// The class.
    pub class: OutcomeClass,
    /// How long the other side asked to be left alone. It delays a retry that
    /// the policy allows; it never allows one.
    pub retry_after: Option<Duration>,
}

impl Outcome {
    /// The delay of an outcome that no other attempt can change.
    pub const NEVER: Duration = Duration::MAX;

    /// An outcome without a wish of the other side.
    #[must_use]
    pub const fn new(class: OutcomeClass) -> Self {
        Self { class, retry_after: None }
    }

    /// The same outcome with the delay that the other side asked for.
    #[must_use]
    pub const fn with_retry_after(self, delay: Option<Duration>) -> Self {
        Self { class: self.class, retry_after: delay }
    }
}

impl From<OutcomeClass> for Outcome {
    fn from(class: OutcomeClass) -> Self {
        Self::new(class)
    }
}
