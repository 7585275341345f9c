//! Clocks that are set.

use std::sync::Arc;
use std::time::Duration;

use tool_contract::Runtime;
use tool_contract::ledger::{Ledger, MemoryLedger, SqliteLedger};
use tool_contract::testing::ManualClock;

use crate::stage::{Folder, charge_slowly, effects};

#[tokio::test]
async fn a_wall_clock_that_is_set_decides_nothing() {
    for step in [-3_600_000, 3_600_000] {
        let clock = Arc::new(ManualClock::new());
        let folder = Folder::new();
        let memory: Arc<dyn Ledger> = Arc::new(MemoryLedger::with_clock(Arc::clone(&clock) as _));
        let file = SqliteLedger::options()
            .clock(Arc::clone(&clock) as _)
            .open(folder.ledger())
            .await
            .unwrap();
        for (ledger, name) in [(memory, "memory"), (Arc::new(file) as _, "file")] {
            let runtime = Runtime::builder()
                .clock(Arc::clone(&clock) as _)
                .shared_ledger(ledger)
                .build()
                .unwrap();
            for number in 0..20 {
                let order = format!("clock/{step}/{name}/{number}");
                let call = || charge_slowly(order.clone(), 20).key(&order).call(&runtime);
                let first = tokio::spawn(call());
                for _ in 0..number {
                    tokio::task::yield_now().await;
                }
                clock.step_wall(if number % 2 == 0 { step } else { -step });
                let second = tokio::spawn(call());
                clock.advance(Duration::from_millis(10));
                first.await.unwrap().unwrap();
                second.await.unwrap().unwrap();
                assert_eq!(effects(&order), 1, "{order}");
            }
        }
    }
}
