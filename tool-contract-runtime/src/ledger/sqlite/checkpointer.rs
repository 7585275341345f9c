//! Copies the write-ahead log back into the file.
//!
//! SQLite would do it within a commit, and one call in a thousand would wait for
//! it; a thread of its own makes nobody wait.

use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

use super::options::SqliteOptions;
use super::schema;

/// The thread that copies the log back.
pub(super) struct Checkpointer {
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
        Ok(Self { ask: Some(ask), thread: Some(thread) })
    }

    /// Has the log copied back soon.
    pub(super) fn ask(&self) {
        // If it is still at it, it has been asked already.
        let _ = self.ask.as_ref().map(|ask| ask.try_send(()));
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
        let copied = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        open = copied.is_ok().then_some(connection);
    }
}
