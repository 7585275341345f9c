//! A process that the kill tests of shared ledgers start and kill.
//!
//! `shared_worker <ledger> <folder> <keys> <seed>` makes call after call, each of
//! one of two tools under one of so many keys taken at random, and prints how
//! each ended. With `each` for a seed it makes each call once, in order, and
//! ends. Acts are kept in `<folder>`. It ends with its standard input.

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use tool_contract::ledger::{Ledger, LedgerError};
use tool_contract::{CallError, Completed, Cx, Runtime, ToolError, tool};
use tool_contract_tests::shared::{LEASE, World, key, open};

/// How many calls are made at once.
const CALLERS: u64 = 8;

/// How long to leave a server alone that does not answer.
const PAUSE: Duration = Duration::from_millis(10);

#[derive(Debug, thiserror::Error, ToolError)]
enum ActError {
    #[error("{0}")]
    #[outcome(side_effect_unknown)]
    Failed(#[from] std::io::Error),
    #[error("the answer was lost")]
    #[outcome(side_effect_unknown)]
    NoAnswer,
}

async fn act(cx: &Cx, tool: &str, number: u64) -> Result<u64, ActError> {
    // Others get their turn, and the killer his.
    tokio::task::yield_now().await;
    cx.state::<World>().act(tool, number, cx.idempotency_key())?;
    tokio::task::yield_now().await;
    Ok(number)
}

/// Nobody can be asked whether it happened, and nobody but the ledger dedupes.
#[tool(side_effect = "write", idempotent, rollback = "none", in_flight = "reject", state(World))]
async fn strike(cx: &Cx, number: u64) -> Result<u64, ActError> {
    act(cx, "strike", number).await
}

/// The world dedupes on the key; some answers of it are lost.
#[tool(
    side_effect = "write",
    idempotent(by = "downstream"),
    retry(max = 3, max_total = 1_000, on = "side_effect_unknown", base = "1ms", cap = "5ms"),
    rollback = "none",
    in_flight = "reject",
    state(World)
)]
async fn deliver(cx: &Cx, number: u64) -> Result<u64, ActError> {
    let answer = act(cx, "deliver", number).await?;
    if cx.attempt() == 1 && number.is_multiple_of(8) {
        return Err(ActError::NoAnswer);
    }
    Ok(answer)
}

async fn call(runtime: &Runtime, is_strike: bool, number: u64) {
    let (tool, said) = if is_strike {
        ("strike", word(strike(number).key(key(number)).call(runtime).await))
    } else {
        ("deliver", word(deliver(number).key(key(number)).call(runtime).await))
    };
    println!("{said} {tool} {number}");
    if said == "unavailable" {
        tokio::time::sleep(PAUSE).await;
    }
}

fn word(ended: Result<Completed<u64>, CallError<ActError>>) -> &'static str {
    match ended {
        Ok(completed) if completed.replayed() => "replayed",
        Ok(_) => "ran",
        Err(CallError::Unknown(unknown)) if unknown.escalation.is_some() => "unknown",
        Err(CallError::Unknown(_)) => "doubtful",
        Err(CallError::Rejected(_)) => "refused",
        Err(CallError::Ledger(_)) => "unavailable",
        Err(error) => {
            eprintln!("{error}");
            "error"
        }
    }
}

async fn opened(address: &str) -> Result<Arc<dyn Ledger>, LedgerError> {
    loop {
        match open(address).await {
            // The server may just have been killed.
            Err(LedgerError::Unavailable(_)) => tokio::time::sleep(PAUSE).await,
            opened => return opened,
        }
    }
}

/// What one of the callers does.
async fn at_random(runtime: Runtime, keys: u64, mut random: fastrand::Rng) {
    loop {
        call(&runtime, random.bool(), random.u64(..keys)).await;
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, address, folder, keys, seed] = &*arguments else {
        return Err("<ledger> <folder> <keys> <seed>".into());
    };
    std::thread::spawn(|| {
        // Whoever started this has ended.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let keys = keys.parse()?;
    let ledger = opened(address).await?;
    let builder = Runtime::builder().shared_ledger(ledger).state(World::new(folder));
    if seed == "each" {
        // Nobody is killed any more, so nobody has to be found dead soon.
        let runtime = builder.build()?;
        for number in 0..keys {
            call(&runtime, true, number).await;
            call(&runtime, false, number).await;
        }
        return Ok(());
    }
    let (runtime, seed): (_, u64) = (builder.lease(LEASE).build()?, seed.parse()?);
    let callers = (0..CALLERS).map(|caller| fastrand::Rng::with_seed(seed ^ (caller << 32)));
    let callers = callers.map(|random| tokio::spawn(at_random(runtime.clone(), keys, random)));
    for caller in callers.collect::<Vec<_>>() {
        caller.await?;
    }
    Ok(())
}
