//! The line to the server: a few connections that all callers share, each made
//! anew when it breaks.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ::redis::aio::{ConnectionManager, ConnectionManagerConfig};
use ::redis::{
    Client, Cmd, ErrorKind, FromRedisValue, IntoConnectionInfo, ProtocolVersion, PushInfo,
    RedisError, ServerErrorKind, Value,
};

use super::answer::Parts;
use super::bells::Bells;
use super::call::ScriptCall;
use super::fault::explain;
use super::options::RedisOptions;
use super::scripts::Scripts;
#[cfg(test)]
use crate::clock::Clock;
use crate::ledger::LedgerError;

/// How often a connection is tried for before those who wait are told.
const RETRIES: usize = 2;
const FIRST_RETRY: Duration = Duration::from_millis(50);
const LONGEST_RETRY: Duration = Duration::from_millis(500);

/// How many requests may wait for a connection to take them.
const BUFFER: usize = 1_024;

/// How many connections there are at most. The server syncs once for all that it
/// has read, and it reads no more than 16 kB of a connection at a time.
pub(super) const CONNECTIONS: usize = 8;

/// How many requests are about as much as the server reads of a connection at a
/// time. Fewer share one connection, and so its system calls.
const READ_AT_ONCE: usize = 8;

/// The line to the server.
///
/// It speaks RESP3, so that what callers wait for comes on the same connection
/// as the answers, and a connection that broke is noticed at once.
#[derive(Clone)]
pub(super) struct Line {
    /// The first, which is told of what callers wait for; the others are made when
    /// they are needed.
    connections: Arc<[Connection]>,
    /// Host, port and database: what may be said of the address.
    place: Arc<str>,
    /// Tells the scripts the time in place of the server.
    #[cfg(test)]
    pub(super) told: Option<Arc<dyn Clock>>,
}

impl Line {
    /// Connects to the server at `url`.
    pub(super) async fn connect(
        url: &str,
        options: &RedisOptions,
        bells: &Arc<Bells>,
    ) -> Result<Self, LedgerError> {
        // What is wrong with an address is said without it: it may hold a password.
        let no_address = |error: &RedisError| {
            LedgerError::Unavailable(format!(
                "the address of Redis cannot be used: {} (it is not shown, for it may hold a password); \
                 write `redis://user:password@host:port/database`",
                error.category()
            ))
        };
        let info = url.into_connection_info().map_err(|error| no_address(&error))?;
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let place: Arc<str> = format!("{}/{}", info.addr(), settings.db()).into();
        if !info.addr().is_supported() {
            return Err(LedgerError::Unavailable(format!(
                "Redis at {place}: the address wants TLS; have the application depend on `redis` with a feature \
                 for it, such as `tokio-rustls-comp`"
            )));
        }
        let client =
            Client::open(info.set_redis_settings(settings)).map_err(|error| no_address(&error))?;
        let connected = connect(&client, options, bells).await;
        let connections = connected.map_err(|error| explain(&place, &error))?;
        Ok(Self {
            connections,
            place,
            #[cfg(test)]
            told: options.told.clone(),
        })
    }

    /// Host, port and database.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Runs a script, which is sent again where the server has forgotten it.
    pub(super) async fn run(&self, call: ScriptCall<'_>) -> Result<Parts, LedgerError> {
        #[cfg(test)]
        let call = match &self.told {
            Some(clock) => call.arg(clock.now().0),
            None => call,
        };
        let taken = self.take();
        let mut manager = taken.0.manager.clone();
        let mut answer: Result<Value, _> = call.command.query_async(&mut manager).await;
        if let Err(error) = &answer
            && matches!(error.kind(), ErrorKind::Server(ServerErrorKind::NoScript))
        {
            answer = match call.script.load_async(&mut manager).await {
                Ok(_) => call.command.query_async(&mut manager).await,
                Err(error) => Err(error),
            };
        }
        Parts::of(answer.map_err(|error| explain(&self.place, &error))?)
    }

    /// Sends the scripts ahead, so that the first callers need not all do so.
    pub(super) async fn load(&self, scripts: &Scripts) -> Result<(), LedgerError> {
        for script in scripts.all() {
            let loaded = script.load_async(&mut self.first()).await;
            loaded.map_err(|error| explain(&self.place, &error))?;
        }
        Ok(())
    }

    /// Asks a command that is no script.
    pub(super) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, LedgerError> {
        self.ask_whether(command).await?.ok_or_else(|| {
            LedgerError::Unavailable(format!("Redis at {} forbids what a ledger needs", self.place))
        })
    }

    /// Asks a command that may be forbidden.
    pub(super) async fn ask_whether<T: FromRedisValue>(
        &self,
        command: &Cmd,
    ) -> Result<Option<T>, LedgerError> {
        match command.query_async(&mut self.first()).await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if is_forbidden(&error) => Ok(None),
            Err(error) => Err(explain(&self.place, &error)),
        }
    }

    pub(super) async fn subscribe(&self, channel: &str) -> bool {
        self.first().subscribe(channel).await.is_ok()
    }

    pub(super) async fn unsubscribe(&self, channel: &str) {
        // A line that broke has forgotten it anyway.
        let _ = self.first().unsubscribe(channel).await;
    }

    fn first(&self) -> ConnectionManager {
        self.connections[0].manager.clone()
    }

    /// Takes the connection that has the least to do.
    fn take(&self) -> Taken<'_> {
        let load = |one: &&Connection| one.under_way.load(Ordering::Relaxed) / READ_AT_ONCE;
        let least = self.connections.iter().min_by_key(load).unwrap_or(&self.connections[0]);
        least.under_way.fetch_add(1, Ordering::Relaxed);
        Taken(least)
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)
    }
}

/// One connection.
struct Connection {
    manager: ConnectionManager,
    /// How many requests have no answer yet.
    under_way: AtomicUsize,
}

/// A request that is under way on a connection.
struct Taken<'a>(&'a Connection);

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn connect(
    client: &Client,
    options: &RedisOptions,
    bells: &Arc<Bells>,
) -> Result<Arc<[Connection]>, RedisError> {
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(options.connection_timeout))
        .set_response_timeout(Some(options.response_timeout))
        .set_number_of_retries(RETRIES)
        .set_min_delay(FIRST_RETRY)
        .set_max_delay(LONGEST_RETRY)
        .set_pipeline_buffer_size(BUFFER);
    let bells = Arc::clone(bells);
    let ring = move |push: PushInfo| -> Result<(), ()> {
        bells.heard(&push);
        Ok(())
    };
    let told = config.clone().set_push_sender(ring).set_automatic_resubscription();
    let connection = |manager| Connection { manager, under_way: AtomicUsize::new(0) };
    let first = ConnectionManager::new_with_config(client.clone(), told).await?;
    let mut connections = vec![connection(first)];
    for _ in 1..CONNECTIONS {
        let config = config.clone();
        let other = ConnectionManager::new_lazy_with_config(client.clone(), config)?;
        connections.push(connection(other));
    }
    Ok(connections.into())
}

/// Whether a managed service forbids the command, or has renamed it.
fn is_forbidden(error: &RedisError) -> bool {
    let text = error.to_string();
    matches!(error.kind(), ErrorKind::Server(::redis::ServerErrorKind::NoPerm))
        || text.contains("NOPERM")
        || text.contains("unknown command")
        || text.contains("not allowed")
}
