//! What a call binds besides its arguments.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::canonical::{self, CanonicalError};

/// What a call binds besides its arguments: who the agent is, which window of
/// time is meant, which versions the plan was made for.
///
/// Calls whose fingerprints differ are different intents: under one key they
/// conflict, under two keys neither is a re-minted other. It is part of the
/// operation hash in its [canonical](crate::canonical) form, and stands in the
/// operation's history **in clear**.
///
/// ```
/// # use tool_contract_spec as spec;
/// use spec::operation::Fingerprint;
///
/// let fingerprint = Fingerprint::of(&serde_json::json!({"prices": 7, "agent": "a-1"}))?;
/// assert_eq!(fingerprint.as_str(), r#"{"agent":"a-1","prices":7}"#);
/// # Ok::<(), spec::operation::FingerprintError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint(Arc<str>);

/// Why something is no fingerprint.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FingerprintError {
    /// It has no canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// It is longer than [`Fingerprint::MAX_LEN`].
    #[error("it takes {0} bytes in canonical form, and {max} are the most: bind a version or a hash of it", max = Fingerprint::MAX_LEN)]
    TooLong(usize),
}

impl Fingerprint {
    /// The most bytes that its canonical form may take.
    pub const MAX_LEN: usize = 4_096;

    /// The fingerprint of `context`.
    pub fn of(context: &(impl Serialize + ?Sized)) -> Result<Self, FingerprintError> {
        let mut text = String::new();
        canonical::write(context, &mut text)?;
        if text.len() > Self::MAX_LEN {
            return Err(FingerprintError::TooLong(text.len()));
        }
        Ok(Self(text.into()))
    }

    /// What a step of a saga binds: the saga, its place in it, and what the caller
    /// gave. So two equal steps are two intents. It may be longer than
    /// [`MAX_LEN`](Self::MAX_LEN) by what it adds.
    pub(crate) fn of_step(saga: &str, step: u32, given: Option<&Self>) -> Self {
        let given = given.map_or("null", Self::as_str);
        let mut text = format!(r#"{{"given":{given},"saga":"#);
        canonical::push_string(&mut text, saga);
        Self(format!(r#"{text},"step":{step}}}"#).into())
    }

    /// The fingerprint with this canonical form, as a history has it.
    ///
    /// # Errors
    /// If it is the canonical form of nothing that a caller may bind.
    pub fn parse(canonical: &str) -> Result<Self, FingerprintError> {
        let value: Option<serde_json::Value> = serde_json::from_str(canonical).ok();
        Self::of(&value)
    }

    /// Its canonical form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
