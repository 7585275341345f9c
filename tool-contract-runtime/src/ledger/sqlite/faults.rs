//! Faults that a test puts into the writer.

use std::sync::Mutex;

use rusqlite::{Error, Result, ffi};

/// What goes wrong at the next commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CommitFault {
    /// It fails, and nothing is durable.
    Lost,
    /// It fails, and all is durable.
    Kept,
}

/// Faults that a test puts into the writer; each happens once.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Option<CommitFault>>);

impl Faults {
    pub(crate) fn fail_next_commit(&self, fault: CommitFault) {
        *self.0.lock().expect("no panic under it") = Some(fault);
    }

    /// Commits, unless a fault was put here.
    pub(super) fn commit(&self, commit: impl FnOnce() -> Result<()>) -> Result<()> {
        let fault = self.0.lock().expect("no panic under it").take();
        if fault == Some(CommitFault::Lost) {
            return Err(broken());
        }
        commit()?;
        if fault == Some(CommitFault::Kept) { Err(broken()) } else { Ok(()) }
    }
}

fn broken() -> Error {
    Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_IOERR), None)
}
