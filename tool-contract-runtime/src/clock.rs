//! Time, so that tests can hold it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tool_contract_spec::ledger::Timestamp;

use crate::tool::BoxFuture;

/// The time that a runtime and the ledgers in its process live by.
pub trait Clock: Send + Sync + 'static {
    /// The wall clock, which a ledger shares with other processes.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment; it never steps back.
    fn elapsed(&self) -> Duration;

    /// Waits while nothing else is to be done: a backoff, a poll.
    fn pause(&self, span: Duration) -> BoxFuture<'static, ()>;

    /// Waits beside something that runs: a timeout, a renewal.
    fn alarm(&self, span: Duration) -> BoxFuture<'static, ()>;
}

/// The system's clock and tokio's timer.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    start: std::time::Instant,
}

impl SystemClock {
    /// A clock that counts from now.
    #[must_use]
    pub fn new() -> Self {
        Self { start: std::time::Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    fn pause(&self, span: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(span))
    }

    fn alarm(&self, span: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(span))
    }
}
