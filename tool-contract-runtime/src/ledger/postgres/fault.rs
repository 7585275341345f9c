//! What went wrong with the server, and what to do about it.

use std::error::Error as _;
use std::fmt::Display;
use std::time::Duration;

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;
use tool_contract_spec::duration;

use crate::ledger::LedgerError;

/// What is known of a request that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It was undone, and may do better if it is sent again.
    Again,
    /// It was undone, for something in it.
    Bad,
    /// It was undone.
    Undone,
    /// It may have been carried out or not.
    Open,
}

/// What became of a request that ended in `error`.
pub(super) fn fate(error: &Error) -> Fate {
    let Some(code) = error.code() else { return Fate::Open };
    match code {
        &SqlState::T_R_DEADLOCK_DETECTED
        | &SqlState::T_R_SERIALIZATION_FAILURE
        | &SqlState::INVALID_SQL_STATEMENT_NAME
        | &SqlState::DUPLICATE_PSTATEMENT => Fate::Again,
        // Intervention by an operator, or worse: it may come in the midst of a commit.
        code if matches!(code.code().get(..2), Some("08" | "40" | "57" | "58" | "XX")) => {
            Fate::Open
        }
        &SqlState::OUT_OF_MEMORY => Fate::Bad,
        // A value that the server cannot take, too much of it, or one that somebody's
        // own constraint refuses.
        code if matches!(code.code().get(..2), Some("22" | "23" | "54")) => Fate::Bad,
        _ => Fate::Undone,
    }
}

/// Whether the session did not know a prepared statement, or knew another one by its
/// name: it is somebody else's, and nothing was carried out. A pooler may say the last
/// of these for reasons of its own, too.
pub(super) fn is_foreign(error: &Error) -> bool {
    error.code().is_some_and(|code| {
        [
            SqlState::INVALID_SQL_STATEMENT_NAME,
            SqlState::DUPLICATE_PSTATEMENT,
            SqlState::PROTOCOL_VIOLATION,
        ]
        .contains(code)
    })
}

/// Says what `error` means for the ledger in `place`.
pub(super) fn explain(place: &impl Display, error: &Error) -> LedgerError {
    let told = told(error);
    let Some(code) = error.code() else {
        return LedgerError::Unavailable(format!("{place}: {told}"));
    };
    match code {
        &SqlState::DISK_FULL => LedgerError::Full(format!("{place}: {told}; nothing was written")),
        &SqlState::OUT_OF_MEMORY => LedgerError::Unavailable(format!(
            "{place}: {told}; nothing was written. If it speaks of shared memory, its \
             `max_locks_per_transaction` is too low for these batches: raise it, or lower \
             `PostgresOptions::batch`"
        )),
        &SqlState::LOCK_NOT_AVAILABLE => LedgerError::Unavailable(format!(
            "{place}: {told}; nothing was written. Look for a transaction that was left open: \
             `SELECT * FROM pg_stat_activity WHERE state = 'idle in transaction'`"
        )),
        &SqlState::READ_ONLY_SQL_TRANSACTION => LedgerError::Unavailable(format!(
            "{place} can only be read; connect to the primary (`target_session_attrs=read-write`)"
        )),
        &SqlState::INSUFFICIENT_PRIVILEGE => LedgerError::Unavailable(format!(
            "{place}: {told}; the role needs USAGE on the schema, and SELECT, INSERT, UPDATE and \
             DELETE on its tables"
        )),
        &SqlState::UNDEFINED_TABLE
        | &SqlState::UNDEFINED_FUNCTION
        | &SqlState::INVALID_SCHEMA_NAME => LedgerError::Corrupt(format!(
            "{place}: {told}; the schema of the ledger was there a moment ago: restore it \
             from a backup. An empty one would let every key run again"
        )),
        _ => LedgerError::Unavailable(format!("{place}: {told}")),
    }
}

/// What an error says, with its causes; it never holds a password.
pub(super) fn told(error: &Error) -> String {
    if let Some(error) = error.as_db_error() {
        return format!("{} ({})", error.message(), error.code().code());
    }
    let mut told = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_told = cause.to_string();
        if !told.contains(&cause_told) {
            told = format!("{told}: {cause_told}");
        }
        source = cause.source();
    }
    told
}

/// What to say of requests that were sent, and of whose fate nobody told.
pub(super) fn open(place: &impl Display, why: &str) -> LedgerError {
    LedgerError::Unavailable(format!(
        "{place}: {why}; the request was sent, and may have been carried out or not"
    ))
}

pub(super) fn silent(place: &impl Display, within: Duration) -> LedgerError {
    open(place, &format!("there was no answer within {}", duration::wait(within)))
}

/// What to say of requests that were never sent.
pub(super) fn unsent(place: &impl Display, why: &str) -> LedgerError {
    LedgerError::Unavailable(format!("{place} cannot be reached: {why}; nothing was sent"))
}

pub(super) fn closed(place: &impl Display) -> LedgerError {
    LedgerError::Unavailable(format!("the ledger in {place} is closed"))
}
