//! How a ledger in Redis is opened.

use std::fmt;
#[cfg(test)]
use std::sync::Arc;
use std::time::Duration;

use super::RedisLedger;
use super::durability::Allowed;
#[cfg(test)]
use crate::clock::Clock;
use crate::ledger::LedgerError;

/// How a [`RedisLedger`] is opened, where the defaults do not do.
///
/// ```no_run
/// # use tool_contract_runtime::ledger::{LedgerError, RedisLedger};
/// # async fn open() -> Result<RedisLedger, LedgerError> {
/// RedisLedger::options().prefix("shop").must_exist().connect("redis://ledger.internal/0").await
/// # }
/// ```
#[derive(Clone)]
#[must_use = "options do nothing until `connect`"]
pub struct RedisOptions {
    pub(super) prefix: String,
    pub(super) must_exist: bool,
    pub(super) allowed: Allowed,
    pub(super) connection_timeout: Duration,
    pub(super) response_timeout: Duration,
    /// Tells the time in place of the server, and the callers.
    #[cfg(test)]
    pub(super) told: Option<Arc<dyn Clock>>,
}

impl RedisOptions {
    /// What all keys begin with, where nothing else is said.
    pub const DEFAULT_PREFIX: &str = "tool-contract";
    /// How long a connection may take, where nothing else is said.
    pub const DEFAULT_CONNECTION_TIMEOUT: Duration = Duration::from_secs(2);
    /// How long an answer may take, where nothing else is said.
    pub const DEFAULT_RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);

    /// The defaults: the prefix `tool-contract`, two seconds to connect, five to
    /// answer, and a server that loses nothing when it crashes.
    pub fn new() -> Self {
        Self {
            prefix: Self::DEFAULT_PREFIX.to_owned(),
            must_exist: false,
            allowed: Allowed::default(),
            connection_timeout: Self::DEFAULT_CONNECTION_TIMEOUT,
            response_timeout: Self::DEFAULT_RESPONSE_TIMEOUT,
            #[cfg(test)]
            told: None,
        }
    }

    /// Begins all keys with `prefix`: 1 to 64 characters of visible ASCII other
    /// than `{`, `}` and `%`. Ledgers with different prefixes share nothing.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Opens only a ledger that is there, and begins none. In production this
    /// tells a server that has lost everything from a new one.
    pub fn must_exist(mut self) -> Self {
        self.must_exist = true;
        self
    }

    /// Takes a server that evicts keys when its memory is full.
    ///
    /// What is lost: any operation, at any time. The ledger finds most such losses
    /// out and then refuses to run anything of that kind, but not all: an
    /// evicted limit is not missed.
    pub fn allow_eviction(mut self) -> Self {
        self.allowed.eviction = true;
        self
    }

    /// Takes a server that answers before its disk has the answer: `appendonly
    /// no`, or an `appendfsync` other than `always`.
    ///
    /// What is lost: the newest claims and results, when the server crashes or
    /// loses power; a second of them with `everysec`, all since the last
    /// snapshot without an append-only file. Each lost claim may run twice.
    pub fn allow_weak_persistence(mut self) -> Self {
        self.allowed.weak_persistence = true;
        self
    }

    /// Takes a server that does not say when it syncs, as managed ones that
    /// forbid CONFIG. It is for the caller to find out that it is `always`;
    /// where it is not, what is lost is what
    /// [`allow_weak_persistence`](Self::allow_weak_persistence) says.
    pub fn allow_unchecked_persistence(mut self) -> Self {
        self.allowed.unchecked_persistence = true;
        self
    }

    /// Waits so long for a connection.
    pub fn connection_timeout(mut self, timeout: Duration) -> Self {
        self.connection_timeout = timeout;
        self
    }

    /// Waits so long for an answer. What was asked may have been done all the
    /// same; an admission without an answer runs nothing.
    pub fn response_timeout(mut self, timeout: Duration) -> Self {
        self.response_timeout = timeout;
        self
    }

    /// Tells the server the time.
    #[cfg(test)]
    pub(super) fn told(mut self, clock: Arc<dyn Clock>) -> Self {
        self.told = Some(clock);
        self
    }

    /// Connects to the server at `url`: `redis://user:password@host:port/database`.
    ///
    /// # Errors
    /// If it cannot be reached, or is not set up as these options want it: what
    /// is wrong, and what to set. The password is never in it.
    pub async fn connect(self, url: &str) -> Result<RedisLedger, LedgerError> {
        RedisLedger::connect_with(self, url).await
    }
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions")
            .field("prefix", &self.prefix)
            .field("must_exist", &self.must_exist)
            .field("allowed", &self.allowed)
            .field("connection_timeout", &self.connection_timeout)
            .field("response_timeout", &self.response_timeout)
            .finish_non_exhaustive()
    }
}
