//! A process that the kill tests start, and end at a chosen point.
//!
//! `kill_worker <folder> <tool> <point>` makes one call of `<tool>` on the
//! ledger in `<folder>`. At `<point>` it prints `at <point>` and stands still,
//! to be killed; `-` is no point. Otherwise it prints how the call ended. With
//! a fourth argument its clock is ahead by so many seconds.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tool_contract::clock::Clock;
use tool_contract::ledger::SqliteLedger;
use tool_contract::testing::{Fault, FaultyLedger, ManualClock, Step};
use tool_contract::{Asked, CallError, Calling, Cx, Runtime, Tool, ToolError, tool};

#[derive(Debug, thiserror::Error, ToolError)]
#[error("{0}")]
#[outcome(side_effect_unknown)]
struct EffectError(#[from] std::io::Error);

/// The world outside: a file to which each effect is appended, durably.
struct World {
    folder: PathBuf,
    point: String,
}

impl World {
    /// Stands still at this point, if it is the one.
    async fn at(&self, point: &str) {
        if self.point == point {
            println!("at {point}");
            std::future::pending::<()>().await;
        }
    }

    fn append(&self, line: &str) -> std::io::Result<()> {
        let mut effects =
            OpenOptions::new().create(true).append(true).open(self.folder.join("effects"))?;
        effects.write_all(format!("{line}\n").as_bytes())?;
        effects.sync_all()
    }

    fn has_begun(&self, key: &str) -> bool {
        let effects = std::fs::read_to_string(self.folder.join("effects")).unwrap_or_default();
        effects.lines().any(|line| line == format!("begin {key}"))
    }

    /// The effect, and the points around and within it.
    async fn act(&self, key: &str) -> Result<u64, EffectError> {
        self.at("before-effect").await;
        self.append(&format!("begin {key}"))?;
        self.at("during-effect").await;
        self.append(&format!("end {key}"))?;
        self.at("after-effect").await;
        Ok(17)
    }
}

/// Nobody can be asked whether it happened.
#[tool(side_effect = "write", idempotent, rollback = "none", state(World))]
async fn silent(cx: &Cx, amount: u64) -> Result<u64, EffectError> {
    let _ = amount;
    cx.state::<World>().act(cx.idempotency_key()).await
}

/// The world can be asked whether it happened.
#[tool(
    side_effect = "write",
    idempotent,
    rollback = "none",
    reconcile(with = "look", settle = "1s"),
    in_flight = "reject",
    state(World)
)]
async fn askable(cx: &Cx, amount: u64) -> Result<u64, EffectError> {
    let _ = amount;
    cx.state::<World>().act(cx.idempotency_key()).await
}

async fn look(asked: Asked<Askable>) -> Result<Option<u64>, EffectError> {
    let world = asked.cx().state::<World>();
    world.at("during-reconcile").await;
    Ok(world.has_begun(asked.cx().idempotency_key()).then_some(17))
}

/// The world dedupes on the key that it is given.
#[tool(side_effect = "write", idempotent(by = "downstream"), rollback = "none", state(World))]
async fn deduped(cx: &Cx, amount: u64) -> Result<u64, EffectError> {
    let _ = amount;
    let world = cx.state::<World>();
    if world.has_begun(cx.idempotency_key()) {
        return Ok(17);
    }
    world.act(cx.idempotency_key()).await
}

/// The step of the ledger at which a point stands, and how it hangs there.
fn hanging(point: &str) -> Option<(Step, Fault)> {
    Some(match point {
        "before-claim" => (Step::Admit, Fault::Hang),
        "after-claim" => (Step::Admit, Fault::ReplyHang),
        "before-settlement" => (Step::Settle, Fault::Hang),
        "after-settlement" => (Step::Settle, Fault::ReplyHang),
        "before-report" => (Step::FinishReconcile, Fault::Hang),
        "after-report" => (Step::FinishReconcile, Fault::ReplyHang),
        _ => return None,
    })
}

async fn report<T: Tool<Output = u64, Error = EffectError>>(calling: Calling<T>) {
    match calling.await {
        Ok(completed) if completed.replayed() => println!("replayed {}", *completed),
        Ok(completed) => println!("ran {}", *completed),
        Err(CallError::Unknown(unknown)) => println!("unknown {}", unknown.escalation.is_some()),
        Err(error) => println!("error {error}"),
    }
}

async fn make(runtime: &Runtime, tool: &str) {
    const KEY: &str = "order-17";
    match tool {
        "silent" => report(silent(1).key(KEY).call(runtime)).await,
        "askable" => report(askable(1).key(KEY).call(runtime)).await,
        "deduped" => report(deduped(1).key(KEY).call(runtime)).await,
        other => println!("error no tool {other}"),
    }
}

async fn open(
    folder: &Path,
    ahead: Duration,
) -> Result<(SqliteLedger, Arc<dyn Clock>), Box<dyn std::error::Error>> {
    let clock = ManualClock::new();
    clock.advance(ahead);
    let clock: Arc<dyn Clock> = Arc::new(clock);
    let ledger =
        SqliteLedger::options().clock(Arc::clone(&clock)).open(folder.join("ledger.db")).await?;
    Ok((ledger, clock))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, folder, tool, point, rest @ ..] = &*arguments else {
        return Err("<folder> <tool> <point>".into());
    };
    let ahead = rest.first().map_or(Ok(0), |seconds| seconds.parse())?;
    let (ledger, clock) = open(folder.as_ref(), Duration::from_secs(ahead)).await?;
    let ledger = FaultyLedger::new(ledger);
    if let Some((step, fault)) = hanging(point) {
        ledger.fail(step, fault, 1);
    }
    let world = World { folder: folder.into(), point: point.clone() };
    let runtime = Runtime::builder().clock(clock).ledger(ledger.clone()).state(world).build()?;
    tokio::select! {
        () = make(&runtime, tool) => {}
        () = ledger.hangs() => {
            println!("at {point}");
            std::future::pending::<()>().await;
        }
    }
    Ok(())
}
