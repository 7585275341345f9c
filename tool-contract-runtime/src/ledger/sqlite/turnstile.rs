//! Who may write next, where several processes share the file.
//!
//! Processes that poll for SQLite's own lock starve each other for seconds. A
//! lock on a side file puts them in a queue of the kernel's instead.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::{access, fault};
use crate::ledger::LedgerError;
use crate::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use crate::sync::thread::Builder;

/// A queue for the processes that write to one file.
pub(super) struct Turnstile {
    file: PathBuf,
    side: Arc<File>,
    /// A thread that stands in the queue for us since an earlier turn, which was
    /// not waited for any longer.
    standing: Option<Receiver<io::Result<Turn>>>,
}

/// The right to write, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn(Arc<File>);

impl Drop for Turn {
    fn drop(&mut self) {
        // If this fails the lock ends with the process; others run into their
        // timeout and say so.
        let _ = self.0.unlock();
    }
}

impl Turnstile {
    /// The turnstile of the ledger in `file`.
    pub(super) fn open(file: &Path) -> io::Result<Self> {
        let mut side = file.as_os_str().to_owned();
        side.push("-turnstile");
        let side = access::open_beside(file, side.as_ref())?;
        Ok(Self { file: file.to_owned(), side: Arc::new(side), standing: None })
    }

    /// Waits for a turn, but no longer than `most`.
    pub(super) fn enter(&mut self, most: Duration) -> Result<Turn, LedgerError> {
        if self.standing.is_none() {
            match self.side.try_lock() {
                Ok(()) => return Ok(Turn(Arc::clone(&self.side))),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(self.failed(&error)),
            }
        }
        let standing = match self.standing.take() {
            Some(standing) => standing,
            None => self.stand().map_err(|error| self.failed(&error))?,
        };
        match standing.recv_timeout(most) {
            Ok(turn) => turn.map_err(|error| self.failed(&error)),
            Err(RecvTimeoutError::Timeout) => {
                self.standing = Some(standing);
                Err(fault::occupied(&self.file, most))
            }
            Err(RecvTimeoutError::Disconnected) => Err(fault::closed(&self.file)),
        }
    }

    /// Has a thread wait in the kernel's queue: that wait has no timeout, and a
    /// stopped process in front must not stop us too.
    fn stand(&self) -> io::Result<Receiver<io::Result<Turn>>> {
        let side = Arc::clone(&self.side);
        let (sender, receiver) = sync_channel(1);
        Builder::new().name("tool-contract turnstile".into()).spawn(move || {
            let turn = side.lock().map(|()| Turn(side));
            // If nobody waits any more, the turn is dropped and so given up.
            let _ = sender.send(turn);
        })?;
        Ok(receiver)
    }

    fn failed(&self, error: &io::Error) -> LedgerError {
        LedgerError::Unavailable(format!(
            "the side file of {} cannot be locked: {error}; its file system must support file locks",
            self.file.display()
        ))
    }
}
