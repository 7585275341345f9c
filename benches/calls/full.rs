//! A fresh call on a [`SqliteLedger`] that has many finished keys, beside one on an
//! empty ledger.
//!
//! It fills a file of about 1 kB a key; `TOOL_CONTRACT_BENCH_KEYS` sets how many,
//! a million unless said otherwise.

use std::error::Error;
use std::path::Path;

use rusqlite::Connection;
use tokio::runtime::{Builder, Runtime as Tokio};
use tool_contract::Runtime;
use tool_contract::ledger::SqliteLedger;

use crate::rounds::{Rounds, aim, timed};
use crate::sqlite::{Folder, keys, write};
use crate::tools::ChargeCard;

const CALLS: u32 = 50;
const ROUNDS: usize = 41;

const EMPTY: &str = "fresh call, empty ledger";
const FULL: &str = "fresh call, full ledger";

pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let tokio = Builder::new_current_thread().enable_all().build()?;
    let folder = Folder::new()?;
    let set = std::env::var("TOOL_CONTRACT_BENCH_KEYS").ok();
    let count = set.map_or(Ok(1_000_000), |set| set.parse::<u32>())?;
    let full_file = folder.path().join("full.db");
    // One finished operation is the pattern of all.
    tokio.block_on(write(&open(&tokio, &full_file)?, keys("pattern", 0, 1)));
    fill(&full_file, count)?;
    let full = open(&tokio, &full_file)?;
    let empty = open(&tokio, &folder.path().join("empty.db"))?;
    let (mut full_batch, mut empty_batch) = (0, 0);
    let figures = Rounds::default()
        .case(EMPTY, CALLS, || {
            empty_batch += 1;
            let keys = keys("fresh", empty_batch, CALLS);
            timed(|| tokio.block_on(write(&empty, keys)))
        })
        .case(FULL, CALLS, || {
            full_batch += 1;
            let keys = keys("fresh", full_batch, CALLS);
            timed(|| tokio.block_on(write(&full, keys)))
        })
        .run(ROUNDS);
    figures.print(&format!("one call on SQLite, {count} finished keys"), EMPTY);
    println!();
    aim("fresh call on a full ledger to one on an empty", figures.ratio(FULL, EMPTY), 1.5, "×");
    Ok(())
}

fn open(tokio: &Tokio, file: &Path) -> Result<Runtime, Box<dyn Error>> {
    let ledger = tokio.block_on(SqliteLedger::open(file))?;
    Ok(Runtime::builder().ledger(ledger).tool::<ChargeCard>().build()?)
}

/// Writes `count` finished operations with their histories, each with a key and a
/// hash of its own, in no order.
fn fill(file: &Path, count: u32) -> Result<(), Box<dyn Error>> {
    let connection = Connection::open(file)?;
    let columns = |table: &str| -> rusqlite::Result<Vec<String>> {
        let mut names =
            connection.prepare(&format!("SELECT name FROM pragma_table_info('{table}')"))?;
        names.query_map([], |row| row.get(0))?.collect()
    };
    let values: Vec<_> = columns("operations")?
        .into_iter()
        .map(|name| match &*name {
            "id" => "n + 1".to_owned(),
            "key" => "'filled-' || hex(randomblob(8))".to_owned(),
            "hash" => "randomblob(32)".to_owned(),
            _ => format!("o.{name}"),
        })
        .collect();
    let events: Vec<_> = columns("events")?
        .into_iter()
        .map(|name| if name == "operation" { "n + 1".to_owned() } else { format!("e.{name}") })
        .collect();
    let numbers = format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT {count})"
    );
    // It need not survive a crash, and its indexes are made in memory.
    connection.execute_batch(&format!(
        "PRAGMA journal_mode = OFF;
         PRAGMA synchronous = OFF;
         PRAGMA cache_size = -4000000;
         BEGIN;
         INSERT INTO operations {numbers}
            SELECT {} FROM numbers, (SELECT * FROM operations WHERE id = 1) AS o;
         INSERT INTO events {numbers}
            SELECT {} FROM numbers, (SELECT * FROM events WHERE operation = 1) AS e;
         COMMIT;
         PRAGMA journal_mode = WAL;",
        values.join(", "),
        events.join(", ")
    ))?;
    Ok(())
}
