//! Calls that are dropped.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tool_contract::ledger::{Ledger, MemoryLedger, StateName};
use tool_contract::{CallError, Runtime};

use crate::stage::{Folder, block_on, charge_slowly, effects, in_file, on, state};

/// Polls a future so often at most, and drops it then.
async fn poll_then_drop<F: Future>(future: F, polls: u32) -> bool {
    let mut future = pin!(future);
    for _ in 0..polls {
        let poll = std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
        if poll.is_ready() {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}

async fn drop_at_every_poll(runtime: Runtime, name: &str, rests: u32) {
    for polls in 0..40 {
        let order = format!("{name}/{polls}");
        let call = || charge_slowly(order.clone(), rests).key(&order).call(&runtime);
        let done = poll_then_drop(call(), polls).await;
        runtime.drain().await;
        let before = effects(&order);
        assert!(before <= 1, "{order}: {before}");
        let recorded = state(&runtime, "charge_slowly", &order).await;
        let expected = if before == 1 {
            [None, Some(StateName::Succeeded)]
        } else {
            [None, Some(StateName::Released)]
        };
        assert!(
            expected.contains(&recorded) && (before == 0 || recorded.is_some()),
            "{order}: {before}, {recorded:?}"
        );
        if done {
            assert_eq!(before, 1);
            return;
        }
        let again = loop {
            match call().await {
                Err(CallError::Rejected(rejected)) if rejected.retry_after.is_some() => {
                    tokio::task::yield_now().await
                }
                other => break other.unwrap(),
            }
        };
        assert_eq!(again.replayed(), before == 1, "{order}");
        assert_eq!(effects(&order), 1, "{order}");
    }
}

#[tokio::test]
async fn dropped_at_any_poll_it_happens_once_and_is_recorded() {
    for name in ["drop", "drop-busy"] {
        drop_at_every_poll(on(MemoryLedger::new()), &format!("{name}/memory"), 3).await;
        let folder = Folder::new();
        drop_at_every_poll(in_file(&folder.ledger()).await, &format!("{name}/file"), 1).await;
    }
}

#[test]
fn a_runtime_that_ends_under_a_call_leaves_it_unknown_or_done() {
    let ledger: Arc<dyn Ledger> = Arc::new(MemoryLedger::new());
    for polls in 0..12 {
        let order = format!("shutdown/{polls}");
        let tokio = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let runtime = Runtime::builder()
            .shared_ledger(Arc::clone(&ledger))
            .lease(Duration::from_secs(1))
            .build()
            .unwrap();
        let call = charge_slowly(order.clone(), 4).key(&order).call(&runtime);
        tokio.spawn(poll_then_drop(call, polls));
        for _ in 0..polls {
            std::thread::yield_now();
        }
        tokio.shutdown_background();
        let again = block_on(async {
            let runtime = Runtime::builder().shared_ledger(Arc::clone(&ledger)).build().unwrap();
            charge_slowly(order.clone(), 4)
                .key(&order)
                .deadline(Duration::from_secs(3))
                .call(&runtime)
                .await
        });
        assert!(effects(&order) <= 1, "{again:?}");
        assert!(matches!(&again, Ok(_) | Err(CallError::Unknown(_))), "{order}: {again:?}");
    }
}
