//! A saga of three steps, beside three calls that are made one after the other:
//! six transactions of the ledger.

use std::cell::Cell;
use std::error::Error;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime as Tokio};
use tool_contract::ledger::{Ledger, PostgresLedger, SqliteLedger};
use tool_contract::sagas::Outcome;
use tool_contract::{Done, Runtime, Saga, StepError, ToolError, saga, tool};
use tool_contract_servers::Postgres;

use crate::rounds::{Rounds, aim, timed};
use crate::sqlite::{Folder, keys};
use crate::tools::charge;

const CALLS: u32 = 20;
const ROUNDS: usize = 41;

const CALLS_ALONE: &str = "three calls";
const SAGA: &str = "a saga of three steps";

/// Why an order fails. It never does here.
#[derive(Debug, thiserror::Error, ToolError)]
#[error("{0}")]
#[outcome(permanent_failure)]
pub(crate) struct Failed(String);

impl<E: std::fmt::Display> From<StepError<E>> for Failed {
    fn from(why: StepError<E>) -> Self {
        Self(why.to_string())
    }
}

/// Do one part of an order.
#[tool(side_effect = "write", idempotent, retry(max = 3, on = "retryable"), rollback = "undo")]
async fn part(order_id: String, number: u64) -> Result<u64, Failed> {
    let charged = charge(order_id, number).await.map_err(|why| Failed(why.to_string()))?;
    Ok(charged.cents)
}

async fn undo(_done: Done<Part>) -> Result<(), Failed> {
    std::future::ready(Ok(())).await
}

/// Do all parts of an order.
#[saga]
async fn order(saga: Saga, order_id: String) -> Result<u64, Failed> {
    let mut all = 0;
    for number in 1..=3 {
        all += saga.step(part(order_id.clone(), number)).await?;
    }
    Ok(all)
}

pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let tokio = Builder::new_current_thread().enable_all().build()?;
    let folder = Folder::new()?;
    let sqlite = tokio.block_on(SqliteLedger::open(folder.path().join("saga.db")))?;
    compare(&tokio, sqlite, "SQLite")?;
    let Some(server) = Postgres::start() else { return Ok(()) };
    let postgres = tokio.block_on(PostgresLedger::connect(&server.url()))?;
    compare(&tokio, postgres, "PostgreSQL")
}

fn compare(tokio: &Tokio, ledger: impl Ledger, on: &str) -> Result<(), Box<dyn Error>> {
    let runtime = Runtime::builder().ledger(ledger).tool::<Part>().tool::<Order>().build()?;
    let batch = Cell::new(0);
    let fresh = |kind| {
        batch.set(batch.get() + 1);
        keys(kind, batch.get(), CALLS)
    };
    let figures = Rounds::default()
        .case(CALLS_ALONE, CALLS, || calls(tokio, &runtime, fresh("call")))
        .case(SAGA, CALLS, || sagas(tokio, &runtime, fresh("saga")))
        .run(ROUNDS);
    figures.print(&format!("three parts on {on}"), CALLS_ALONE);
    println!();
    aim(&format!("a saga on {on} to its calls alone"), figures.ratio(SAGA, CALLS_ALONE), 1.3, "×");
    Ok(())
}

fn calls(tokio: &Tokio, runtime: &Runtime, keys: Vec<String>) -> Duration {
    timed(|| {
        tokio.block_on(async {
            for key in keys {
                for number in 1..=3 {
                    let call = part(key.clone(), number).key(format!("{key}-{number}"));
                    call.call(runtime).await.expect("nothing refuses this part");
                }
            }
        });
    })
}

fn sagas(tokio: &Tokio, runtime: &Runtime, keys: Vec<String>) -> Duration {
    timed(|| {
        tokio.block_on(async {
            for key in keys {
                let ended = order(key.clone()).key(key).call(runtime).await;
                let ended = ended.expect("nothing refuses this order");
                assert!(matches!(ended.into_inner(), Outcome::Finished(6)), "it was not done");
            }
        });
    })
}
