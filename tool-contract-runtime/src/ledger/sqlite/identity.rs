//! Whether the file is still the one that was opened.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::ledger::LedgerError;

/// The file that was opened.
///
/// Somebody may remove or replace the file while it is in use. What is written
/// then goes where nobody finds it, and another process begins an empty ledger,
/// in which every key may run again. So each transaction looks first.
#[derive(Debug)]
pub(super) struct Identity {
    file: PathBuf,
    mark: Mark,
}

impl Identity {
    /// The file at `file`, which is there.
    pub(super) fn of(file: &Path) -> Result<Self, LedgerError> {
        match mark(file) {
            Ok(mark) => Ok(Self { file: file.to_owned(), mark }),
            Err(error) => Err(LedgerError::Unavailable(format!(
                "{} cannot be looked at: {error}",
                file.display()
            ))),
        }
    }

    /// Fails if another file is there now, or none.
    pub(super) fn check(&self) -> Result<(), LedgerError> {
        let problem = match mark(&self.file) {
            Ok(mark) if mark == self.mark => return Ok(()),
            Ok(_) => "another file has taken its place".to_owned(),
            Err(error) => format!("it is gone: {error}"),
        };
        Err(LedgerError::Unavailable(format!(
            "{} is not the file that was opened, {problem}; put it back, or end every process that uses it and restore \
             it from a backup",
            self.file.display()
        )))
    }
}

/// What tells one file from another.
#[cfg(unix)]
type Mark = (u64, u64);

#[cfg(unix)]
fn mark(file: &Path) -> io::Result<Mark> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(file).map(|metadata| (metadata.dev(), metadata.ino()))
}

/// Elsewhere a file that is open cannot be removed; that it is there is enough.
#[cfg(not(unix))]
type Mark = ();

#[cfg(not(unix))]
fn mark(file: &Path) -> io::Result<Mark> {
    fs::metadata(file).map(drop)
}
