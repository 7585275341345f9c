//! What the file looks like, and how it came to look so.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::access;
use super::fault::{explain, read_only};
use super::options::SqliteOptions;
use crate::ledger::LedgerError;

/// Marks the file as a ledger: "tcld", for `file` and for us.
const APPLICATION_ID: i32 = 0x7463_6c64;

/// How many pages a connection keeps in memory: 8 MiB.
const CACHE_KIB: i32 = -8_192;

/// The steps from an empty file to the current schema. Step `n` leads to schema
/// version `n + 1`; a step that was released is never changed.
const MIGRATIONS: [&str; 1] = [include_str!("schema_1.sql")];

/// Opens `file` for writing as a ledger, and brings it up to date.
///
/// The caller has the turn: no other process does the same meanwhile.
pub(super) fn open(file: &Path, options: &SqliteOptions) -> Result<Connection, LedgerError> {
    let create = if options.must_exist {
        OpenFlags::empty()
    } else {
        // Where this fails SQLite does too, and its error is explained.
        let _ = access::make(file);
        OpenFlags::SQLITE_OPEN_CREATE
    };
    let connection = connect(file, create, options)?;
    let failed = |error| explain(file, &error);
    if connection.is_readonly("main").map_err(failed)? {
        return Err(LedgerError::Unavailable(read_only(&file.display())));
    }
    // Before anything is written: the file may be somebody else's.
    let version = version(file, &connection)?;
    keep_log(file, &connection)?;
    migrate(file, &connection, version)?;
    bound(file, &connection, options)?;
    Ok(connection)
}

/// Fails unless `file` is a ledger already.
pub(super) fn expect(file: &Path, options: &SqliteOptions) -> Result<(), LedgerError> {
    if let Err(error) = std::fs::metadata(file) {
        return Err(LedgerError::Unavailable(format!(
            "there is no ledger at {}: {error}; nothing was made there",
            file.display()
        )));
    }
    let connection = connect(file, OpenFlags::empty(), options)?;
    match version(file, &connection)? {
        0 => Err(foreign(file, "it is empty")),
        _ => Ok(()),
    }
}

/// Keeps the file from growing beyond what is allowed; each connection that
/// writes has to be told.
fn bound(file: &Path, connection: &Connection, options: &SqliteOptions) -> Result<(), LedgerError> {
    let failed = |error| explain(file, &error);
    if let Some(bytes) = options.most_bytes {
        let page: u32 =
            connection.pragma_query_value(None, "page_size", |row| row.get(0)).map_err(failed)?;
        let pages = (bytes / u64::from(page.max(1))).clamp(1, u64::from(u32::MAX) - 1);
        let pages = u32::try_from(pages).unwrap_or(u32::MAX - 1);
        connection
            .pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
            .map_err(failed)?;
    }
    Ok(())
}

/// Opens another connection to a ledger that [`open`] has opened. It never
/// begins a new file: where there is none, a ledger was lost.
pub(super) fn reopen(file: &Path, options: &SqliteOptions) -> Result<Connection, LedgerError> {
    let connection = connect(file, OpenFlags::empty(), options)?;
    if version(file, &connection)? == 0 {
        return Err(LedgerError::Corrupt(format!(
            "{} is empty; it was a ledger a moment ago",
            file.display()
        )));
    }
    bound(file, &connection, options)?;
    Ok(connection)
}

fn connect(
    file: &Path,
    create: OpenFlags,
    options: &SqliteOptions,
) -> Result<Connection, LedgerError> {
    let failed = |error| explain(file, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | create;
    let connection = Connection::open_with_flags(file, flags).map_err(failed)?;
    connection.busy_timeout(options.busy_timeout).map_err(failed)?;
    // A lost admission would be a second effect: FULL, and nothing less.
    let synchronous = if options.syncs { "FULL" } else { "OFF" };
    connection.pragma_update(None, "synchronous", synchronous).map_err(failed)?;
    connection.pragma_update(None, "cache_size", CACHE_KIB).map_err(failed)?;
    connection.pragma_update(None, "trusted_schema", false).map_err(failed)?;
    // Copying the log back is a thread's own work, so that no call waits for it.
    connection
        .pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))
        .map_err(failed)?;
    Ok(connection)
}

/// The schema version of the file; 0 if it is empty.
fn version(file: &Path, connection: &Connection) -> Result<usize, LedgerError> {
    let failed = |error| explain(file, &error);
    let id: i32 =
        connection.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(failed)?;
    if id == APPLICATION_ID {
        let version = connection
            .query_row("SELECT schema_version FROM meta", [], |row| row.get::<_, u32>(0))
            .map_err(|error| {
                foreign(file, &format!("its schema version cannot be read: {error}"))
            })?;
        return known(file, version);
    }
    let tables: u32 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(failed)?;
    if id == 0 && tables == 0 {
        return Ok(0);
    }
    Err(foreign(
        file,
        "it is an SQLite database of another application; give the ledger a path of its own",
    ))
}

fn known(file: &Path, version: u32) -> Result<usize, LedgerError> {
    match usize::try_from(version) {
        Ok(version @ 1..=MIGRATIONS_LEN) => Ok(version),
        _ => Err(foreign(
            file,
            &format!(
                "it has schema version {version}, and this version of tool-contract knows 1 to {MIGRATIONS_LEN}; \
                 use the version that wrote it"
            ),
        )),
    }
}

const MIGRATIONS_LEN: usize = MIGRATIONS.len();

fn foreign(file: &Path, problem: &str) -> LedgerError {
    LedgerError::Corrupt(format!(
        "{} is not a ledger that can be opened: {problem}",
        file.display()
    ))
}

fn keep_log(file: &Path, connection: &Connection) -> Result<(), LedgerError> {
    let mode: String = connection
        .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
        .map_err(|error| explain(file, &error))?;
    if mode == "wal" {
        return Ok(());
    }
    Err(LedgerError::Unavailable(format!(
        "{} cannot keep a write-ahead log (its journal mode is {mode}); put it on a local file system",
        file.display()
    )))
}

fn migrate(file: &Path, connection: &Connection, version: usize) -> Result<(), LedgerError> {
    for (step, sql) in MIGRATIONS.iter().enumerate().skip(version) {
        let reached = step + 1;
        let sql = format!(
            "BEGIN IMMEDIATE; {sql}; UPDATE meta SET schema_version = {reached}; \
             PRAGMA application_id = {APPLICATION_ID}; COMMIT;"
        );
        connection.execute_batch(&sql).map_err(|error| explain(file, &error))?;
    }
    Ok(())
}
