//! Calls on a [`SqliteLedger`], beside the two bare durable transactions that
//! any ledger in SQLite has to make for a fresh call.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, params};
use tokio::runtime::{Builder, Runtime as Tokio};
use tool_contract::Runtime;
use tool_contract::ledger::{CachedLedger, SqliteLedger};

use crate::rounds::{Rounds, aim, timed};
use crate::tools::{ChargeCard, charge_card};

/// Calls in a batch of one caller.
const CALLS: u32 = 50;
/// Calls in a batch that meets no disk, which 50 would not warm up.
const HOT_CALLS: u32 = 2_000;
/// Callers at once in the last cases, each with one call a batch.
const SOME_CALLERS: u32 = 16;
const MANY_CALLERS: u32 = 256;
const ROUNDS: usize = 41;

const BARE: &str = "two bare transactions";
const FRESH: &str = "guarded write, fresh";
const REPLAY: &str = "guarded write, replayed";
const CACHED: &str = "guarded write, replayed from the cache";
const SOME: &str = "guarded write, fresh, 16 callers";
const MANY: &str = "guarded write, fresh, 256 callers";

/// A folder of its own, gone at the end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Result<Self, Box<dyn Error>> {
        let folder =
            std::env::temp_dir().join(format!("tool-contract-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let tokio = Builder::new_current_thread().enable_all().build()?;
    let folder = Folder::new()?;
    let ledger = tokio.block_on(SqliteLedger::open(folder.0.join("ledger.db")))?;
    let runtime = Runtime::builder().ledger(ledger).tool::<ChargeCard>().build()?;
    let ledger = tokio.block_on(SqliteLedger::open(folder.0.join("ledger.db")))?;
    let cached = CachedLedger::new(ledger).max_age(Duration::from_hours(1));
    let cached = Runtime::builder().ledger(cached).tool::<ChargeCard>().build()?;
    let bare = Bare::open(&folder.0.join("bare.db"))?;
    let (mut batch, wide, mut bare_batch) = (0, std::cell::Cell::new(0), 0);
    tokio.block_on(write(&runtime, keys("kept", 0, CALLS)));
    let figures = Rounds::default()
        .case(BARE, CALLS, || {
            bare_batch += 1;
            let keys = keys("bare", bare_batch, CALLS);
            timed(|| keys.iter().for_each(|key| bare.call(key).expect("the file is ours")))
        })
        .case(FRESH, CALLS, || {
            batch += 1;
            let keys = keys("fresh", batch, CALLS);
            timed(|| tokio.block_on(write(&runtime, keys)))
        })
        .case(REPLAY, CALLS, || {
            let keys = keys("kept", 0, CALLS);
            timed(|| tokio.block_on(write(&runtime, keys)))
        })
        .case(CACHED, HOT_CALLS, || {
            let keys = (0..HOT_CALLS / CALLS).flat_map(|_| keys("kept", 0, CALLS)).collect();
            timed(|| tokio.block_on(write(&cached, keys)))
        })
        .case(SOME, SOME_CALLERS, || {
            wide.set(wide.get() + 1);
            many(&tokio, &runtime, keys("some", wide.get(), SOME_CALLERS))
        })
        .case(MANY, MANY_CALLERS, || {
            wide.set(wide.get() + 1);
            many(&tokio, &runtime, keys("many", wide.get(), MANY_CALLERS))
        })
        .run(ROUNDS);
    figures.print("one call on SQLite", BARE);
    println!();
    aim(
        "guarded write on SQLite to its two bare transactions",
        figures.ratio(FRESH, BARE),
        1.3,
        "×",
    );
    aim("replay from the cache", figures.median(CACHED) / 1e3, 1.0, " µs");
    aim("a call of 256 callers at once to one alone", figures.ratio(MANY, FRESH), 0.125, "×");
    Ok(())
}

/// Keys that no other batch has.
pub(crate) fn keys(kind: &str, batch: u32, count: u32) -> Vec<String> {
    (0..count).map(|call| format!("{kind}-{batch}-{call}")).collect()
}

pub(crate) async fn write(runtime: &Runtime, keys: Vec<String>) {
    for key in keys {
        let charged = charge_card(key.clone(), 4_200).key(key).call(runtime).await;
        std::hint::black_box(charged).expect("nothing refuses this write");
    }
}

/// One call of each of many callers, at once.
fn many(tokio: &Tokio, runtime: &Runtime, keys: Vec<String>) -> Duration {
    timed(|| {
        tokio.block_on(async {
            let calls = keys.into_iter().map(|key| {
                let calling = charge_card(key.clone(), 4_200).key(key).call(runtime);
                tokio::spawn(calling)
            });
            for call in calls.collect::<Vec<_>>() {
                std::hint::black_box(call.await)
                    .expect("no call panics")
                    .expect("nothing refuses it");
            }
        });
    })
}

/// The least that is durable: one row, written once and changed once.
struct Bare(Connection);

impl Bare {
    fn open(path: &Path) -> Result<Self, Box<dyn Error>> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.execute_batch("CREATE TABLE calls (key TEXT PRIMARY KEY, arguments TEXT NOT NULL, result TEXT) STRICT")?;
        Ok(Self(connection))
    }

    fn call(&self, key: &str) -> rusqlite::Result<()> {
        let arguments = format!("{{\"cents\":4200,\"order_id\":\"{key}\"}}");
        let mut insert =
            self.0.prepare_cached("INSERT INTO calls (key, arguments) VALUES (?1, ?2)")?;
        insert.execute(params![key, arguments])?;
        let mut update = self.0.prepare_cached("UPDATE calls SET result = ?2 WHERE key = ?1")?;
        update.execute(params![key, arguments])?;
        Ok(())
    }
}
