//! A ledger in PostgreSQL, which many machines share.
//!
//! The rules stay on this side, in the [shared](super::shared) ledger; the
//! [schema] has one function that compares and exchanges. What waits is sent
//! [together](batch), and who waits for an operation is [told](listener) when it
//! comes to rest.

mod batch;
mod fault;
mod link;
mod listener;
mod options;
mod request;
mod schema;
mod store;
mod target;
#[cfg(test)]
mod tests;
#[cfg_attr(not(feature = "postgres-tls"), path = "no_tls.rs")]
mod tls;
mod wire;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tool_contract_spec::key::OperationId;

pub use self::options::PostgresOptions;
use self::store::PostgresStore;
use super::shared::{SharedLedger, is_shared};
use super::{
    Admission, Admitted, Answer, BoxFuture, Decided, Decision, Draw, Event, Fence, Finding, Ledger,
    LedgerError, Limited, Note, Query, ReconcileClaim, ReconcileRequest, Reconciled, Record,
    Renewed, Resolution, Settled, Settlement,
};

/// A ledger in PostgreSQL: for processes on many machines.
///
/// It has a schema of its own, which it makes when it first connects, and which
/// people may query: tables `operations`, `events` and `cells`. An admission, a
/// replay and a settlement take one round trip each, and what many callers ask
/// at once shares round trips. A pooler such as `PgBouncer` may stand between, in
/// transaction mode too: all that it keeps in its sessions is one prepared statement,
/// and once a pooler has mixed these up it goes on without.
///
/// ```no_run
/// # use tool_contract_runtime::ledger::{LedgerError, PostgresLedger};
/// # async fn open() -> Result<PostgresLedger, LedgerError> {
/// PostgresLedger::connect("postgres://ada@db.example/shop?sslmode=verify-full").await
/// # }
/// ```
///
/// # What it promises, and what not
///
/// * **What was answered survives a crash** of this process and of the server:
///   each step waits for the server's disk, even where `synchronous_commit` is
///   off by default. A server with `fsync = off`, or a disk that lies, breaks it.
/// * **A failover loses what the standby had not yet received**, unless
///   replication is synchronous (`synchronous_standby_names`); an admission that
///   is lost may be a second effect. A backup that is played back loses likewise.
/// * **Time is the server's clock.** It must not jump: set forward, it ends leases
///   of calls that still run, which then are unknown; their effects are not
///   repeated, but a look that finds nothing may be believed too early. Set back,
///   every span takes longer.
/// * **A lost connection** answers what was in flight with
///   [`LedgerError::Unavailable`]: it was carried out or not, and no tool runs on
///   that. What was not sent waits for a new connection, within its
///   [patience](PostgresOptions::patience).
/// * **Waiting** for an operation uses `LISTEN`, on one more connection. Through a
///   pooler in transaction mode nothing can be heard; then it looks again after
///   20 ms, and less and less often, down to every 250 ms.
/// * It forgets nothing: a finished operation takes its arguments, its result and
///   about two kilobytes, and its key is remembered for good. [`prune`](Ledger::prune)
///   moves the histories of expired keys to the table `archived_events`.
/// * **A schema that is dropped under a running program is made anew, empty,** by the
///   next process that connects; all is forgotten then, and keys that were used run
///   again. Put it back, or stop whoever calls, before anything connects.
///
/// Its transactions are READ COMMITTED; at any other level it refuses to work.
///
/// It must be connected within a tokio runtime, and lives as long as that.
pub struct PostgresLedger(SharedLedger<PostgresStore>);

impl PostgresLedger {
    /// Connects to the database that `url` names, and makes the schema
    /// `tool_contract` there or brings it up to date.
    ///
    /// The URL is as for `psql`: `postgres://user:password@host:port/database`.
    /// With `?sslmode=require` or `verify-full` (and the feature `postgres-tls`)
    /// the connection is encrypted, and in both cases the server's certificate
    /// and name are checked; without, it is not encrypted. `&sslrootcert=` names
    /// a file of certificates to trust instead of those that this machine does.
    ///
    /// # Errors
    /// If it cannot be reached, or may not be used, or holds what another version
    /// made: which database it is, and what to do.
    pub async fn connect(url: &str) -> Result<Self, LedgerError> {
        Self::options().connect(url).await
    }

    /// For what [`connect`](Self::connect) leaves to the defaults.
    pub fn options() -> PostgresOptions {
        PostgresOptions::new()
    }

    async fn connect_with(options: PostgresOptions, url: &str) -> Result<Self, LedgerError> {
        let clock = Arc::clone(&options.clock);
        let store = PostgresStore::connect(options, url).await?;
        Ok(Self(SharedLedger::new(store, clock)))
    }
}

is_shared!(PostgresLedger, 0);

impl fmt::Debug for PostgresLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
