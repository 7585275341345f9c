//! Connections to the server: made, used and given up.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deadpool_postgres::{
    Manager, ManagerConfig, Object, Pool, PoolError, QueueMode, RecyclingMethod, Runtime,
};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::fault::{self, Fate};
use super::options::PostgresOptions;
use super::target::Target;
use super::tls::{self, Connector};
use crate::ledger::LedgerError;

/// How soon a connection that could not be made is tried again; then twice as
/// long each time, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// A value of a statement, and its type, which is sent along: most statements are
/// not prepared.
pub(super) type Value<'a> = (&'a (dyn ToSql + Sync), Type);

/// The way to the server.
pub(super) struct Link {
    pub(super) target: Target,
    pub(super) tls: Connector,
    pool: Pool,
    /// Whether what is prepared in a session is still there when it is used: until a
    /// pooler shows that it gives each request another one.
    prepares: AtomicBool,
    request_timeout: Duration,
    patience: Duration,
}

/// A round trip that failed.
pub(super) struct Failed {
    pub(super) fate: Fate,
    pub(super) error: LedgerError,
    /// Whether the session was not the one in which its statement was prepared.
    is_foreign: bool,
}

impl Failed {
    /// Nothing was carried out.
    pub(super) const fn undone(error: LedgerError) -> Self {
        Self { fate: Fate::Undone, error, is_foreign: false }
    }
}

impl Link {
    #[allow(clippy::clone_on_copy, reason = "without TLS it is nothing")]
    pub(super) fn new(target: Target, options: &PostgresOptions) -> Result<Self, LedgerError> {
        let tls = tls::connector(&target)?;
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(target.config.clone(), tls.clone(), recycling);
        let pool = Pool::builder(manager)
            .max_size(options.pool)
            // One that was just used has its plans and pages at hand.
            .queue_mode(QueueMode::Lifo)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(options.patience))
            .create_timeout(Some(options.connect_timeout))
            .build()
            .map_err(|error| fault::unsent(&target, &error.to_string()))?;
        let PostgresOptions { request_timeout, patience, .. } = *options;
        let prepares = AtomicBool::new(true);
        Ok(Self { target, tls, pool, prepares, request_timeout, patience })
    }

    /// Until when a request that comes now waits for a connection.
    pub(super) fn patience_ends(&self) -> Instant {
        Instant::now() + self.patience
    }

    /// A connection, at once or not at all.
    pub(super) async fn connection_now(&self) -> Result<Object, LedgerError> {
        self.pool.get().await.map_err(|error| fault::unsent(&self.target, &why(&error)))
    }

    /// A connection, however often it has to be tried until then.
    pub(super) async fn connection(&self, until: Instant) -> Result<Object, LedgerError> {
        let mut pause = FIRST_PAUSE;
        let mut last = None;
        loop {
            match timeout_at(until, self.connection_now()).await {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(error)) if Instant::now() + pause >= until => return Err(error),
                Ok(Err(error)) => last = Some(error),
                Err(_) => {
                    return Err(last.unwrap_or_else(|| {
                        fault::unsent(&self.target, "there was no connection in time")
                    }));
                }
            }
            sleep(pause).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    /// Whether a connection is there that is not known to be lost.
    #[cfg(test)]
    pub(super) fn is_connected(&self) -> bool {
        let mut is_connected = false;
        self.pool.retain(|connection, _| {
            is_connected |= !connection.is_closed();
            true
        });
        is_connected
    }

    /// One round trip, of a statement that is prepared once for each connection.
    pub(super) async fn ask(
        &self,
        connection: Object,
        statement: &str,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, Failed> {
        if !self.prepares() {
            return self.ask_once(connection, statement, values, false).await;
        }
        let asked = self.ask_once(connection, statement, values, true).await;
        if asked.as_ref().is_err_and(|failed| failed.is_foreign) {
            let server = &self.target;
            tracing::debug!(%server, "sessions are shared: nothing is prepared any more");
            self.prepares.store(false, Ordering::Relaxed);
        }
        asked
    }

    /// Whether statements are prepared.
    pub(super) fn prepares(&self) -> bool {
        self.prepares.load(Ordering::Relaxed)
    }

    /// A connection that gave no answer is not used again.
    async fn ask_once(
        &self,
        connection: Object,
        statement: &str,
        values: &[Value<'_>],
        prepares: bool,
    ) -> Result<Vec<Row>, Failed> {
        let rows = rows(&connection, statement, values, prepares);
        match timeout(self.request_timeout, rows).await {
            Ok(Ok(rows)) => Ok(rows),
            Ok(Err(error)) => {
                let (fate, is_foreign) = (fault::fate(&error), fault::is_foreign(&error));
                let error = if fate == Fate::Open {
                    drop(Object::take(connection));
                    fault::open(&self.target, &fault::told(&error))
                } else {
                    fault::explain(&self.target, &error)
                };
                Err(Failed { fate, error, is_foreign })
            }
            Err(_) => {
                drop(Object::take(connection));
                let error = fault::silent(&self.target, self.request_timeout);
                Err(Failed { fate: Fate::Open, error, is_foreign: false })
            }
        }
    }

    /// A round trip of its own, beside those that requests share.
    pub(super) async fn ask_alone(
        &self,
        statement: &str,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, LedgerError> {
        let connection = self.connection(self.patience_ends()).await?;
        self.ask_on(connection, statement, values).await
    }

    /// A round trip of its own on this connection.
    pub(super) async fn ask_on(
        &self,
        connection: Object,
        statement: &str,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, LedgerError> {
        let asked = self.ask_once(connection, statement, values, false).await;
        asked.map_err(|failed| failed.error)
    }
}

async fn rows(
    connection: &Object,
    statement: &str,
    values: &[Value<'_>],
    prepares: bool,
) -> Result<Vec<Row>, tokio_postgres::Error> {
    if !prepares {
        return connection.query_typed(statement, values).await;
    }
    let (values, types): (Vec<_>, Vec<_>) = values.iter().cloned().unzip();
    let statement = connection.prepare_typed_cached(statement, &types).await?;
    connection.query(&statement, &values).await
}

fn why(error: &PoolError) -> String {
    match error {
        PoolError::Backend(error) => fault::told(error),
        PoolError::Timeout(_) => "no connection was made or came free in time".to_owned(),
        other => other.to_string(),
    }
}
