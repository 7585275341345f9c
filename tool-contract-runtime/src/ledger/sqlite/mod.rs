//! A ledger in a file, which several processes may share.
//!
//! One thread [writes](writer), and commits what waits together; others
//! [read](reader). Each request is [one step](store) of
//! [`tool_contract_spec::ledger`] on the rows of an operation.

mod access;
mod archive;
mod checkpointer;
mod fault;
#[cfg(test)]
mod faults;
mod identity;
mod options;
mod reader;
mod request;
mod row;
mod schema;
mod statements;
mod store;
#[cfg(test)]
mod tests;
mod turnstile;
mod value;
mod writer;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::oneshot;
use tool_contract_spec::key::OperationId;
use tool_contract_spec::ledger::{
    begin_reconcile, decide_approval, finish_reconcile, renew, resolve, settle,
};

use self::checkpointer::Checkpointer;
use self::fault::Trouble;
use self::identity::Identity;
pub use self::options::SqliteOptions;
use self::reader::Readers;
use self::request::{Request, ask};
use self::store::Store;
use self::turnstile::Turnstile;
use self::writer::Writer;
use super::time::Time;
use super::waiting::Waiting;
use super::{
    Admission, Admitted, Answer, Decided, Decision, Draw, Event, Fence, Finding, Ledger,
    LedgerError, Limited, Note, Query, ReconcileClaim, ReconcileRequest, Reconciled, Record,
    Renewed, Resolution, Settled, Settlement,
};
use crate::clock::Clock;
use crate::sync::Mutex;
use crate::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use crate::sync::thread::{Builder, JoinHandle};
use crate::tool::BoxFuture;

/// A ledger in a file: the one to use on one machine.
///
/// It is an SQLite database in WAL mode that several processes may share, and
/// that people may query: tables `operations`, `events` and `cells`. What it has
/// answered survives a crash of the process and a loss of power. Requests that
/// come together are committed together, so that many callers cost the disk
/// hardly more than one. The file must be on a local file system; beside it lie
/// the log, its index, and a side file by which processes take turns.
///
/// Where files have modes, a new ledger is for its owner alone (`0600`), since it
/// holds arguments and results. An existing file keeps its mode.
///
/// It forgets nothing: a finished operation takes its arguments, its result and
/// about 600 bytes, and its key is remembered for good.
///
/// Time is the machine's clock, made to never step back: where that clock is
/// behind what the ledger has shown, the ledger goes on at half pace until it
/// has caught up.
///
/// When the ledger is dropped, what waits in it is finished first; where another
/// process holds the file, that takes up to the
/// [busy timeout](SqliteOptions::busy_timeout).
pub struct SqliteLedger {
    file: PathBuf,
    clock: Arc<dyn Clock>,
    /// For who only reads.
    time: Arc<Mutex<Time>>,
    bound: usize,
    waiting: Arc<Waiting>,
    /// Gone only while the ledger is dropped.
    queues: Option<Queues>,
    threads: Vec<JoinHandle<()>>,
}

/// The ways to the threads. When these are gone, the threads end.
struct Queues {
    writer: SyncSender<Box<dyn Request>>,
    readers: Readers,
}

impl SqliteLedger {
    /// Opens the ledger in the file at `path`, or makes one there.
    ///
    /// # Errors
    /// If it cannot be opened, was not written by a ledger, or is damaged: which
    /// file it is, and what to do.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, LedgerError> {
        Self::options().open(path).await
    }

    /// For what [`open`](Self::open) leaves to the defaults.
    pub fn options() -> SqliteOptions {
        SqliteOptions::new()
    }

    async fn open_with(options: SqliteOptions, path: &Path) -> Result<Self, LedgerError> {
        let file = plain_file(path)?;
        let (sender, receiver) = oneshot::channel();
        let opening = Builder::new().name("tool-contract writer".into());
        let opened = opening.spawn(move || open_and_write(file, options, sender));
        let thread = opened.map_err(|error| no_thread(path, &error))?;
        match receiver.await {
            Ok(Ok(mut ledger)) => {
                ledger.threads.push(thread);
                Ok(ledger)
            }
            Ok(Err(error)) => Err(error),
            Err(_) => Err(fault::closed(path)),
        }
    }
}

/// The file at `path`, if there can be one.
fn plain_file(path: &Path) -> Result<PathBuf, LedgerError> {
    let problem = if path.as_os_str().is_empty()
        || path.as_os_str().as_encoded_bytes().starts_with(b":")
    {
        "is no file; a ledger in memory is a `MemoryLedger`"
    } else if path.is_dir() {
        "is a directory; name a file in it"
    } else if path.parent().is_some_and(|parent| !parent.as_os_str().is_empty() && !parent.is_dir())
    {
        "is in a directory that does not exist; make the directory first"
    } else {
        return std::path::absolute(path).map_err(|error| {
            LedgerError::Unavailable(format!(
                "the ledger's path `{}` cannot be used: {error}",
                path.display()
            ))
        });
    };
    Err(LedgerError::Unavailable(format!("the ledger's path `{}` {problem}", path.display())))
}

fn no_thread(file: &Path, error: &std::io::Error) -> LedgerError {
    LedgerError::Unavailable(format!("no thread for the ledger in {}: {error}", file.display()))
}

/// What the writing thread does: it opens the file, hands out the ledger, and
/// writes.
fn open_and_write(
    file: PathBuf,
    options: SqliteOptions,
    opened: oneshot::Sender<Result<SqliteLedger, LedgerError>>,
) {
    let begun = begin(file, options);
    match begun {
        Ok(Begun { ledger, writer, connection, time }) => {
            // If nobody waits any more, the ledger is dropped and the queue closed.
            let _ = opened.send(Ok(ledger));
            writer.run(connection, time);
        }
        Err(error) => {
            let _ = opened.send(Err(error));
        }
    }
}

/// A ledger that was opened, and what its writing thread needs.
struct Begun {
    ledger: SqliteLedger,
    writer: Writer,
    connection: Connection,
    time: Time,
}

fn begin(file: PathBuf, options: SqliteOptions) -> Result<Begun, LedgerError> {
    if options.must_exist {
        // Before the side file is made.
        schema::expect(&file, &options)?;
    }
    let mut turnstile = Turnstile::open(&file).map_err(|error| {
        LedgerError::Unavailable(format!(
            "{} cannot be opened: {error}; this process must be allowed to write the file and its directory",
            file.display()
        ))
    })?;
    let turn = turnstile.enter(options.busy_timeout)?;
    let connection = schema::open(&file, &options)?;
    let identity = Identity::of(&file)?;
    drop(turn);
    let waiting = Arc::new(Waiting::default());
    let (readers, threads) =
        Readers::start(&file, &options).map_err(|error| no_thread(&file, &error))?;
    let checkpointer =
        Checkpointer::start(&file, &options).map_err(|error| no_thread(&file, &error))?;
    let (writer, queue) = sync_channel(options.queue);
    let ledger = SqliteLedger {
        file: file.clone(),
        clock: Arc::clone(&options.clock),
        time: Arc::new(Mutex::new(Time::new(Arc::clone(&options.clock)))),
        bound: options.queue,
        waiting: Arc::clone(&waiting),
        queues: Some(Queues { writer, readers }),
        threads,
    };
    let time = Time::new(Arc::clone(&options.clock));
    let writer = Writer { file, identity, options, queue, waiting, turnstile, checkpointer };
    Ok(Begun { ledger, writer, connection, time })
}

impl SqliteLedger {
    /// Makes one step on an operation.
    fn step<R: Send + 'static>(
        &self,
        id: OperationId,
        may_look: bool,
        step: impl FnMut(&mut Store<'_>) -> Result<R, Trouble> + Send + 'static,
    ) -> Answer<'_, R> {
        self.ask(Some(id), may_look, step)
    }

    fn ask<R: Send + 'static>(
        &self,
        id: Option<OperationId>,
        may_look: bool,
        step: impl FnMut(&mut Store<'_>) -> Result<R, Trouble> + Send + 'static,
    ) -> Answer<'_, R> {
        let (request, waiter) = ask(id, may_look, step);
        Box::pin(async move {
            self.send(request)?;
            waiter.await.unwrap_or_else(|_| Err(fault::closed(&self.file)))
        })
    }

    fn send(&self, request: Box<dyn Request>) -> Result<(), LedgerError> {
        let Some(queues) = &self.queues else { return Err(fault::closed(&self.file)) };
        queues.writer.try_send(request).map_err(|error| match error {
            TrySendError::Full(_) => LedgerError::Overloaded(self.bound),
            TrySendError::Disconnected(_) => fault::closed(&self.file),
        })
    }

    async fn read<R: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<R, Trouble> + Send + 'static,
    ) -> Result<R, LedgerError> {
        match &self.queues {
            Some(queues) => queues.readers.read(read).await,
            None => Err(fault::closed(&self.file)),
        }
    }

    /// Waits until somebody else's step shows, in this process or another.
    async fn await_change(&self, id: OperationId) {
        let mut change = self.waiting.listen(&id);
        let glance = || {
            let id = id.clone();
            self.read(move |connection| reader::glance(connection, &id))
        };
        let first = match glance().await {
            Ok(Some(glance)) if glance.state.is_moving() => glance,
            _ => return,
        };
        let mut pause = FIRST_PAUSE;
        loop {
            tokio::select! {
                () = &mut change => return,
                () = self.clock.alarm(pause) => {}
            }
            // Other processes ring no bell here.
            if glance().await.ok().flatten().as_ref() != Some(&first) {
                return;
            }
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }
}

/// How soon to look whether another process changed an operation; then twice as
/// long each time, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

impl Ledger for SqliteLedger {
    fn admit<'a>(&'a self, admission: &'a Admission) -> Answer<'a, Admitted> {
        let admission = admission.clone();
        self.step(admission.id.clone(), true, move |store| store.admit(&admission))
    }

    fn settle<'a>(&'a self, settlement: &'a Settlement) -> Answer<'a, Settled> {
        let settlement = settlement.clone();
        self.step(settlement.id.clone(), false, move |store| {
            store.step(&settlement.id, |slot, around| settle(slot, &settlement, around))
        })
    }

    fn renew(&self, id: OperationId, fence: Fence, note: Option<Note>) -> Answer<'_, Renewed> {
        self.step(id.clone(), false, move |store| {
            store.step(&id, |slot, around| renew(slot, fence, note.as_ref(), around))
        })
    }

    fn begin_reconcile(&self, request: ReconcileRequest) -> Answer<'_, ReconcileClaim> {
        self.step(request.id.clone(), true, move |store| {
            store.step(&request.id, |slot, around| begin_reconcile(slot, &request, around))
        })
    }

    fn finish_reconcile(
        &self,
        id: OperationId,
        fence: Fence,
        finding: Finding,
    ) -> Answer<'_, Reconciled> {
        self.step(id.clone(), false, move |store| {
            store.step(&id, |slot, around| finish_reconcile(slot, fence, &finding, around))
        })
    }

    fn resolve(&self, resolution: Resolution) -> Answer<'_, Reconciled> {
        self.step(resolution.id.clone(), false, move |store| {
            store.step(&resolution.id, |slot, around| resolve(slot, &resolution, around))
        })
    }

    fn decide_approval(&self, decision: Decision) -> Answer<'_, Decided> {
        self.step(decision.id.clone(), false, move |store| {
            store.step(&decision.id, |slot, around| decide_approval(slot, &decision, around))
        })
    }

    fn draw(&self, draws: Vec<Draw>) -> Answer<'_, Result<(), Limited>> {
        self.ask(None, draws.is_empty(), move |store| store.draw(&draws))
    }

    fn prune(&self, most: usize) -> Answer<'_, usize> {
        Box::pin(async move {
            let time = Arc::clone(&self.time);
            let over = self.read(move |connection| {
                archive::over(connection, reader::now(connection, &time)?, most)
            });
            let over = over.await?;
            for step in over.chunks(archive::STEP) {
                let step = step.to_vec();
                self.ask(None, false, move |store| store.archive(&step)).await?;
            }
            Ok(over.len())
        })
    }

    fn find(&self, id: OperationId) -> Answer<'_, Option<Record>> {
        Box::pin(self.read(move |connection| reader::find(connection, &id)))
    }

    fn history(&self, id: OperationId) -> Answer<'_, Vec<Event>> {
        Box::pin(self.read(move |connection| reader::history(connection, &id)))
    }

    fn list(&self, query: Query) -> Answer<'_, Vec<(OperationId, Record)>> {
        let time = Arc::clone(&self.time);
        Box::pin(self.read(move |connection| {
            let now = reader::now(connection, &time)?;
            reader::list(connection, &query, now)
        }))
    }

    fn changed(&self, id: OperationId, within: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            tokio::select! {
                () = self.await_change(id) => {}
                () = self.clock.alarm(within) => {}
            }
        })
    }
}

impl Drop for SqliteLedger {
    fn drop(&mut self) {
        drop(self.queues.take());
        for thread in self.threads.drain(..) {
            // A thread that panicked has nothing more to finish.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for SqliteLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteLedger").field("file", &self.file).finish_non_exhaustive()
    }
}
