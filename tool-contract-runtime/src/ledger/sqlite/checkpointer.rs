//! Copies the write-ahead log back into the file.
//!
//! SQLite would do it within a commit, and one call in a thousand would wait for
//! all of it. So a thread of its own does most of it. What that cannot do is to
//! catch up with a writer that never rests, and until somebody has caught up, the
//! log grows. So now and then the writer does the small rest itself.

use std::io;
use std::path::Path;

use rusqlite::Connection;

use super::options::SqliteOptions;
use super::schema;
use crate::sync::mpsc::{Receiver, SyncSender, sync_channel};
use crate::sync::thread::{Builder, JoinHandle};

/// After so many written requests the thread is asked: up to 2 MiB of log.
const OFTEN: usize = 128;

/// After so many the writer does the rest: up to 10 MiB of log. A log that is
/// begun anew is also faster than one that grows, for then the file system need
/// not find room in each commit.
const SELDOM: usize = 512;

/// Sees to it that the log does not grow.
pub(super) struct Checkpointer {
    /// Requests written since the thread was asked.
    since_asked: usize,
    /// Requests written since the log was empty.
    since_empty: usize,
    /// Gone only while this is dropped.
    ask: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    pub(super) fn start(file: &Path, options: &SqliteOptions) -> io::Result<Self> {
        let (ask, asked) = sync_channel(1);
        let (file, options) = (file.to_owned(), options.clone());
        let thread = Builder::new().name("tool-contract checkpointer".into());
        let thread = thread.spawn(move || serve(&file, &options, &asked))?;
        Ok(Self { since_asked: 0, since_empty: 0, ask: Some(ask), thread: Some(thread) })
    }

    /// Takes note of so many written requests; `connection` is the writer's, and
    /// it is idle.
    pub(super) fn wrote(&mut self, requests: usize, connection: &Connection) {
        self.since_asked += requests;
        self.since_empty += requests;
        if self.since_asked < OFTEN {
            return;
        }
        self.since_asked = 0;
        if self.since_empty < SELDOM {
            // If it is still at it, it has been asked already.
            let _ = self.ask.as_ref().map(|ask| ask.try_send(()));
        } else if matches!(copy_back(connection), Ok(true)) {
            self.since_empty = 0;
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        drop(self.ask.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Copies the log back each time it is asked, until nobody is left to ask.
///
/// That it fails harms nothing but the size of the log, so it says nothing: what
/// is wrong with the file shows at the next write.
fn serve(file: &Path, options: &SqliteOptions, asked: &Receiver<()>) {
    let mut open = None;
    while asked.recv().is_ok() {
        let connection = match open.take() {
            Some(connection) => connection,
            None => match schema::reopen(file, options) {
                Ok(connection) => connection,
                Err(_) => continue,
            },
        };
        open = copy_back(&connection).is_ok().then_some(connection);
    }
}

/// Copies back what can be copied without making anybody wait; says whether that
/// was all. Then the next write begins the log anew.
fn copy_back(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
        let (busy, length, copied): (bool, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(!busy && length == copied)
    })
}
