//! What went wrong with the file, and what to do about it.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Error, ErrorCode};
use tool_contract_spec::duration;

use crate::ledger::LedgerError;

/// Why one request was not done.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It has to write, and only looking is allowed now.
    MustWrite,
    /// This request cannot be done; others in the same transaction can.
    Request(LedgerError),
    /// The transaction is lost.
    Transaction(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Transaction(error)
    }
}

impl From<Damage> for Trouble {
    fn from(damage: Damage) -> Self {
        Self::Request(LedgerError::Corrupt(damage.to_string()))
    }
}

/// A value in the file that no ledger of this version wrote.
#[derive(Debug)]
pub(super) struct Damage {
    pub(super) column: String,
    pub(super) problem: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { column, problem } = self;
        write!(f, "{column} {problem}; restore the file from a backup, or repair this row by hand")
    }
}

/// Says what `error` means for the ledger in `file`.
pub(super) fn explain(file: &Path, error: &Error) -> LedgerError {
    let file = file.display();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => LedgerError::Full(format!(
            "{file}: {error}; free some space on its disk, or allow the ledger a larger file"
        )),
        Some(ErrorCode::DatabaseCorrupt) => LedgerError::Corrupt(format!(
            "{file} is damaged: {error}; restore it from a backup, or recover it with `sqlite3 {file} .recover`; \
             do not delete it, for then every key in it would run again"
        )),
        Some(ErrorCode::NotADatabase) => LedgerError::Corrupt(format!(
            "{file} is not an SQLite database, or its beginning is damaged: {error}; \
             give the ledger a path of its own, or restore the file from a backup"
        )),
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            LedgerError::Unavailable(format!(
                "{file} cannot be opened: {error}; this process must be allowed to write the file and its directory"
            ))
        }
        Some(ErrorCode::ReadOnly) => LedgerError::Unavailable(read_only(&file)),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            LedgerError::Unavailable(format!(
                "{file} is locked by another process: {error}; end that process, or what it does with the file"
            ))
        }
        None if is_surprise(error) => LedgerError::Corrupt(format!(
            "{file} holds what no ledger wrote: {error}; restore it from a backup, or repair its table `meta` by hand"
        )),
        _ => LedgerError::Unavailable(format!("{file}: {error}")),
    }
}

/// Whether a row is missing, or holds a value that it cannot.
fn is_surprise(error: &Error) -> bool {
    matches!(
        error,
        Error::QueryReturnedNoRows
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..)
    )
}

pub(super) fn read_only(file: &impl fmt::Display) -> String {
    format!(
        "{file} can only be read; this process must be allowed to write the file and its directory"
    )
}

pub(super) fn occupied(file: &Path, waited: Duration) -> LedgerError {
    let file = file.display();
    LedgerError::Unavailable(format!(
        "another process has held {file} for more than {}; look for one that is stopped or has left a \
         transaction open",
        duration::passed(waited)
    ))
}

pub(super) fn closed(file: &Path) -> LedgerError {
    LedgerError::Unavailable(format!("the ledger in {} is closed", file.display()))
}
