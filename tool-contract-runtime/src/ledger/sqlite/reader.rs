//! The threads that read, beside the one that writes.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, params_from_iter};
use tokio::sync::oneshot;
use tool_contract_spec::key::OperationId;

use super::archive;
use super::fault::{Trouble, closed, explain};
use super::options::SqliteOptions;
use super::row;
use super::schema;
use super::statements;
use super::store::{name, one};
use super::value::{self, Columns, number, text};
use crate::ledger::time::Time;
use crate::ledger::{Event, LedgerError, Query, Record, StateName, Timestamp};
use crate::sync::Mutex;
use crate::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use crate::sync::thread::{Builder, JoinHandle};

/// How many threads read.
const READERS: usize = 2;

/// What a reader does; it gives the connection back unless it broke.
type Reading = Box<dyn FnOnce(Result<&Connection, LedgerError>) -> bool + Send>;

/// The threads that read.
pub(super) struct Readers {
    file: PathBuf,
    bound: usize,
    queue: SyncSender<Reading>,
}

impl Readers {
    /// Starts the threads; they open the file when they are first asked.
    pub(super) fn start(
        file: &Path,
        options: &SqliteOptions,
    ) -> std::io::Result<(Self, Vec<JoinHandle<()>>)> {
        let (queue, readings) = sync_channel(options.queue);
        let readings = Arc::new(Mutex::new(readings));
        let threads = (0..READERS).map(|_| {
            let (file, options, readings) =
                (file.to_owned(), options.clone(), Arc::clone(&readings));
            let thread = Builder::new().name("tool-contract reader".into());
            thread.spawn(move || serve(&file, &options, &readings))
        });
        let threads = threads.collect::<Result<_, _>>()?;
        Ok((Self { file: file.to_owned(), bound: options.queue, queue }, threads))
    }

    /// Has a thread read.
    pub(super) async fn read<R: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<R, Trouble> + Send + 'static,
    ) -> Result<R, LedgerError> {
        let (sender, receiver) = oneshot::channel();
        let file = self.file.clone();
        let reading: Reading = Box::new(move |connection| {
            let read = connection
                .and_then(|connection| read(connection).map_err(|trouble| told(&file, trouble)));
            let is_good = !matches!(read, Err(LedgerError::Unavailable(_)));
            let _ = sender.send(read);
            is_good
        });
        match self.queue.try_send(reading) {
            Ok(()) => receiver.await.unwrap_or_else(|_| Err(closed(&self.file))),
            Err(TrySendError::Full(_)) => Err(LedgerError::Overloaded(self.bound)),
            Err(TrySendError::Disconnected(_)) => Err(closed(&self.file)),
        }
    }
}

fn told(file: &Path, trouble: Trouble) -> LedgerError {
    match trouble {
        Trouble::Request(LedgerError::Corrupt(problem)) => {
            LedgerError::Corrupt(format!("{}: {problem}", file.display()))
        }
        Trouble::Request(error) => error,
        Trouble::Transaction(error) => explain(file, &error),
        Trouble::MustWrite => LedgerError::Unavailable("a reader was asked to write".into()),
    }
}

fn serve(file: &Path, options: &SqliteOptions, readings: &Mutex<Receiver<Reading>>) {
    let mut open = None;
    loop {
        // Only the taking is under the lock.
        let Ok(Ok(reading)) = readings.lock().map(|readings| readings.recv()) else { return };
        let connection = match open.take() {
            Some(connection) => Ok(connection),
            None => schema::reopen(file, options),
        };
        open = match connection {
            Ok(connection) => reading(Ok(&connection)).then_some(connection),
            Err(error) => {
                reading(Err(error));
                None
            }
        };
    }
}

/// The record of one operation.
pub(super) fn find(connection: &Connection, id: &OperationId) -> Result<Option<Record>, Trouble> {
    let mut load = connection.prepare(&statements::load())?;
    let mut found = one(&mut load, name(id), row::record)?;
    if let Some(record) = found.as_mut().filter(|record| record.arguments.is_empty())
        && let Some(arguments) = archive::arguments(connection, id)?
    {
        record.arguments = arguments.into();
    }
    Ok(found)
}

/// The history of one operation, oldest event first.
pub(super) fn history(connection: &Connection, id: &OperationId) -> Result<Vec<Event>, Trouble> {
    let mut load = connection.prepare(&format!(
        "WITH named AS (SELECT id FROM operations WHERE tenant = ?1 AND tool = ?2 AND key = ?3) \
         SELECT {events} FROM archived_events WHERE operation = (SELECT id FROM named) \
         UNION ALL SELECT {events} FROM events WHERE operation = (SELECT id FROM named) \
         ORDER BY seq",
        events = row::EVENT
    ))?;
    let mut rows = load.query(name(id))?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        events.push(row::event(row)?);
    }
    Ok(events)
}

/// The ledger's time, as who only reads can know it: `time`, which is asked
/// seldom and so may be a little behind that of the writer, never ahead.
pub(super) fn now(connection: &Connection, time: &Mutex<Time>) -> Result<Timestamp, Trouble> {
    let shown: i64 = connection.query_row("SELECT clock FROM meta", [], |row| row.get(0))?;
    let mut time = time.lock().unwrap_or_else(PoisonError::into_inner);
    time.saw(Timestamp(u64::try_from(shown).unwrap_or_default()));
    Ok(time.now())
}

/// Operations in the order of their ids.
pub(super) fn list(
    connection: &Connection,
    query: &Query,
    now: Timestamp,
) -> Result<Vec<(OperationId, Record)>, Trouble> {
    let (sql, values) = listing(query, now);
    let mut load = connection.prepare(&sql)?;
    let mut rows = load.query(params_from_iter(values))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push((row::id(row)?, row::record(row)?));
    }
    Ok(found)
}

/// The statement that lists, and its values.
pub(super) fn listing(query: &Query, now: Timestamp) -> (String, Vec<ToSqlOutput<'_>>) {
    let mut conditions = Vec::new();
    let mut values = vec![value::time(now), number(query.bound().try_into().unwrap_or(u64::MAX))];
    if let Some(tenant) = &query.tenant {
        values.push(text(tenant.as_str()));
        conditions.push(format!(" AND tenant = ?{}", values.len()));
    }
    if let Some(tool) = &query.tool {
        values.push(text(tool));
        conditions.push(format!(" AND tool = ?{}", values.len()));
    }
    if let Some(after) = &query.after {
        values.extend(name(after));
        let last = values.len();
        let place = format!("(?{}, ?{}, ?{last})", last - 2, last - 1);
        conditions.push(format!(" AND (tenant, tool, key) > {place}"));
    }
    let conditions = conditions.concat();
    let standing = match query.states() {
        None => vec!["TRUE".to_owned()],
        Some(states) if states.is_empty() => vec!["FALSE".to_owned()],
        Some(states) => states.into_iter().flat_map(standing).collect(),
    };
    let arms: Vec<_> = standing
        .into_iter()
        .map(|state| row::select(&format!("WHERE {state}{conditions}")))
        .collect();
    // Each arm comes in this order from its index, and is read as far as needed.
    (format!("{} ORDER BY tenant, tool, key LIMIT ?2", arms.join(" UNION ALL ")), values)
}

/// What is true of the rows in a state at the time `?1`, one condition for each
/// index. States are literals, for only then it is known which index serves. None
/// serves what runs, for every call would pay for it: the table is walked.
///
/// It says what `Record::is_overdue` says.
fn standing(state: StateName) -> Vec<String> {
    match state {
        StateName::Running | StateName::Reconciling => {
            vec![format!("state = '{state}' AND lease_until > ?1")]
        }
        StateName::Unknown => {
            let overdue = [StateName::Running, StateName::Reconciling]
                .map(|state| format!("state = '{state}' AND lease_until <= ?1"));
            [format!("state = '{}'", StateName::Unknown)].into_iter().chain(overdue).collect()
        }
        state => vec![format!("state = '{state}'")],
    }
}

/// Enough of a record to see that it changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Glance {
    pub(super) state: StateName,
    fence: u64,
}

/// Looks how an operation stands.
pub(super) fn glance(connection: &Connection, id: &OperationId) -> Result<Option<Glance>, Trouble> {
    let mut load = connection.prepare(
        "SELECT state, fence FROM operations WHERE tenant = ?1 AND tool = ?2 AND key = ?3",
    )?;
    one(&mut load, name(id), |row| {
        let mut columns = Columns::from(row, 0);
        Ok(Glance {
            state: columns.word(&StateName::ALL, StateName::as_str)?,
            fence: columns.number()?,
        })
    })
}
