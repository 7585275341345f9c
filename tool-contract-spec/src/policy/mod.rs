//! What a tool declares, with every default filled in.
//!
//! A [`Policy`] is only ever made by the [rulebook](crate::rulebook), or by
//! code that the macro generated after asking the rulebook; so whoever holds
//! one need not check it again.

mod limit;
mod retry;

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::limit::{Breaker, Limit, Period, Quota, Scope};
pub use self::retry::{Backoff, Jitter, Retry, RetryOn};
use crate::worded::worded;

/// Text that a contract carries: a literal in generated code, owned when read
/// from a file.
pub type Text = Cow<'static, str>;

worded! {
    /// What the action does to the world, mildest first.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum SideEffect {
        /// Nothing.
        Read => "read",
        /// It changes something.
        Write => "write",
        /// It changes something that cannot be brought back.
        Destructive => "destructive",
    }
}

worded! {
    /// Who makes a repetition harmless, weakest first.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum DedupedBy {
        /// Our ledger: the function runs once per key.
        Ledger => "ledger",
        /// The called API dedupes on the key that the body passes to it.
        Downstream => "downstream",
        /// Repeating has no further effect.
        Nature => "nature",
    }
}

/// Whether and how a repetition is harmless.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Idempotency {
    /// A read has nothing to repeat.
    Read,
    /// `idempotent = false`: every call is its own operation.
    Never,
    /// One effect per key.
    Keyed {
        /// Who sees to it.
        by: DedupedBy,
        /// The template that derives the key from the arguments; without one
        /// the caller gives the key.
        template: Option<Text>,
    },
}

/// How long a finished key replays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ttl {
    /// The window.
    pub window: Duration,
    /// Whether each replay starts the window again.
    pub sliding: bool,
}

impl Ttl {
    /// 24 hours, not sliding.
    pub const DEFAULT: Self = Self { window: Duration::from_hours(24), sliding: false };
}

/// The rollback boundary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rollback {
    /// A read has nothing to roll back.
    Read,
    /// Nothing undoes it.
    None,
    /// A person undoes it.
    ManualOnly,
    /// A compensation: the path of a function.
    Compensate(Text),
}

/// How an unknown outcome is found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconcile {
    /// The path of the function that looks.
    pub with: Text,
    /// How long an effect may take to become visible: before that, "it did
    /// not happen" is not believed.
    pub settle: Duration,
}

impl Reconcile {
    /// `settle` where none is given.
    pub const DEFAULT_SETTLE: Duration = Duration::from_secs(10);
}

/// Who confirms a destructive action, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirm {
    /// How long a request, and then its grant, is good for.
    pub ttl: Duration,
    /// How many different people must agree. At least 1.
    pub quorum: u32,
}

impl Confirm {
    /// `ttl` where none is given.
    pub const DEFAULT_TTL: Duration = Duration::from_mins(15);
}

worded! {
    /// What a second call is told while the first runs.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum InFlight {
        /// It waits for the first one's result.
        Wait => "wait",
        /// It is refused.
        Reject => "reject",
    }
}

worded! {
    /// What follows when the same operation comes under another key.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Remint {
        /// It runs, and the history says so.
        Warn => "warn",
        /// It is refused.
        Reject => "reject",
        /// It is answered with the first result.
        Replay => "replay",
    }
}

/// Where the key of an operation comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeySource {
    /// A read has none.
    None,
    /// Each call is an operation of its own, with a generated id.
    Generated,
    /// The caller gives it.
    Caller,
    /// It is derived from the arguments.
    Derived,
}

/// What a tool declares about its calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// What it does to the world.
    pub side_effect: SideEffect,
    /// Whether a repetition is harmless.
    pub idempotency: Idempotency,
    /// The retry matrix.
    pub retry: Retry,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// How long a finished key replays.
    pub ttl: Ttl,
    /// The rollback boundary.
    pub rollback: Rollback,
    /// How an unknown outcome is found out; without it, a person does.
    pub reconcile: Option<Reconcile>,
    /// Who confirms it. `Some` on every destructive tool, and only there.
    pub confirm: Option<Confirm>,
    /// Its limits, ordered by scope.
    pub limits: Cow<'static, [Limit]>,
    /// When its calls are refused because the other side is down.
    pub breaker: Option<Breaker>,
    /// What a second call is told while the first runs.
    pub in_flight: InFlight,
    /// What follows when the same operation comes under another key.
    pub remint: Remint,
}

impl Policy {
    /// `timeout` where none is given.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

    /// Whether the tool does nothing to the world.
    #[must_use]
    pub fn is_read(&self) -> bool {
        self.side_effect == SideEffect::Read
    }

    /// Whether repeating what may have happened is harmless: somebody other
    /// than our ledger sees to that.
    #[must_use]
    pub fn is_repeatable(&self) -> bool {
        matches!(
            self.idempotency,
            Idempotency::Keyed { by: DedupedBy::Downstream | DedupedBy::Nature, .. }
        )
    }

    /// Whether the called API dedupes on the key.
    #[must_use]
    pub fn is_deduped_downstream(&self) -> bool {
        matches!(self.idempotency, Idempotency::Keyed { by: DedupedBy::Downstream, .. })
    }

    /// Whether a call can be undone without a person, or leaves nothing behind.
    #[must_use]
    pub fn is_compensable(&self) -> bool {
        matches!(self.rollback, Rollback::Read | Rollback::Compensate(_))
    }

    /// Whether a call can be repeated until it succeeds.
    #[must_use]
    pub fn is_completable(&self) -> bool {
        let is_retried = self.is_idempotent() && self.retry.max > 1;
        self.is_read() || is_retried || self.is_repeatable()
    }

    /// Whether one key may be attempted more than once.
    #[must_use]
    pub fn is_idempotent(&self) -> bool {
        matches!(self.idempotency, Idempotency::Read | Idempotency::Keyed { .. })
    }

    /// Where the key comes from.
    #[must_use]
    pub fn key_source(&self) -> KeySource {
        match &self.idempotency {
            Idempotency::Read => KeySource::None,
            Idempotency::Never => KeySource::Generated,
            Idempotency::Keyed { template: None, .. } => KeySource::Caller,
            Idempotency::Keyed { template: Some(_), .. } => KeySource::Derived,
        }
    }

    /// The longest time in which a retry of this call can still arrive: that
    /// of its attempts, and the time that an approval may take. A ttl shorter
    /// than this is refused (TC0013), and a call in flight is waited for no
    /// longer than this.
    #[must_use]
    pub fn span(&self) -> Duration {
        let approval = self.confirm.map_or(Duration::ZERO, |confirm| confirm.ttl);
        self.retry.span(self.timeout).saturating_add(approval)
    }
}

/// What an argument is to the operation hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArgumentRole {
    /// It is part of the operation.
    Hashed,
    /// `#[arg(ignore)]`: it is left out.
    Ignored,
    /// `#[arg(secret)]`: it enters as an HMAC and is never stored in clear.
    Secret,
}

/// An argument of a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// Its name.
    pub name: Text,
    /// What it is to the operation hash.
    pub role: ArgumentRole,
}

/// A tool's whole contract, as code and file state it.
///
/// The JSON Schemas of arguments and output are not here: only a running
/// program knows them. See [`crate::document`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// The tool's name.
    pub name: Text,
    /// The Rust path of its function; empty where a file does not say.
    pub path: Text,
    /// What the model is told that it does: the doc comment.
    pub description: Text,
    /// The contract version; a part of the operation hash.
    pub version: u32,
    /// What it declares.
    pub policy: Policy,
    /// Its arguments in the order of the source; empty where a file does not
    /// say.
    pub arguments: Cow<'static, [Argument]>,
    /// Warnings and advice that are settled for this tool, by code.
    pub allow: Cow<'static, [Text]>,
}
