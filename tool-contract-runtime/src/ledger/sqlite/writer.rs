//! The one thread that writes, and commits what waits together.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};

use rusqlite::{Connection, ErrorCode};

use super::checkpointer::Checkpointer;
use super::fault::{Trouble, explain};
use super::options::SqliteOptions;
use super::request::Request;
use super::schema;
use super::store::Store;
use super::turnstile::Turnstile;
use crate::ledger::LedgerError;
use crate::ledger::time::Time;
use crate::ledger::waiting::Waiting;

/// How many requests are committed together at most. More gain nothing, and
/// other processes wait meanwhile.
const BATCH: usize = 256;

/// After so many written requests it is worth copying the log back.
const CHECKPOINT_AFTER: usize = 512;

/// The one thread that writes.
pub(super) struct Writer {
    file: PathBuf,
    options: SqliteOptions,
    queue: Receiver<Box<dyn Request>>,
    waiting: Arc<Waiting>,
    turnstile: Turnstile,
    checkpointer: Checkpointer,
    /// Requests written since the checkpointer was asked.
    written: usize,
}

/// A request and why it failed, if it did.
type Failed = Option<LedgerError>;

/// What is left to do after requests were served.
enum Health {
    Good,
    /// Nobody knows what the connection holds: open it anew.
    Broken,
}

impl Writer {
    pub(super) fn new(
        file: PathBuf,
        options: SqliteOptions,
        queue: Receiver<Box<dyn Request>>,
        waiting: Arc<Waiting>,
        turnstile: Turnstile,
        checkpointer: Checkpointer,
    ) -> Self {
        Self { file, options, queue, waiting, turnstile, checkpointer, written: 0 }
    }

    /// Serves until the last sender is gone, and all that waited is done.
    pub(super) fn run(mut self, connection: Connection, mut time: Time) {
        let mut open = Some(connection);
        while let Ok(first) = self.queue.recv() {
            let connection = match open.take().map_or_else(|| self.reopen(), Ok) {
                Ok(connection) => connection,
                Err(error) => {
                    first.answer(Some(error));
                    continue;
                }
            };
            match self.serve(&connection, &mut time, first) {
                Health::Good => return,
                Health::Broken => drop(connection),
            }
        }
    }

    fn reopen(&mut self) -> Result<Connection, LedgerError> {
        let _turn = self.turnstile.enter(self.options.busy_timeout)?;
        schema::open(&self.file, &self.options)
    }

    /// Serves on one connection, until it breaks or nobody is left.
    fn serve(&mut self, connection: &Connection, time: &mut Time, first: Box<dyn Request>) -> Health {
        let mut store = match Store::prepare(connection, time) {
            Ok(store) => store,
            Err(error) => {
                first.answer(Some(explain(&self.file, &error)));
                return Health::Broken;
            }
        };
        let mut next = Some(first);
        while let Some(first) = next.take().or_else(|| self.queue.recv().ok()) {
            let batch = self.gather(first);
            let rest = self.look(&mut store, batch);
            if let Health::Broken = self.write(&mut store, rest) {
                return Health::Broken;
            }
            self.kick_checkpointer();
        }
        Health::Good
    }

    /// Takes what waits; the more callers, the more share a commit.
    fn gather(&self, first: Box<dyn Request>) -> Vec<Box<dyn Request>> {
        let mut batch = vec![first];
        while batch.len() < BATCH {
            match self.queue.try_recv() {
                Ok(request) => batch.push(request),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        batch
    }

    /// Answers what can be answered without writing: a replay need not wait for
    /// a commit, nor for another process. Gives back the rest.
    fn look(&self, store: &mut Store<'_>, batch: Vec<Box<dyn Request>>) -> Vec<Box<dyn Request>> {
        if !batch.iter().any(|request| request.may_look()) || store.look().is_err() {
            // What is wrong shows again when it is written.
            return batch;
        }
        let mut rest = Vec::with_capacity(batch.len());
        let mut answered = Vec::new();
        for mut request in batch {
            let looked = if request.may_look() { request.make(store) } else { Err(Trouble::MustWrite) };
            match looked {
                Ok(()) => answered.push((request, None)),
                Err(Trouble::Request(error)) => answered.push((request, Some(self.named(error)))),
                Err(Trouble::MustWrite | Trouble::Transaction(_)) => rest.push(request),
            }
        }
        let _ = store.commit();
        answer(answered);
        rest
    }

    /// Writes a batch in one transaction, and answers when it is durable.
    fn write(&mut self, store: &mut Store<'_>, batch: Vec<Box<dyn Request>>) -> Health {
        if batch.is_empty() {
            return Health::Good;
        }
        let turn = match self.turnstile.enter(self.options.busy_timeout) {
            Ok(turn) => turn,
            Err(error) => {
                answer_all(batch, &error);
                return Health::Good;
            }
        };
        if let Err(error) = store.begin() {
            answer_all(batch, &explain(&self.file, &error));
            return Health::Broken;
        }
        let (batch, made) = self.make(store, batch);
        let done = made.and_then(|failed| store.finish().map(|()| failed));
        match done {
            Ok(failed) => self.commit(store, batch, failed),
            Err(error) => {
                let rolled_back = store.roll_back().is_ok();
                drop(turn);
                if !rolled_back || !is_of_one_request(&error) {
                    answer_all(batch, &explain(&self.file, &error));
                    return Health::Broken;
                }
                if batch.len() == 1 {
                    answer_all(batch, &explain(&self.file, &error));
                    return Health::Good;
                }
                // One of them is to blame; the others must not pay for it.
                let mut rest = batch.into_iter();
                while let Some(request) = rest.next() {
                    if let Health::Broken = self.write(store, vec![request]) {
                        answer_all(rest.collect(), &explain(&self.file, &error));
                        return Health::Broken;
                    }
                }
                Health::Good
            }
        }
    }

    /// Makes the steps of a batch; says of each why it alone failed, if it did.
    #[allow(clippy::type_complexity)]
    fn make(
        &self,
        store: &mut Store<'_>,
        mut batch: Vec<Box<dyn Request>>,
    ) -> (Vec<Box<dyn Request>>, rusqlite::Result<Vec<Failed>>) {
        let mut failed = Vec::with_capacity(batch.len());
        for request in &mut batch {
            match request.make(store) {
                Ok(()) => failed.push(None),
                Err(Trouble::Request(error)) => failed.push(Some(self.named(error))),
                Err(Trouble::Transaction(error)) => return (batch, Err(error)),
                Err(Trouble::MustWrite) => {
                    failed.push(Some(LedgerError::Unavailable("the transaction may not write".into())));
                }
            }
        }
        (batch, Ok(failed))
    }

    fn commit(&mut self, store: &mut Store<'_>, batch: Vec<Box<dyn Request>>, failed: Vec<Failed>) -> Health {
        if let Err(error) = self.make_durable(store) {
            // It may be durable or not: nobody is told that it is, and what this
            // connection believes is not asked again.
            answer_all(batch, &explain(&self.file, &error));
            return Health::Broken;
        }
        self.written += batch.len();
        for id in batch.iter().filter_map(|request| request.changed()) {
            self.waiting.wake(id);
        }
        answer(batch.into_iter().zip(failed).collect());
        Health::Good
    }

    fn make_durable(&self, store: &mut Store<'_>) -> rusqlite::Result<()> {
        #[cfg(test)]
        if let Some(fault) = self.options.faults.take() {
            if fault == super::faults::CommitFault::Kept {
                store.commit()?;
            }
            return Err(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR), None));
        }
        store.commit()
    }

    fn kick_checkpointer(&mut self) {
        if self.written >= CHECKPOINT_AFTER {
            self.written = 0;
            self.checkpointer.ask();
        }
    }

    /// The same error, with the name of the file.
    fn named(&self, error: LedgerError) -> LedgerError {
        match error {
            LedgerError::Corrupt(problem) => {
                LedgerError::Corrupt(format!("{}: {problem}", self.file.display()))
            }
            error => error,
        }
    }
}

/// Whether the same transaction without one of its requests may succeed.
fn is_of_one_request(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::DiskFull | ErrorCode::TooBig | ErrorCode::ConstraintViolation)) || code.is_none()
}

fn answer(batch: Vec<(Box<dyn Request>, Failed)>) {
    for (request, failed) in batch {
        request.answer(failed);
    }
}

fn answer_all(batch: Vec<Box<dyn Request>>, error: &LedgerError) {
    for request in batch {
        request.answer(Some(error.clone()));
    }
}
