//! Calls on a [`MemoryLedger`], beside the bare function and the floor.

use std::error::Error;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime as Tokio};
use tool_contract::Runtime;
use tool_contract::ledger::MemoryLedger;

use crate::floor::Floor;
use crate::rounds::{Figures, Rounds, aim, timed};
use crate::tools::{ChargeCard, FindCharge, charge, charge_card, find_charge};

/// Calls in a batch.
const CALLS: u32 = 1_000;
const ROUNDS: usize = 301;

const BARE: &str = "bare function";
const FLOOR: &str = "floor";
const READ: &str = "guarded read";
const FRESH: &str = "guarded write, fresh";
const REPLAY: &str = "guarded write, replayed";

pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let tokio = Builder::new_current_thread().enable_all().build()?;
    let kept = runtime()?;
    tokio.block_on(write(&kept, orders(0)));
    let figures = Rounds::default()
        .case(BARE, CALLS, || bare(&tokio))
        .case(FLOOR, CALLS, || floor(&tokio))
        .case(READ, CALLS, || read(&tokio, &kept))
        .case(FRESH, CALLS, || fresh(&tokio))
        .case(REPLAY, CALLS, || {
            let orders = orders(0);
            timed(|| tokio.block_on(write(&kept, orders)))
        })
        .run(ROUNDS);
    report(&figures);
    Ok(())
}

fn report(figures: &Figures) {
    figures.print("one call in memory", FLOOR);
    println!();
    aim("guarded read above the bare call", figures.above(READ, BARE) / 1e3, 0.3, " µs");
    aim("guarded write on memory to the floor", figures.ratio(FRESH, FLOOR), 3.0, "×");
    aim("guarded write on memory", figures.median(FRESH) / 1e3, 3.0, " µs");
    aim("replay on memory", figures.median(REPLAY) / 1e3, 1.0, " µs");
}

fn runtime() -> Result<Runtime, Box<dyn Error>> {
    Ok(Runtime::builder()
        .ledger(MemoryLedger::new())
        .tool::<ChargeCard>()
        .tool::<FindCharge>()
        .build()?)
}

/// A batch of keys and orders that no batch before had.
fn orders(batch: u32) -> Vec<(String, String)> {
    let orders = batch * CALLS..(batch + 1) * CALLS;
    orders.map(|order| (format!("order-{order}/charge"), format!("order-{order}"))).collect()
}

fn bare(tokio: &Tokio) -> Duration {
    let orders = orders(0);
    timed(|| {
        tokio.block_on(async {
            for (_, order) in orders {
                std::hint::black_box(charge(order, 4_200).await).expect("no charge is refused");
            }
        });
    })
}

/// Each batch has a map of its own, as each one of [`fresh`] has a ledger.
fn floor(tokio: &Tokio) -> Duration {
    let (orders, floor) = (orders(0), Floor::default());
    timed(|| {
        tokio.block_on(async {
            for (key, order) in orders {
                std::hint::black_box(floor.charge(key, order, 4_200).await)
                    .expect("no charge is refused");
            }
        });
    })
}

fn read(tokio: &Tokio, runtime: &Runtime) -> Duration {
    let orders = orders(0);
    timed(|| {
        tokio.block_on(async {
            for (_, order) in orders {
                std::hint::black_box(find_charge(order, 4_200).call(runtime).await)
                    .expect("nothing refuses a read");
            }
        });
    })
}

fn fresh(tokio: &Tokio) -> Duration {
    let (orders, runtime) = (orders(0), runtime().expect("it was built before"));
    timed(|| tokio.block_on(write(&runtime, orders)))
}

async fn write(runtime: &Runtime, orders: Vec<(String, String)>) {
    for (key, order) in orders {
        let charged = charge_card(order, 4_200).key(key).call(runtime).await;
        std::hint::black_box(charged).expect("nothing refuses this write");
    }
}
