//! A process that calls and calls, until it is killed.
//!
//! `kill_worker_postgres <url> <folder> <keys> <how>` calls one tool on the
//! ledger at `<url>`, under keys from 0 to `<keys>`; the effect is a line in
//! `<folder>/effects`. It prints a line for each call, how it ended and its key.
//! `<how>` is `forever`, at random, or `once`, each key. With `-` for a URL there
//! is no ledger that processes share: then effects are repeated.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tool_contract::ledger::{Ledger, LedgerError, MemoryLedger, PostgresLedger};
use tool_contract::{CallError, Cx, Runtime, ToolError, tool};

/// How many calls are made at once.
const CALLERS: u64 = 16;
/// How long a claim holds: short, so that what a killed process held is found out.
const LEASE: Duration = Duration::from_secs(2);

#[derive(Debug, thiserror::Error, ToolError)]
#[error("{0}")]
#[outcome(side_effect_unknown)]
struct EffectError(#[from] std::io::Error);

/// The world outside: a file to which each effect is appended. What was written
/// outlives the process that wrote it.
struct World(File);

/// Nobody can be asked whether it happened.
#[tool(side_effect = "write", idempotent, rollback = "none", state(World))]
async fn act(cx: &Cx, number: u64) -> Result<u64, EffectError> {
    tokio::task::yield_now().await;
    // One short piece: it is written whole or not at all.
    (&cx.state::<World>().0).write_all(format!("{number}\n").as_bytes())?;
    tokio::task::yield_now().await;
    Ok(number)
}

async fn call(runtime: &Runtime, number: u64) {
    let word = match act(number).key(format!("key-{number}")).call(runtime).await {
        Ok(completed) if completed.replayed() => "replayed",
        Ok(_) => "ran",
        Err(CallError::Unknown(_)) => "unknown",
        Err(CallError::Ledger(_)) => "unavailable",
        Err(_) => "refused",
    };
    println!("{word} {number}");
}

async fn connect(url: &str) -> Arc<dyn Ledger> {
    if url == "-" {
        return Arc::new(MemoryLedger::new());
    }
    loop {
        let options = PostgresLedger::options().pool(4).patience(Duration::from_millis(500));
        match options.connect(url).await {
            Ok(ledger) => return Arc::new(ledger),
            // The server is killed too.
            Err(LedgerError::Unavailable(_)) => tokio::time::sleep(LEASE / 10).await,
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, url, folder, keys, how] = &*arguments else {
        return Err("<url> <folder> <keys> <how>".into());
    };
    let (keys, is_once) = (keys.parse::<u64>()?, how == "once");
    let effects = Path::new(folder).join("effects");
    let world = World(OpenOptions::new().create(true).append(true).open(effects)?);
    let ledger = connect(url).await;
    let runtime = Runtime::builder().shared_ledger(ledger).state(world).lease(LEASE).build()?;
    let next = Arc::new(AtomicU64::new(0));
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (runtime, next) = (runtime.clone(), Arc::clone(&next));
            tokio::spawn(async move {
                loop {
                    let number = if is_once {
                        next.fetch_add(1, Ordering::Relaxed)
                    } else {
                        fastrand::u64(..keys)
                    };
                    if number >= keys {
                        return;
                    }
                    call(&runtime, number).await;
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await?;
    }
    Ok(())
}
