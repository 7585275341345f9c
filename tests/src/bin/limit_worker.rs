//! A process that makes limited calls, of which the tests of limits start four.
//!
//! `limit_worker <ledger> <folder> <first> <calls>` calls each of four limited
//! tools under so many keys, from the first on, and prints how each call ended.
//! Acts are kept in `<folder>`. It ends by itself, or with its standard input.

use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tool_contract::spec::rulebook::Code;
use tool_contract::{Budget, CallError, Completed, Cx, Runtime, ToolError, tool};
use tool_contract_tests::shared::{World, key, open};

/// How many calls are made at once.
const CALLERS: u64 = 8;

/// How long a call of those that are counted while they run takes.
const LONG_ENOUGH: Duration = Duration::from_millis(2);

#[derive(Debug, thiserror::Error, ToolError)]
#[error("{0}")]
#[outcome(side_effect_unknown)]
struct NotWritten(#[from] std::io::Error);

/// So many in all.
#[tool(
    side_effect = "write",
    idempotent,
    rollback = "none",
    rate_limit(per_workflow = 60),
    state(World)
)]
async fn counted(cx: &Cx, number: u64) -> Result<u64, NotWritten> {
    cx.state::<World>().act("counted", number, cx.idempotency_key())?;
    Ok(number)
}

/// So many a day: the next one has room after 24 minutes.
#[tool(
    side_effect = "write",
    idempotent,
    rollback = "none",
    rate_limit(per_tool = "1000/d", per_tenant = "60/d", per_user = "90/d"),
    state(World)
)]
async fn rated(cx: &Cx, number: u64) -> Result<u64, NotWritten> {
    cx.state::<World>().act("rated", number, cx.idempotency_key())?;
    Ok(number)
}

/// Limited by the budget of its objective alone.
#[tool(side_effect = "write", idempotent, rollback = "none", state(World))]
async fn spent(cx: &Cx, number: u64) -> Result<u64, NotWritten> {
    cx.state::<World>().act("spent", number, cx.idempotency_key())?;
    Ok(number)
}

/// So many at a time; each says when it begins, and when it ends.
#[tool(
    side_effect = "write",
    idempotent,
    rollback = "none",
    concurrency(per_tool = 3),
    state(World)
)]
async fn few(cx: &Cx, number: u64) -> Result<u64, NotWritten> {
    cx.state::<World>().act("few", 1, cx.idempotency_key())?;
    // Others get their turn to break in.
    tokio::time::sleep(LONG_ENOUGH).await;
    cx.state::<World>().act("few", 0, cx.idempotency_key())?;
    Ok(number)
}

fn word(ended: Result<Completed<u64>, CallError<NotWritten>>) -> &'static str {
    match ended {
        Ok(completed) if completed.replayed() => "replayed",
        Ok(_) => "ran",
        Err(CallError::Rejected(rejected))
            if matches!(rejected.code, Code::LIMITED | Code::BUDGET_SPENT) =>
        {
            "limited"
        }
        // Of a call whose process was killed.
        Err(CallError::Rejected(rejected)) if rejected.code == Code::IN_FLIGHT => "held",
        Err(CallError::Unknown(_)) => "unknown",
        Err(error) => {
            eprintln!("{error}");
            "error"
        }
    }
}

/// Two runtimes, one of which has a budget.
#[derive(Clone)]
struct Two {
    runtime: Runtime,
    budgeted: Runtime,
}

async fn call(Two { runtime, budgeted }: &Two, number: u64) {
    let counted = counted(number).key(key(number)).workflow("order").call(runtime).await;
    println!("{} counted {number}", word(counted));
    let rated = rated(number).key(key(number)).tenant("acme").user("ann").call(runtime).await;
    println!("{} rated {number}", word(rated));
    let spent = spent(number).key(key(number)).workflow("order").call(budgeted).await;
    println!("{} spent {number}", word(spent));
    let few = few(number).key(key(number)).call(runtime).await;
    println!("{} few {number}", word(few));
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, address, folder, first, calls] = &*arguments else {
        return Err("<ledger> <folder> <first> <calls>".into());
    };
    std::thread::spawn(|| {
        // Whoever started this has ended.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let ledger = open(address).await?;
    let builder =
        || Runtime::builder().shared_ledger(Arc::clone(&ledger)).state(World::new(folder));
    let budget = Budget::attempts(60).within(Duration::from_hours(1));
    let two = Two { runtime: builder().build()?, budgeted: builder().budget(budget).build()? };
    let (first, calls): (u64, u64) = (first.parse()?, calls.parse()?);
    let next = Arc::new(AtomicU64::new(first));
    let callers = (0..CALLERS).map(|_| {
        let (two, next) = (two.clone(), Arc::clone(&next));
        tokio::spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= first + calls {
                    return;
                }
                call(&two, number).await;
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await?;
    }
    Ok(())
}
