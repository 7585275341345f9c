//! Records that several write: read, compute, and write if unchanged.
//!
//! ```
//! # mod tool_contract { pub use tool_contract_runtime::{*, spec::outcome::Outcome}; }
//! use tool_contract::Cx;
//! use tool_contract::versioned::{Seen, UpdateError, Versioned, Write};
//! # use tool_contract::{Outcome, ToolError};
//! # #[derive(Debug)] struct ShopError;
//! # impl std::fmt::Display for ShopError {
//! #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("no") }
//! # }
//! # impl ToolError for ShopError {
//! #     fn outcome(&self) -> Outcome { tool_contract::spec::outcome::OutcomeClass::ValidationFailure.into() }
//! # }
//! # #[derive(Clone)] struct Shop;
//! # impl Shop {
//! #     async fn select(&self, _: &str) -> Result<(u32, u64, Option<String>), ShopError> { Ok((3, 1, None)) }
//! #     async fn execute(&self, _: &str, _: (u32, u64, &str)) -> Result<u64, ShopError> { Ok(1) }
//! # }
//!
//! /// How many of an article there are.
//! struct Stock<'a>(&'a Shop);
//!
//! impl Versioned for Stock<'_> {
//!     type State = u32;
//!     type Version = u64;
//!     type Error = ShopError;
//!
//!     async fn read(&self) -> Result<Seen<u32, u64>, ShopError> {
//!         let (state, version, by) = self.0.select("count, version, writer").await?;
//!         Ok(Seen { state, version, by })
//!     }
//!
//!     async fn write(&self, new: &u32, over: &u64, by: &str) -> Result<Write, ShopError> {
//!         let update = "SET count = $1, version = version + 1, writer = $3 WHERE version = $2";
//!         let rows = self.0.execute(update, (*new, *over, by)).await?;
//!         Ok(if rows == 1 { Write::Written } else { Write::Changed })
//!     }
//! }
//!
//! // The body of `#[tool(side_effect = "write", idempotent, ..)]`.
//! async fn take(cx: &Cx, count: u32) -> Result<u32, UpdateError<ShopError>> {
//!     let stock = Stock(cx.state::<Shop>());
//!     cx.update(&stock, 5, |left| left.checked_sub(count).ok_or(ShopError)).await
//! }
//! ```

use std::future::Future;
use std::time::Duration;

use tool_contract_spec::outcome::{Cause, Outcome, OutcomeClass};

use crate::cx::Cx;
use crate::tool::ToolError;
use crate::two_phase::{unless_refused, without_effect};

/// The longest pause after the first change by others; doubled with each.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// The longest pause of all.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A record that several write, each only over what it has read.
pub trait Versioned: Sync {
    /// What it says.
    type State: Send + Sync;
    /// What changes with each write.
    type Version: PartialEq + Send + Sync;
    /// How reading and writing fail.
    type Error: ToolError;

    /// Reads it.
    ///
    /// # Errors
    /// If it cannot be read.
    fn read(
        &self,
    ) -> impl Future<Output = Result<Seen<Self::State, Self::Version>, Self::Error>> + Send;

    /// Writes it, if its version is still `over`: in one atomic step on the other
    /// side. `by` is this operation's own mark, to be kept beside the record: by
    /// it a write whose answer was lost is known again.
    ///
    /// # Errors
    /// If it cannot be written, or that is not known. Only an answer of the other
    /// side is believed: a lost connection is no answer.
    fn write(
        &self,
        new: &Self::State,
        over: &Self::Version,
        by: &str,
    ) -> impl Future<Output = Result<Write, Self::Error>> + Send;
}

/// A record as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen<S, V> {
    /// What it says.
    pub state: S,
    /// Its version.
    pub version: V,
    /// The mark of who wrote it last; `None` if that is not kept, and then a lost
    /// answer stays unknown.
    pub by: Option<String>,
}

/// What came of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// It is written.
    Written,
    /// Somebody else has written since it was read; nothing is written.
    Changed,
}

/// Why a record was not updated, or may not have been.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateError<E> {
    /// It could not be read, computed or written; nothing is written.
    #[error("{error} (tried {})", times(*tries))]
    Failed {
        /// What went wrong.
        #[source]
        error: E,
        /// How often it was tried.
        tries: u32,
    },
    /// Others wrote it each time; nothing is written.
    #[error("others changed the record each time; tried {}", times(*tries))]
    Contended {
        /// How often it was tried.
        tries: u32,
    },
    /// The answer to a write was lost, and the record does not say whose it is.
    #[error("it may be written: {error} (tried {})", times(*tries))]
    Unknown {
        /// What went wrong.
        #[source]
        error: E,
        /// How often it was tried.
        tries: u32,
    },
}

fn times(tries: u32) -> String {
    if tries == 1 { "once".to_owned() } else { format!("{tries} times") }
}

impl<E: ToolError> ToolError for UpdateError<E> {
    fn outcome(&self) -> Outcome {
        match self {
            Self::Failed { error, .. } => {
                let outcome = error.outcome();
                Outcome { class: without_effect(outcome.class), ..outcome }
            }
            Self::Contended { .. } => OutcomeClass::RetryableFailure(Cause::LockTimeout).into(),
            Self::Unknown { .. } => OutcomeClass::SideEffectUnknown.into(),
        }
    }
}

impl Cx {
    /// Reads `record`, computes what it is to say, and writes that if nobody else
    /// has written in between; else begins again, at most `most` times in all (at
    /// least once), after a pause that others do not share, and for no longer than
    /// this attempt may take. Answers what is written.
    ///
    /// A write whose answer was lost is not repeated. The record is read once
    /// more: if another version stands there and bears this operation's mark, it
    /// was written; else that is not known.
    ///
    /// # Errors
    /// Each says how often it was tried, and has the outcome that follows.
    pub async fn update<R: Versioned>(
        &self,
        record: &R,
        most: u32,
        mut compute: impl FnMut(&R::State) -> Result<R::State, R::Error> + Send,
    ) -> Result<R::State, UpdateError<R::Error>> {
        let mut tries = 0;
        loop {
            tries += 1;
            let failed = |error| UpdateError::Failed { error, tries };
            let seen = record.read().await.map_err(failed)?;
            let new = compute(&seen.state).map_err(failed)?;
            match record.write(&new, &seen.version, self.idempotency_key()).await {
                Ok(Write::Written) => return Ok(new),
                Ok(Write::Changed) => {}
                Err(error) if is_unknown(&error) => {
                    let is_written = self.find_written(record, &seen.version).await;
                    return is_written.then_some(new).ok_or(UpdateError::Unknown { error, tries });
                }
                Err(error) => return Err(failed(error)),
            }
            let pause = pause_after(tries);
            if tries >= most || pause >= self.deadline() {
                return Err(UpdateError::Contended { tries });
            }
            self.runtime.clock().pause(pause).await;
        }
    }

    /// Whether the record says that this operation has written over that version.
    /// Its mark alone would not do: it may have written that version, too.
    async fn find_written<R: Versioned>(&self, record: &R, over: &R::Version) -> bool {
        let Ok(seen) = record.read().await else { return false };
        seen.version != *over && seen.by.as_deref() == Some(self.idempotency_key())
    }
}

fn is_unknown(error: &impl ToolError) -> bool {
    unless_refused(error.outcome().class) == OutcomeClass::SideEffectUnknown
}

/// A pause between nothing and the whole backoff.
fn pause_after(tries: u32) -> Duration {
    let whole = FIRST_PAUSE.saturating_mul(1 << tries.saturating_sub(1).min(16)).min(LONGEST_PAUSE);
    let micros = u64::try_from(whole.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(fastrand::u64(0..=micros))
}
