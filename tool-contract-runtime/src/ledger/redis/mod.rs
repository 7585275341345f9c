//! A ledger in Redis, which many machines share.
//!
//! The steps are those of every [shared](super::shared) ledger; Redis is the
//! [store](store) of its records, and each [script](scripts) one atomic step of
//! it. [`tools`] finds out that data were lost, [`durability`] judges how the
//! server is set up.

mod answer;
mod arguments;
mod bells;
mod call;
mod durability;
mod fault;
mod head;
mod keys;
mod line;
mod listing;
mod options;
mod scripts;
mod settings;
mod store;
#[cfg(test)]
mod tests;
mod tools;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tool_contract_spec::key::OperationId;

use self::bells::Bells;
pub use self::durability::Durability;
use self::keys::Keys;
use self::line::Line;
pub use self::options::RedisOptions;
use self::scripts::Scripts;
use self::settings::Settings;
use self::store::RedisStore;
use self::tools::Tools;
use super::shared::{SharedLedger, is_shared};
use super::{
    Admission, Admitted, Answer, BoxFuture, Decided, Decision, Draw, Event, Fence, Finding, Ledger,
    LedgerError, Limited, Note, Query, ReconcileClaim, ReconcileRequest, Reconciled, Record,
    Renewed, Resolution, Settled, Settlement,
};
use crate::clock::{Clock, SystemClock};

/// A ledger in Redis, which many machines share. Redis 6.2 or later, or Valkey.
///
/// # What it promises
///
/// Each step is one script, and so atomic. An admission, a replay and a
/// settlement take one round trip each. Time is the server's.
///
/// How long an answer lasts is up to the server, which is asked when the ledger
/// is opened; [`durability`](Self::durability) says the result in words:
///
/// | the server | what it loses | what that means |
/// |---|---|---|
/// | `appendonly yes`, `appendfsync always`, `maxmemory-policy noeviction` | nothing in a crash or a loss of power | each call runs once |
/// | `appendfsync everysec` or `no`, `appendonly no` | the newest answers | a call whose claim is lost may run twice |
/// | an `allkeys-` policy with a `maxmemory` | any operation | a call of any age may run twice |
/// | replicas, and a failover | what the new master did not know yet | a call whose claim is lost may run twice |
///
/// The first is taken. The second and the third are refused, unless
/// [`allow_weak_persistence`](RedisOptions::allow_weak_persistence) or
/// [`allow_eviction`](RedisOptions::allow_eviction) say otherwise. The last no
/// setting prevents: Redis answers before its replicas know. Where a second
/// effect cannot be borne, use no automatic failover, give the tool
/// `by = "downstream"`, or use the ledger in PostgreSQL. Later changes of the
/// server's settings are not noticed.
///
/// # What was lost is found out
///
/// A process remembers the data that it has seen. Where they are gone, because the
/// server was flushed, has evicted, or a replica without them took over, the
/// ledger answers [`LedgerError::Lost`] and nothing runs, in place of taking
/// every key for a new one. So it does where the newest steps are missing that
/// this process knows of, until the ledger is opened anew. Two losses it cannot
/// see: of everything at once, by a process that was started afterwards (for that
/// there is [`must_exist`](RedisOptions::must_exist)), and of steps that only
/// others knew of.
///
/// To go on without what is lost, once you know what ran: where all of a tool is
/// gone, delete its field in the hash `{<prefix>}:tools`; where one operation is
/// gone, delete its name in the sorted set `{<prefix>:<tool>}:names`; in any
/// other case, only open the ledger anew.
///
/// # Limits
///
/// It forgets nothing, and no key expires: a finished operation takes about 2.3
/// kB of memory, its arguments and its result not counted, and
/// [`prune`](Ledger::prune) frees none of it. Listing what runs or is unknown walks
/// all operations, 250 at a time. It has at most eight connections, each of which
/// comes back by itself. TLS (`rediss://`) works where the application depends on
/// the crate `redis` with one of its TLS features.
///
/// # What it does not do
///
/// It does not wait for replicas. `WAITAOF` (Redis 7.2) could, so that a failover to
/// one of them loses nothing; it would take a round trip more after each step that
/// writes, for no script may wait; a connection for each caller that waits, since
/// it holds up all that come after it; its counts to be checked, with an admission
/// that too few replicas have ending as [`LedgerError::Unavailable`], and running
/// nothing; and a failover that never picks any other replica, which Redis does not
/// promise.
///
/// It does not speak to a cluster. All keys of a tool are in one hash slot, and those
/// of the ledger as a whole in another, so that each script already has a slot of
/// its own, but for draws from limits of several tools, which would have to be
/// refused. It would take a client that follows slots as they move; `SPUBLISH` for
/// those who wait; and settings that are read, and incarnations that are watched,
/// on every node.
///
/// ```no_run
/// # use tool_contract_runtime::ledger::{LedgerError, RedisLedger};
/// # async fn open() -> Result<(), LedgerError> {
/// let ledger = RedisLedger::connect("redis://ledger.internal/0").await?;
/// println!("{}", ledger.durability());
/// # Ok(())
/// # }
/// ```
pub struct RedisLedger {
    shared: SharedLedger<RedisStore>,
    durability: Durability,
}

impl RedisLedger {
    /// Connects to the server at `url`: `redis://user:password@host:port/database`.
    ///
    /// # Errors
    /// If it cannot be reached, or may lose what it answers: what is wrong, and
    /// what to set. The password is never in it.
    pub async fn connect(url: &str) -> Result<Self, LedgerError> {
        Self::options().connect(url).await
    }

    /// For what [`connect`](Self::connect) leaves to the defaults.
    pub fn options() -> RedisOptions {
        RedisOptions::new()
    }

    /// What it promises, as the server was set up when it was opened.
    #[must_use]
    pub const fn durability(&self) -> &Durability {
        &self.durability
    }

    async fn connect_with(options: RedisOptions, url: &str) -> Result<Self, LedgerError> {
        let (store, durability) = open(&options, url).await?;
        if !durability.is_strict() {
            let place = store.line.place();
            tracing::warn!(target: "tool_contract", %durability, place, "a ledger that may forget");
        }
        let clock = Arc::clone(&store.clock);
        Ok(Self { shared: SharedLedger::new(store, clock), durability })
    }
}

async fn open(options: &RedisOptions, url: &str) -> Result<(RedisStore, Durability), LedgerError> {
    let keys = Keys::new(&options.prefix)?;
    let bells = Arc::<Bells>::default();
    let line = Line::connect(url, options, &bells).await?;
    let settings = Settings::read(&line).await?;
    let durability = Durability::judge(line.place(), &settings, options.allowed)?;
    Ok((begin(options, keys, line, bells).await?, durability))
}

async fn begin(
    options: &RedisOptions,
    keys: Keys,
    line: Line,
    bells: Arc<Bells>,
) -> Result<RedisStore, LedgerError> {
    let (clock, scripts) = time(options);
    line.load(&scripts).await?;
    let tools = Tools::open(&line, &scripts, &keys, options.must_exist).await?;
    Ok(RedisStore { line, keys, scripts, tools, bells, clock })
}

fn time(options: &RedisOptions) -> (Arc<dyn Clock>, Scripts) {
    #[cfg(test)]
    if let Some(clock) = &options.told {
        return (Arc::clone(clock), Scripts::told());
    }
    let _ = options;
    (Arc::new(SystemClock::new()), Scripts::new())
}

is_shared!(RedisLedger, shared);

impl fmt::Debug for RedisLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.fmt(f)
    }
}
