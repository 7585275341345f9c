//! How a ledger in PostgreSQL is opened.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::PostgresLedger;
use crate::clock::{Clock, SystemClock};
use crate::ledger::LedgerError;

/// How a [`PostgresLedger`] is opened, where the defaults do not do.
///
/// ```no_run
/// # use std::time::Duration;
/// # use tool_contract_runtime::ledger::{LedgerError, PostgresLedger};
/// # async fn open() -> Result<PostgresLedger, LedgerError> {
/// PostgresLedger::options()
///     .schema("payments_ledger")
///     .pool(8)
///     .request_timeout(Duration::from_secs(3))
///     .connect("postgres://ada@db.example/shop?sslmode=verify-full")
///     .await
/// # }
/// ```
#[derive(Clone)]
#[must_use = "options do nothing until `connect`"]
pub struct PostgresOptions {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) schema: String,
    pub(super) must_exist: bool,
    pub(super) pool: usize,
    pub(super) queue: usize,
    pub(super) batch: usize,
    pub(super) connect_timeout: Duration,
    pub(super) request_timeout: Duration,
    pub(super) patience: Duration,
}

impl PostgresOptions {
    /// The schema, where nothing else is said.
    pub const DEFAULT_SCHEMA: &'static str = "tool_contract";
    /// How many connections, where nothing else is said.
    pub const DEFAULT_POOL: usize = 16;
    /// How many requests may wait, where nothing else is said.
    pub const DEFAULT_QUEUE: usize = 4_096;
    /// How many requests share a round trip, where nothing else is said.
    pub const DEFAULT_BATCH: usize = 64;
    /// How long a connection may take to be made, where nothing else is said.
    pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
    /// How long an answer may take, where nothing else is said.
    pub const DEFAULT_REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
    /// How long a request waits for a connection or for its place in the queue,
    /// where nothing else is said.
    pub const DEFAULT_PATIENCE: Duration = Duration::from_secs(5);

    /// The defaults.
    pub fn new() -> Self {
        Self {
            clock: Arc::new(SystemClock::new()),
            schema: Self::DEFAULT_SCHEMA.to_owned(),
            must_exist: false,
            pool: Self::DEFAULT_POOL,
            queue: Self::DEFAULT_QUEUE,
            batch: Self::DEFAULT_BATCH,
            connect_timeout: Self::DEFAULT_CONNECT_TIMEOUT,
            request_timeout: Self::DEFAULT_REQUEST_TIMEOUT,
            patience: Self::DEFAULT_PATIENCE,
        }
    }

    /// Keeps the tables in the schema `name`: 1 to 63 lower-case letters, digits
    /// and underscores, the first no digit. Each schema is a ledger of its own.
    pub fn schema(mut self, name: impl Into<String>) -> Self {
        self.schema = name.into();
        self
    }

    /// Opens only a ledger that is there, and makes none: a mistyped database or
    /// schema is not an empty ledger, in which every key may run again.
    pub fn must_exist(mut self) -> Self {
        self.must_exist = true;
        self
    }

    /// Uses at most so many connections, at least 1, and one more to listen once
    /// somebody waits. Each carries one round trip at a time, so fewer mean larger
    /// batches.
    pub fn pool(mut self, most: usize) -> Self {
        self.pool = most.max(1);
        self
    }

    /// Lets so many requests wait, at least 1; one that finds no place within the
    /// [patience](Self::patience) is answered with [`LedgerError::Overloaded`].
    pub fn queue(mut self, most: usize) -> Self {
        self.queue = most.max(1);
        self
    }

    /// Puts so many requests into one round trip, 1 to 512. Each takes a lock of
    /// the server for each intent and limit: see its `max_locks_per_transaction`.
    pub fn batch(mut self, most: usize) -> Self {
        self.batch = most.clamp(1, 512);
        self
    }

    /// Gives a connection so long to be made.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Gives a round trip so long; then what it asked is answered with
    /// [`LedgerError::Unavailable`], and may or may not be carried out. Half as
    /// long the server waits for another transaction's lock.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }

    /// Lets a request that was not sent wait so long for a connection, or for its
    /// place in the queue.
    pub fn patience(mut self, span: Duration) -> Self {
        self.patience = span;
        self
    }

    /// Counts waits by `clock`. What time it is the server says.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Connects to the database that `url` names, and makes the schema there
    /// or brings it up to date.
    ///
    /// # Errors
    /// If it cannot be reached, or may not be used, or holds what another version
    /// made: which database it is, and what to do.
    pub async fn connect(self, url: &str) -> Result<PostgresLedger, LedgerError> {
        PostgresLedger::connect_with(self, url).await
    }
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions")
            .field("schema", &self.schema)
            .field("pool", &self.pool)
            .field("queue", &self.queue)
            .field("batch", &self.batch)
            .field("connect_timeout", &self.connect_timeout)
            .field("request_timeout", &self.request_timeout)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}
