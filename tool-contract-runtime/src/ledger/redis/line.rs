//! The line to the server: one connection that all callers share, made anew when
//! it breaks.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ::redis::aio::{ConnectionManager, ConnectionManagerConfig};
use ::redis::{
    Client, Cmd, ErrorKind, FromRedisValue, IntoConnectionInfo, ProtocolVersion, PushInfo,
    RedisError, Script, Value,
};

use super::answer::Parts;
use super::bells::Bells;
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

/// How many requests may wait for the connection to take them.
const BUFFER: usize = 1_024;

/// The line to the server.
///
/// It speaks RESP3, so that what callers wait for comes on the same connection
/// as the answers, and a connection that broke is noticed at once.
#[derive(Clone)]
pub(super) struct Line {
    manager: ConnectionManager,
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
        let bells = Arc::clone(bells);
        let ring = move |push: PushInfo| -> Result<(), ()> {
            bells.heard(&push);
            Ok(())
        };
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(options.connection_timeout))
            .set_response_timeout(Some(options.response_timeout))
            .set_number_of_retries(RETRIES)
            .set_min_delay(FIRST_RETRY)
            .set_max_delay(LONGEST_RETRY)
            .set_pipeline_buffer_size(BUFFER)
            .set_push_sender(ring)
            .set_automatic_resubscription();
        let connected = ConnectionManager::new_with_config(client, config).await;
        let manager = connected.map_err(|error| explain(&place, &error))?;
        Ok(Self {
            manager,
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
        let mut invocation = call.script.prepare_invoke();
        invocation.key(call.keys).arg(call.arguments);
        #[cfg(test)]
        if let Some(clock) = &self.told {
            invocation.arg(clock.now().0);
        }
        let answer: Value = invocation
            .invoke_async(&mut self.manager.clone())
            .await
            .map_err(|error| explain(&self.place, &error))?;
        Parts::of(answer)
    }

    /// Sends the scripts ahead, so that the first callers need not all do so.
    pub(super) async fn load(&self, scripts: &Scripts) -> Result<(), LedgerError> {
        for script in scripts.all() {
            let loaded = script.load_async(&mut self.manager.clone()).await;
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
        match command.query_async(&mut self.manager.clone()).await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if is_forbidden(&error) => Ok(None),
            Err(error) => Err(explain(&self.place, &error)),
        }
    }

    pub(super) async fn subscribe(&self, channel: &str) -> bool {
        self.manager.clone().subscribe(channel).await.is_ok()
    }

    pub(super) async fn unsubscribe(&self, channel: &str) {
        // A line that broke has forgotten it anyway.
        let _ = self.manager.clone().unsubscribe(channel).await;
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)
    }
}

/// A script, its keys and its arguments.
pub(super) struct ScriptCall<'a> {
    script: &'a Script,
    keys: Vec<String>,
    arguments: Vec<String>,
}

impl<'a> ScriptCall<'a> {
    pub(super) fn new(script: &'a Script, keys: Vec<String>, arguments: Vec<String>) -> Self {
        Self { script, keys, arguments }
    }
}

/// Whether a managed service forbids the command, or has renamed it.
fn is_forbidden(error: &RedisError) -> bool {
    let text = error.to_string();
    matches!(error.kind(), ErrorKind::Server(::redis::ServerErrorKind::NoPerm))
        || text.contains("NOPERM")
        || text.contains("unknown command")
        || text.contains("not allowed")
}
