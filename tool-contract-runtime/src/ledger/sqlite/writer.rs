//! The one thread that writes, and commits what waits together.

use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::{Connection, ErrorCode};

use super::checkpointer::Checkpointer;
use super::fault::{Trouble, explain};
use super::identity::Identity;
use super::options::SqliteOptions;
use super::request::Request;
use super::schema;
use super::store::Store;
use super::turnstile::{Turn, Turnstile};
use crate::ledger::LedgerError;
use crate::ledger::time::Time;
use crate::ledger::waiting::Waiting;
use crate::sync::mpsc::{Receiver, TryRecvError};

/// How many requests are committed together at most. More gain nothing, and
/// other processes wait meanwhile.
const BATCH: usize = 256;

/// The one thread that writes.
pub(super) struct Writer {
    pub(super) file: PathBuf,
    pub(super) identity: Identity,
    pub(super) options: SqliteOptions,
    pub(super) queue: Receiver<Box<dyn Request>>,
    pub(super) waiting: Arc<Waiting>,
    pub(super) turnstile: Turnstile,
    pub(super) checkpointer: Checkpointer,
}

/// Requests that are served together.
type Batch = Vec<Box<dyn Request>>;

/// Why a request failed, if it did.
type Failed = Option<LedgerError>;

/// What is left to do after requests were served.
enum Health {
    Good,
    /// Nobody knows what the connection holds: open it anew.
    Broken,
}

impl Writer {
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
        let _turn = self.turn()?;
        schema::reopen(&self.file, &self.options)
    }

    /// Waits until no other process writes, and sees to it that the file is ours.
    fn turn(&mut self) -> Result<Turn, LedgerError> {
        let turn = self.turnstile.enter(self.options.busy_timeout)?;
        self.identity.check().map(|()| turn)
    }

    /// Serves on one connection, until it breaks or nobody is left.
    fn serve(
        &mut self,
        connection: &Connection,
        time: &mut Time,
        first: Box<dyn Request>,
    ) -> Health {
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
            let written = rest.len();
            if let Health::Broken = self.write(&mut store, rest) {
                return Health::Broken;
            }
            self.checkpointer.wrote(written, connection);
        }
        Health::Good
    }

    /// Takes what waits; the more callers, the more share a commit.
    fn gather(&self, first: Box<dyn Request>) -> Batch {
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
    fn look(&self, store: &mut Store<'_>, batch: Batch) -> Batch {
        if !batch.iter().any(|request| request.may_look()) {
            return batch;
        }
        store.look();
        let mut rest = Vec::with_capacity(batch.len());
        let mut answered = Vec::new();
        for mut request in batch {
            let looked =
                if request.may_look() { request.make(store) } else { Err(Trouble::MustWrite) };
            match looked {
                Ok(()) => answered.push((request, None)),
                Err(Trouble::Request(error)) => answered.push((request, Some(self.named(error)))),
                // What is wrong with the file shows again when it is written.
                Err(Trouble::MustWrite | Trouble::Transaction(_)) => rest.push(request),
            }
        }
        answer(answered);
        rest
    }

    /// Writes a batch in one transaction, and answers when it is durable.
    fn write(&mut self, store: &mut Store<'_>, batch: Batch) -> Health {
        if batch.is_empty() {
            return Health::Good;
        }
        match self.turn() {
            Ok(turn) => self.write_in_turn(store, batch, turn),
            Err(error) => {
                answer_all(batch, &error);
                Health::Good
            }
        }
    }

    fn write_in_turn(&mut self, store: &mut Store<'_>, mut batch: Batch, turn: Turn) -> Health {
        if let Err(error) = store.begin() {
            answer_all(batch, &explain(&self.file, &error));
            return if is_busy(&error) { Health::Good } else { Health::Broken };
        }
        let error = match self.make(store, &mut batch) {
            Ok(failed) => return self.commit(store, batch, failed),
            Err(error) => error,
        };
        let rolled_back = store.roll_back().is_ok();
        drop(turn);
        if rolled_back && is_of_one_request(&error) {
            return self.write_singly(store, batch, &error);
        }
        answer_all(batch, &explain(&self.file, &error));
        Health::Broken
    }

    /// Writes each of a batch in a transaction of its own, after `error` ended
    /// the common one: one of them is to blame, and others must not pay for it.
    fn write_singly(
        &mut self,
        store: &mut Store<'_>,
        batch: Batch,
        error: &rusqlite::Error,
    ) -> Health {
        let error = explain(&self.file, error);
        if batch.len() == 1 {
            answer_all(batch, &error);
            return Health::Good;
        }
        let mut rest = batch.into_iter();
        while let Some(request) = rest.next() {
            if let Health::Broken = self.write(store, vec![request]) {
                answer_all(rest, &error);
                return Health::Broken;
            }
        }
        Health::Good
    }

    /// Makes the steps of a batch; says of each why it alone failed, if it did.
    fn make(&self, store: &mut Store<'_>, batch: &mut Batch) -> rusqlite::Result<Vec<Failed>> {
        let mut failed = Vec::with_capacity(batch.len());
        for request in batch {
            failed.push(match request.make(store) {
                Ok(()) => None,
                Err(Trouble::Request(error)) => Some(self.named(error)),
                Err(Trouble::Transaction(error)) => return Err(error),
                Err(Trouble::MustWrite) => unreachable!("this transaction may write"),
            });
        }
        store.finish()?;
        Ok(failed)
    }

    fn commit(&mut self, store: &mut Store<'_>, batch: Batch, failed: Vec<Failed>) -> Health {
        #[cfg(not(test))]
        let durable = store.commit();
        #[cfg(test)]
        let durable = self.options.faults.commit(|| store.commit());
        if let Err(error) = durable {
            // It may be durable or not: nobody is told that it is, and what this
            // connection believes is not asked again.
            answer_all(batch, &explain(&self.file, &error));
            return Health::Broken;
        }
        for id in batch.iter().filter_map(|request| request.changed()) {
            self.waiting.wake(id);
        }
        answer(batch.into_iter().zip(failed));
        Health::Good
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
    matches!(code, Some(ErrorCode::DiskFull | ErrorCode::TooBig | ErrorCode::ConstraintViolation))
        || code.is_none()
}

/// Whether somebody else, who takes no turns, writes: a person with a shell.
fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

fn answer(batch: impl IntoIterator<Item = (Box<dyn Request>, Failed)>) {
    for (request, failed) in batch {
        request.answer(failed);
    }
}

fn answer_all(batch: impl IntoIterator<Item = Box<dyn Request>>, error: &LedgerError) {
    for request in batch {
        request.answer(Some(error.clone()));
    }
}
