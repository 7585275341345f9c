//! Calls on a [`MemoryLedger`], beside the bare function and the floor.
//!
//! The ledger and the floor's map live for as long as the benchmark, so that
//! both grow, as they do in a program.

use std::cell::Cell;
use std::error::Error;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime as Tokio};
use tool_contract::Runtime;
use tool_contract::ledger::MemoryLedger;

use crate::floor::Floor;
use crate::rounds::{Figures, Rounds, aim, timed};
use crate::tools::{
    ChargeCard, FindCharge, PlaceOrder, Purchase, charge, charge_card, find_charge, place_order,
};

/// Calls in a batch: few, so that most batches run without being interrupted.
const CALLS: u32 = 100;
const ROUNDS: usize = 601;

const BARE: &str = "bare function";
const FLOOR: &str = "floor";
const READ: &str = "guarded read";
const FRESH: &str = "guarded write, fresh";
const REPLAY: &str = "guarded write, replayed";

pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let bench = Bench::new()?;
    let figures = two_arguments(&bench);
    figures.print("one call in memory, two arguments", FLOOR);
    let wide = ten_arguments(&bench);
    wide.print("one call in memory, ten arguments", FLOOR);
    println!();
    aim("guarded read above the bare call", figures.above(READ, BARE) / 1e3, 0.3, " µs");
    aim("guarded write of two arguments to the floor", figures.ratio(FRESH, FLOOR), 3.0, "×");
    aim("guarded write of ten arguments to the floor", wide.ratio(FRESH, FLOOR), 3.0, "×");
    aim("guarded write of two arguments", figures.median(FRESH) / 1e3, 3.0, " µs");
    aim("guarded write of ten arguments", wide.median(FRESH) / 1e3, 3.0, " µs");
    aim("replay of two arguments", figures.median(REPLAY) / 1e3, 1.0, " µs");
    aim("replay of ten arguments", wide.median(REPLAY) / 1e3, 1.0, " µs");
    Ok(())
}

fn two_arguments(bench: &Bench) -> Figures {
    let (charged, kept) = (Floor::default(), bench.charges());
    bench.time(&kept, async |(key, order)| bench.charge(key, order).await);
    Rounds::default()
        .case(BARE, CALLS, || {
            bench.time(&bench.charges(), async |(_, order)| drop(charge(order, 4_200).await))
        })
        .case(FLOOR, CALLS, || {
            bench.time(&bench.charges(), async |(key, order)| {
                let arguments = Charge { cents: 4_200, order_id: order };
                let body = async |given: Charge| charge(given.order_id, given.cents).await;
                charged.guard(key, arguments, body).await.expect("no charge is refused");
            })
        })
        .case(READ, CALLS, || {
            bench.time(&bench.charges(), async |(_, order)| {
                let found = find_charge(order, 4_200).call(&bench.runtime).await;
                std::hint::black_box(found).expect("nothing refuses a read");
            })
        })
        .case(FRESH, CALLS, || {
            bench.time(&bench.charges(), async |(key, order)| bench.charge(key, order).await)
        })
        .case(REPLAY, CALLS, || {
            bench.time(&kept, async |(key, order)| bench.charge(key, order).await)
        })
        .run(ROUNDS)
}

fn ten_arguments(bench: &Bench) -> Figures {
    let (placed, kept) = (Floor::default(), bench.purchases());
    bench.time(&kept, async |(key, purchase)| bench.place(key, purchase).await);
    Rounds::default()
        .case(FLOOR, CALLS, || {
            bench.time(&bench.purchases(), async |(key, purchase)| {
                let body = async |given: Purchase| charge(given.order_id, given.amount_cents).await;
                placed.guard(key, purchase, body).await.expect("no order is refused");
            })
        })
        .case(FRESH, CALLS, || {
            bench.time(&bench.purchases(), async |(key, purchase)| bench.place(key, purchase).await)
        })
        .case(REPLAY, CALLS, || {
            bench.time(&kept, async |(key, purchase)| bench.place(key, purchase).await)
        })
        .run(ROUNDS)
}

/// The arguments of a charge, as the floor hashes them.
#[derive(serde::Serialize)]
struct Charge {
    cents: u64,
    order_id: String,
}

/// Who calls, and what is called.
struct Bench {
    tokio: Tokio,
    runtime: Runtime,
    /// How many orders there were.
    orders: Cell<u32>,
}

impl Bench {
    fn new() -> Result<Self, Box<dyn Error>> {
        let tokio = Builder::new_current_thread().enable_all().build()?;
        let runtime = Runtime::builder()
            .ledger(MemoryLedger::new())
            .tool::<ChargeCard>()
            .tool::<FindCharge>()
            .tool::<PlaceOrder>()
            .build()?;
        Ok(Self { tokio, runtime, orders: Cell::new(0) })
    }

    /// Keys and orders that nobody had before.
    fn charges(&self) -> Vec<(String, String)> {
        let first = self.orders.replace(self.orders.get() + CALLS);
        let orders = first..first + CALLS;
        orders.map(|order| (format!("order-{order}/charge"), format!("order-{order}"))).collect()
    }

    fn purchases(&self) -> Vec<(String, Purchase)> {
        let charges = self.charges();
        charges.into_iter().map(|(key, order)| (key, Purchase::of(order))).collect()
    }

    /// The time that these calls take, without that for making ready what they
    /// are given.
    fn time<G: Clone>(&self, given: &[G], call: impl AsyncFn(G)) -> Duration {
        let given = given.to_vec();
        timed(|| {
            self.tokio.block_on(async {
                for given in given {
                    call(given).await;
                }
            });
        })
    }

    async fn charge(&self, key: String, order: String) {
        let charged = charge_card(order, 4_200).key(key).call(&self.runtime).await;
        std::hint::black_box(charged).expect("nothing refuses this write");
    }

    async fn place(&self, key: String, purchase: Purchase) {
        let placed = placing(purchase).key(key).call(&self.runtime).await;
        std::hint::black_box(placed).expect("nothing refuses this write");
    }
}

fn placing(purchase: Purchase) -> tool_contract::Call<PlaceOrder> {
    place_order(
        purchase.amount_cents,
        purchase.currency,
        purchase.customer_id,
        purchase.express,
        purchase.items,
        purchase.note,
        purchase.order_id,
        purchase.quantity,
        purchase.ship_to,
        purchase.weight_grams,
    )
}
