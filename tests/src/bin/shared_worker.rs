//! A process that the kill tests of shared ledgers start and kill.
//!
//! `shared_worker <ledger> <folder> <seed> <keys>` makes call after call, each
//! under one of so many keys taken at random, and prints how each ended. Each
//! effect is appended to a file in `<folder>`, durably. `<ledger>` is the address
//! of a server, or `memory` for a ledger that no other process knows of. It
//! ends with its standard input.

use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use tool_contract::ledger::{MemoryLedger, RedisLedger};
use tool_contract::{CallError, Cx, Runtime, ToolError, tool};

/// How many calls are made at once.
const CALLERS: u64 = 8;

#[derive(Debug, thiserror::Error, ToolError)]
#[error("{0}")]
#[outcome(side_effect_unknown)]
struct EffectError(#[from] std::io::Error);

/// The world outside: a file to which each effect is appended, durably.
struct World {
    folder: PathBuf,
}

/// Nobody can be asked whether it happened.
#[tool(side_effect = "write", idempotent, rollback = "none", in_flight = "reject", state(World))]
async fn strike(cx: &Cx, number: u64) -> Result<u64, EffectError> {
    let path = cx.state::<World>().folder.join("effects");
    // Others get their turn, and the killer his.
    tokio::task::yield_now().await;
    let mut effects = OpenOptions::new().create(true).append(true).open(path)?;
    effects.write_all(format!("{number}\n").as_bytes())?;
    effects.sync_data()?;
    tokio::task::yield_now().await;
    Ok(number)
}

async fn call(runtime: Runtime, number: u64) -> String {
    match strike(number).key(format!("order-{number}")).call(&runtime).await {
        Ok(completed) if completed.replayed() => format!("replayed {number}"),
        Ok(_) => format!("ran {number}"),
        Err(CallError::Unknown(_)) => format!("unknown {number}"),
        Err(CallError::Rejected(_)) => format!("refused {number}"),
        Err(CallError::Ledger(_)) => format!("unavailable {number}"),
        Err(error) => format!("error {number} {error}"),
    }
}

async fn open(address: &str, world: World) -> Result<Runtime, Box<dyn std::error::Error>> {
    let builder = Runtime::builder().state(world);
    if address == "memory" {
        return Ok(builder.ledger(MemoryLedger::new()).build()?);
    }
    loop {
        // The server may just have been killed.
        match RedisLedger::connect(address).await {
            Ok(ledger) => return Ok(builder.ledger(ledger).build()?),
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, address, folder, seed, keys] = &*arguments else {
        return Err("<ledger> <folder> <seed> <keys>".into());
    };
    std::thread::spawn(|| {
        // Whoever started this has ended.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let (seed, keys): (u64, u64) = (seed.parse()?, keys.parse()?);
    let runtime = open(address, World { folder: folder.into() }).await?;
    let callers = (0..CALLERS).map(|caller| {
        let (runtime, mut random) =
            (runtime.clone(), fastrand::Rng::with_seed(seed ^ caller << 32));
        tokio::spawn(async move {
            loop {
                println!("{}", call(runtime.clone(), random.u64(..keys)).await);
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await?;
    }
    Ok(())
}
