//! Opening a file, or saying why not.

use std::fs;
use std::path::Path;

use super::*;
use crate::ledger::sqlite::{reader, statements};
use crate::ledger::{StateName, Timestamp};

#[tokio::test]
async fn a_new_file_is_a_ledger_and_stays_one() {
    let place = Place::new();
    let ledger = place.open().await;
    succeed(&ledger, "k", "7").await;
    let before = record(&ledger, "k").await;
    drop(ledger);
    let ledger = place.open().await;
    assert_eq!(record(&ledger, "k").await, before);
    assert!(matches!(admit(&ledger, 2, "k").await, Ok(Admitted::Replay(_))));
    check(&ledger).await;
}

#[tokio::test]
async fn an_empty_file_becomes_a_ledger() {
    let place = Place::new();
    fs::write(place.file(), "").unwrap();
    succeed(&place.open().await, "k", "7").await;
}

/// The modes of the ledger's files.
#[cfg(unix)]
fn modes(place: &Place) -> Vec<(String, u32)> {
    use std::os::unix::fs::PermissionsExt as _;
    let files = fs::read_dir(place.directory.path()).unwrap().map(Result::unwrap);
    let mode = |file: &fs::DirEntry| file.metadata().unwrap().permissions().mode() & 0o777;
    let mut modes: Vec<_> =
        files.map(|file| (file.file_name().into_string().unwrap(), mode(&file))).collect();
    modes.sort();
    modes
}

#[cfg(unix)]
const FILES: [&str; 4] = ["ledger.db", "ledger.db-shm", "ledger.db-turnstile", "ledger.db-wal"];

#[cfg(unix)]
#[tokio::test]
async fn a_new_ledger_is_for_its_owner_alone() {
    let place = Place::new();
    let ledger = place.open().await;
    succeed(&ledger, "k", "7").await;
    assert_eq!(modes(&place), FILES.map(|name| (name.to_owned(), 0o600)));
    drop(ledger);
    succeed(&place.open().await, "l", "7").await;
    assert!(modes(&place).iter().all(|(_, mode)| *mode == 0o600));
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_is_there_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    fs::write(place.file(), "").unwrap();
    fs::set_permissions(place.file(), fs::Permissions::from_mode(0o640)).unwrap();
    let ledger = place.open().await;
    succeed(&ledger, "k", "7").await;
    assert_eq!(modes(&place), FILES.map(|name| (name.to_owned(), 0o640)));
}

#[tokio::test]
async fn it_is_durable_as_it_says() {
    let place = Place::new();
    let _ledger = place.open().await;
    let other = place.connection();
    let mode: String = other.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
    let mine = super::super::schema::reopen(&place.file(), &place.options()).unwrap();
    let synchronous: i32 = mine.pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap();
    assert_eq!(synchronous, 2, "FULL");
}

#[tokio::test]
async fn people_can_query_it() {
    let place = Place::new();
    succeed(&place.open().await, "k", "7").await;
    let sql = "SELECT o.tool, o.key, o.state, o.result, o.attempts, group_concat(e.kind) \
               FROM operations o JOIN events e ON e.operation = o.id GROUP BY o.id";
    let row = place.connection().query_row(sql, [], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
    });
    let texts = |text: &str| text.to_owned();
    let expected =
        (texts("tool"), texts("k"), texts("succeeded"), texts("7"), 1, texts("claimed,succeeded"));
    assert_eq!(row, Ok(expected));
}

/// How SQLite goes about a statement.
fn plan(connection: &rusqlite::Connection, sql: &str) -> String {
    let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let steps = explain.raw_query();
    let steps: Vec<String> = steps.mapped(|row| row.get(3)).map(Result::unwrap).collect();
    steps.join("; ")
}

#[tokio::test]
async fn no_admission_walks_through_the_table() {
    let place = Place::new();
    drop(place.open().await);
    let connection = place.connection();
    let load = plan(&connection, &statements::load());
    assert_eq!(
        load,
        "SEARCH operations USING INDEX sqlite_autoindex_operations_1 (tenant=? AND tool=? AND key=?)"
    );
    let twins = plan(&connection, &statements::twins());
    assert_eq!(
        twins,
        "SEARCH operations USING INDEX operations_by_intent (tenant=? AND tool=? AND hash=? AND fence>?)"
    );
}

#[tokio::test]
async fn no_listing_of_what_is_rare_walks_through_the_table() {
    let place = Place::new();
    drop(place.open().await);
    let plan = |state| {
        let query = Query { state: Some(state), ..Query::default() };
        plan(&place.connection(), &reader::listing(&query, Timestamp::ZERO).0)
    };
    let of_note = "SEARCH operations USING INDEX operations_of_note (state=?)";
    for state in [StateName::AwaitingApproval, StateName::Denied, StateName::Exhausted] {
        assert_eq!(plan(state), of_note);
    }
}

/// Else a person would be shown as unknown what runs.
#[tokio::test]
async fn a_clock_that_is_set_forward_lists_no_lease_as_lost() {
    let place = Place::new();
    let ledger = place.open().await;
    claim(&ledger, call(1, &key("k"))).await;
    place.clock.step_wall(3_600_000);
    let unknown = Query { state: Some(StateName::Unknown), ..Query::default() };
    assert_eq!(ledger.list(unknown).await.unwrap(), []);
}

#[tokio::test]
async fn only_an_existing_ledger_is_opened_where_that_is_asked() {
    let place = Place::new();
    let names = || {
        let mut names: Vec<_> =
            fs::read_dir(place.directory.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let open = || place.options().must_exist().open(place.file());
    let error = open().await.unwrap_err().to_string();
    assert!(
        error.contains("there is no ledger at") && error.contains("nothing was made"),
        "{error}"
    );
    assert!(names().is_empty());

    fs::write(place.file(), "").unwrap();
    let error = open().await.unwrap_err().to_string();
    assert!(error.contains("it is empty"), "{error}");
    assert_eq!((names(), fs::read(place.file()).unwrap()), (vec!["ledger.db".into()], vec![]));

    fs::write(place.file(), "shopping list, and nothing that SQLite would know").unwrap();
    let error = open().await.unwrap_err().to_string();
    assert!(error.contains("is not an SQLite database"), "{error}");
    assert_eq!(names(), ["ledger.db"]);

    fs::remove_file(place.file()).unwrap();
    drop(place.open().await);
    assert!(open().await.is_ok());
}

#[tokio::test]
async fn a_missing_directory_is_named() {
    let place = Place::new();
    let error = refused(&place.directory.path().join("missing").join("ledger.db")).await;
    assert!(error.to_string().contains("make the directory first"), "{error}");
}

#[tokio::test]
async fn what_is_no_file_is_refused() {
    let place = Place::new();
    let error = refused(place.directory.path()).await;
    assert!(error.to_string().contains("is a directory"), "{error}");
    for path in ["", ":memory:"] {
        let error = SqliteLedger::open(path).await.unwrap_err();
        assert!(error.to_string().contains("MemoryLedger"), "{error}");
    }
}

#[tokio::test]
async fn another_file_is_left_alone() {
    let place = Place::new();
    for garbage in
        ["not a database, but long enough to be taken for one".repeat(100), "short".into()]
    {
        fs::write(place.file(), &garbage).unwrap();
        let error = refused(&place.file()).await;
        assert!(matches!(error, LedgerError::Corrupt(_)), "{error}");
        assert_eq!(fs::read_to_string(place.file()).unwrap(), garbage);
    }
}

#[tokio::test]
async fn another_database_is_left_alone() {
    let place = Place::new();
    place
        .connection()
        .execute_batch("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)")
        .unwrap();
    let before = fs::read(place.file()).unwrap();
    let error = refused(&place.file()).await;
    assert!(matches!(error, LedgerError::Corrupt(_)), "{error}");
    assert!(error.to_string().contains("another application"), "{error}");
    assert_eq!(fs::read(place.file()).unwrap(), before);
}

#[tokio::test]
async fn another_version_is_left_alone() {
    let place = Place::new();
    drop(place.open().await);
    place.connection().execute_batch("UPDATE meta SET schema_version = 99").unwrap();
    let error = refused(&place.file()).await;
    assert!(matches!(error, LedgerError::Corrupt(_)), "{error}");
    assert!(error.to_string().contains("schema version 99"), "{error}");
}

#[tokio::test]
async fn a_damaged_beginning_is_found() {
    let place = Place::new();
    succeed(&place.open().await, "k", "7").await;
    let mut bytes = fs::read(place.file()).unwrap();
    bytes[..64].fill(0x5a);
    fs::write(place.file(), bytes).unwrap();
    let error = refused(&place.file()).await;
    assert!(matches!(error, LedgerError::Corrupt(_)), "{error}");
}

#[tokio::test]
async fn a_truncated_file_is_found() {
    let place = Place::new();
    let ledger = place.open().await;
    for number in 0..50 {
        succeed(&ledger, &format!("k{number}"), &"x".repeat(4_000)).await;
    }
    drop(ledger);
    let length = fs::metadata(place.file()).unwrap().len();
    let file = fs::File::options().write(true).open(place.file()).unwrap();
    file.set_len(length / 3).unwrap();
    // Either it cannot be opened, or what is missing cannot be read; in no case
    // is an operation forgotten that was on record.
    match place.options().open(place.file()).await {
        Err(error) => assert!(matches!(error, LedgerError::Corrupt(_)), "{error}"),
        Ok(ledger) => {
            for number in 0..50 {
                match admit(&ledger, 2, &format!("k{number}")).await {
                    Ok(Admitted::Replay(_)) => {}
                    Err(error) => assert!(matches!(error, LedgerError::Corrupt(_)), "{error}"),
                    Ok(other) => panic!("{other:?}"),
                }
            }
        }
    }
}

/// Whether this process may write where nobody may: then permissions show
/// nothing.
fn is_all_powerful(directory: &Path) -> bool {
    let probe = directory.join("probe");
    fs::write(&probe, "").unwrap();
    set_read_only(&probe);
    fs::File::options().write(true).open(&probe).is_ok()
}

fn set_read_only(path: &Path) {
    let mut permissions = fs::metadata(path).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(path, permissions).unwrap();
}

#[tokio::test]
async fn a_file_that_may_only_be_read_is_named() {
    let place = Place::new();
    if is_all_powerful(place.directory.path()) {
        return;
    }
    drop(place.open().await);
    set_read_only(&place.file());
    let error = refused(&place.file()).await;
    assert!(error.to_string().contains("allowed to write"), "{error}");
}

#[tokio::test]
async fn a_row_that_cannot_be_read_harms_no_other() {
    let place = Place::new();
    let ledger = place.open().await;
    succeed(&ledger, "good", "7").await;
    succeed(&ledger, "bad", "8").await;
    place
        .connection()
        .execute_batch("UPDATE operations SET state = 'dancing' WHERE key = 'bad'")
        .unwrap();
    let (bad, good, new) = tokio::join!(
        admit(&ledger, 2, "bad"),
        admit(&ledger, 2, "good"),
        admit(&ledger, 2, "new"),
    );
    let error = bad.unwrap_err();
    assert!(matches!(error, LedgerError::Corrupt(_)), "{error}");
    assert!(
        error.to_string().contains("`dancing`") && error.to_string().contains("ledger.db"),
        "{error}"
    );
    assert!(matches!(good, Ok(Admitted::Replay(_))), "{good:?}");
    assert!(matches!(new, Ok(Admitted::Claimed(_))), "{new:?}");
    assert!(matches!(ledger.find(key("bad")).await, Err(LedgerError::Corrupt(_))));
    // Nor where they are written together.
    let (bad, other) =
        tokio::join!(settle(&ledger, "bad", Fence(2), happened("8")), admit(&ledger, 2, "other"),);
    assert!(matches!(bad, Err(LedgerError::Corrupt(_))), "{bad:?}");
    assert!(matches!(other, Ok(Admitted::Claimed(_))), "{other:?}");
}

#[tokio::test]
async fn fences_never_start_anew() {
    let place = Place::new();
    let ledger = place.open().await;
    succeed(&ledger, "k", "7").await;
    for damage in ["UPDATE meta SET fence = -1", "DELETE FROM meta"] {
        place.connection().execute_batch(damage).unwrap();
        let error = admit(&ledger, 1, "l").await.unwrap_err();
        assert!(matches!(error, LedgerError::Corrupt(_)), "{error}");
        assert!(error.to_string().contains("ledger.db"), "{error}");
    }
}

#[tokio::test]
async fn a_changed_history_is_found() {
    let place = Place::new();
    let ledger = place.open().await;
    succeed(&ledger, "k", "7").await;
    place.connection().execute_batch("UPDATE events SET at = at - 1 WHERE seq = 1").unwrap();
    let history = ledger.history(key("k")).await.unwrap();
    assert!(verify(&history, &record(&ledger, "k").await.chain).is_err());
}
