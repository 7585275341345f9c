//! How a ledger in a file is opened.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::SqliteLedger;
use crate::clock::{Clock, SystemClock};
use crate::ledger::LedgerError;

/// How a [`SqliteLedger`] is opened, where the defaults do not do.
///
/// ```no_run
/// # extern crate tool_contract_runtime as tool_contract;
/// # use std::time::Duration;
/// use tool_contract::ledger::SqliteLedger;
/// # use tool_contract::ledger::LedgerError;
/// # async fn open() -> Result<SqliteLedger, LedgerError> {
/// SqliteLedger::options().busy_timeout(Duration::from_secs(2)).open("ledger.db").await
/// # }
/// ```
#[derive(Clone)]
#[must_use = "options do nothing until `open`"]
pub struct SqliteOptions {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) queue: usize,
    pub(super) busy_timeout: Duration,
    pub(super) most_bytes: Option<u64>,
    /// Whether only a ledger that is there already will do.
    pub(super) must_exist: bool,
    /// Whether a commit waits for the disk. Only a test may do without.
    pub(super) syncs: bool,
    #[cfg(test)]
    pub(super) faults: Arc<super::faults::Faults>,
}

impl SqliteOptions {
    /// How many requests may wait, where nothing else is said.
    pub const DEFAULT_QUEUE: usize = 4_096;
    /// How long another process is waited for, where nothing else is said.
    pub const DEFAULT_BUSY_TIMEOUT: Duration = Duration::from_secs(10);

    /// The defaults: the system's clock, a queue of 4,096, ten seconds for other
    /// processes, and a file as large as it gets.
    pub fn new() -> Self {
        Self {
            clock: Arc::new(SystemClock::new()),
            queue: Self::DEFAULT_QUEUE,
            busy_timeout: Self::DEFAULT_BUSY_TIMEOUT,
            most_bytes: None,
            must_exist: false,
            syncs: true,
            #[cfg(test)]
            faults: Arc::default(),
        }
    }

    /// Lives by `clock`. All processes that share a file must share a clock.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Lets so many requests wait, at least 1; more are answered with
    /// [`LedgerError::Overloaded`].
    pub fn queue(mut self, most: usize) -> Self {
        self.queue = most.max(1);
        self
    }

    /// Waits so long for another process that holds the file; then what waits is
    /// answered with [`LedgerError::Unavailable`].
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// Lets the file grow to so many bytes, its log not counted; what finds no
    /// room is answered with [`LedgerError::Full`], and nothing runs.
    pub fn most_bytes(mut self, bytes: u64) -> Self {
        self.most_bytes = Some(bytes);
        self
    }

    /// Opens only a ledger that is there already. Where there is none, nothing is
    /// made, neither at the path nor beside it: a mistyped path is not an empty
    /// ledger, in which every key may run again.
    pub fn must_exist(mut self) -> Self {
        self.must_exist = true;
        self
    }

    /// Does not wait for the disk, where only answers are compared.
    #[cfg(test)]
    pub(crate) fn without_syncing(mut self) -> Self {
        self.syncs = false;
        self
    }

    /// The faults of this ledger.
    #[cfg(test)]
    pub(super) fn faults(&self) -> Arc<super::faults::Faults> {
        Arc::clone(&self.faults)
    }

    /// Opens the ledger in the file at `path`, or makes one there, unless only an
    /// one that [is there](Self::must_exist) will do.
    ///
    /// # Errors
    /// If it cannot be opened, was not written by a ledger, or is damaged: which
    /// file it is, and what to do.
    pub async fn open(self, path: impl AsRef<Path>) -> Result<SqliteLedger, LedgerError> {
        SqliteLedger::open_with(self, path.as_ref()).await
    }
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SqliteOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteOptions")
            .field("queue", &self.queue)
            .field("busy_timeout", &self.busy_timeout)
            .field("most_bytes", &self.most_bytes)
            .field("must_exist", &self.must_exist)
            .finish_non_exhaustive()
    }
}
