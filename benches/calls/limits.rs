//! Fresh calls under five limits, beside calls under none.

use std::cell::Cell;
use std::error::Error;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime as Tokio};
use tool_contract::ledger::{Ledger, PostgresLedger, RedisLedger, SqliteLedger};
use tool_contract::spec::policy::{Limit, Quota, SideEffect};
use tool_contract::{Runtime, tool};
use tool_contract_servers::{Postgres, Redis};

use crate::rounds::{Rounds, aim, timed};
use crate::sqlite::{Folder, keys};
use crate::tools::{ChargeCard, PaymentError, Receipt, charge, charge_card};

const CALLS: u32 = 50;
const ROUNDS: usize = 41;

const FREE: &str = "fresh call, no limit";
const LIMITED: &str = "fresh call, five limits";

/// Charge the card on file, so many times.
#[tool(
    side_effect = "write",
    idempotent,
    retry(max = 3, on = "retryable"),
    rollback = "manual_only",
    rate_limit(per_tool = "1000000/s", per_tenant = "1000000/s", per_user = "1000000/s")
)]
async fn charge_limited(order_id: String, cents: u64) -> Result<Receipt, PaymentError> {
    charge(order_id, cents).await
}

pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let tokio = Builder::new_current_thread().enable_all().build()?;
    let folder = Folder::new()?;
    let file = folder.path().join("limits.db");
    let open = || tokio.block_on(SqliteLedger::open(&file));
    compare(&tokio, open()?, open()?, "SQLite")?;
    if let Some(server) = Postgres::start() {
        let open = || tokio.block_on(PostgresLedger::connect(&server.url()));
        compare(&tokio, open()?, open()?, "PostgreSQL")?;
    }
    if let Some(server) = Redis::start() {
        let open = || tokio.block_on(RedisLedger::connect(&server.url()));
        compare(&tokio, open()?, open()?, "Redis")?;
    }
    Ok(())
}

fn compare<L: Ledger>(tokio: &Tokio, free: L, limited: L, on: &str) -> Result<(), Box<dyn Error>> {
    let free = Runtime::builder().ledger(free).tool::<ChargeCard>().build()?;
    let much = Quota::per_second(1_000_000);
    let limited = Runtime::builder()
        .ledger(limited)
        .limit(SideEffect::Write, Limit::for_all(much))
        .limit(SideEffect::Write, Limit::per_user(much))
        .tool::<ChargeLimited>()
        .build()?;
    let batch = Cell::new(0);
    let fresh = |kind| {
        batch.set(batch.get() + 1);
        keys(kind, batch.get(), CALLS)
    };
    let figures = Rounds::default()
        .case(FREE, CALLS, || {
            let call = |key: String| charge_card(key.clone(), 4_200).key(key);
            each(tokio, fresh("free"), async |key| {
                let call = call(key).tenant("t").user("u");
                call.call(&free).await.expect("nothing refuses this write");
            })
        })
        .case(LIMITED, CALLS, || {
            let call = |key: String| charge_limited(key.clone(), 4_200).key(key);
            each(tokio, fresh("limited"), async |key| {
                let call = call(key).tenant("t").user("u");
                call.call(&limited).await.expect("nothing refuses this write");
            })
        })
        .run(ROUNDS);
    figures.print(&format!("one call on {on}"), FREE);
    println!();
    aim(&format!("five limits on {on} to none"), figures.ratio(LIMITED, FREE), 1.2, "×");
    Ok(())
}

fn each(tokio: &Tokio, keys: Vec<String>, call: impl AsyncFn(String)) -> Duration {
    timed(|| {
        tokio.block_on(async {
            for key in keys {
                call(key).await;
            }
        });
    })
}
