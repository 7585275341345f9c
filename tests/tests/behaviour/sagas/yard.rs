//! Where sagas are run: a ledger, a clock that the test holds, and processes that die.

use std::future::Future;
use std::sync::Arc;

use tool_contract::ledger::{
    Event, EventKind, Ledger, MemoryLedger, Reconciled, Resolution, Resolved, SqliteLedger,
    StateName,
};
use tool_contract::sagas::Recovery;
use tool_contract::spec::saga::Journal;
use tool_contract::testing::ManualClock;
use tool_contract::{CallError, Runtime, RuntimeBuilder, UnknownOutcome};

use super::shop::{
    Act, Bill, Carry, Gather, Hold, Lend, Order, Price, Reserve, Seal, Ship, Shop, order,
};
use crate::slow::PatientClock;
use crate::stage::{Stage, id, ms, others, secs, soon};
use crate::world::{Trouble, World};

/// A shop on a ledger, on a clock that the test holds.
pub(super) struct Yard {
    pub(super) stage: Stage,
    pub(super) shop: Shop,
    pub(super) runtime: Runtime,
    _folder: Option<tempfile::TempDir>,
}

impl Yard {
    pub(super) fn new() -> Self {
        let clock = Arc::new(ManualClock::new());
        let ledger = MemoryLedger::with_clock(Arc::clone(&clock) as _);
        Self::on(clock, ledger, None)
    }

    fn on(clock: Arc<ManualClock>, ledger: impl Ledger, folder: Option<tempfile::TempDir>) -> Self {
        let stage = Stage::on(clock, ledger, World::default());
        let shop = Shop::default();
        let runtime = built(stage.builder(), &shop);
        Self { stage, shop, runtime, _folder: folder }
    }

    /// On each ledger that is there.
    pub(super) async fn each<F: Future<Output = ()>>(test: impl Fn(Self) -> F) {
        test(Self::new()).await;
        let clock = Arc::new(ManualClock::new());
        let folder = tempfile::tempdir().unwrap();
        let ledger = SqliteLedger::options()
            .clock(Arc::clone(&clock) as _)
            .open(folder.path().join("ledger.db"))
            .await
            .unwrap();
        test(Self::on(clock, ledger, Some(folder))).await;
    }

    /// Another process on the same ledger.
    pub(super) fn another(&self) -> Runtime {
        built(self.stage.builder(), &self.shop)
    }

    /// Another process, whose pauses last until the test lets time pass.
    pub(super) fn patient(&self) -> Runtime {
        let clock = PatientClock(Arc::clone(&self.stage.clock));
        built(self.stage.builder().clock(Arc::new(clock)), &self.shop)
    }

    /// Waits for a call, and lets time pass for it.
    pub(super) async fn through<F: Future>(&self, future: F) -> F::Output {
        let mut future = std::pin::pin!(future);
        for _ in 0..3_000 {
            tokio::select! {
                biased;
                output = &mut future => return output,
                () = self.stage.settled() => {}
            }
            self.stage.clock.advance(ms(200));
        }
        panic!("it does not come to its end")
    }

    /// What a call of [`order`] comes to.
    pub(super) async fn order(&self, key: &str) -> Ended {
        self.order_on(&self.runtime.clone(), key).await
    }

    pub(super) async fn order_on(&self, runtime: &Runtime, key: &str) -> Ended {
        let called = self.through(order("lamp".into(), 42).key(key).call(runtime)).await;
        match called {
            Ok(completed) => match completed.into_inner().finished() {
                Ok(_) => Ended::Finished,
                Err(undone) => {
                    let numbers = undone.steps.iter().map(|step| step.step).collect();
                    Ended::Undone(undone.error, numbers)
                }
            },
            Err(CallError::Unknown(unknown)) => Ended::Rests(unknown),
            Err(other) => panic!("it ended with {other}"),
        }
    }

    /// An order that cannot be undone, for what is held cannot be let go. It waits for
    /// `hold.rollback[KEY/1]`.
    pub(super) async fn stick(&self, key: &str) {
        self.shop.then("pay 42", Act::Fail(Trouble::Closed));
        self.shop.then_times(5, "unhold lamp", &Act::Fail(Trouble::Down));
        let rests = self.order(key).await;
        assert!(rests.rests().contains(&format!("`hold.rollback` [{key}/1]")), "{rests:?}");
    }

    /// What another process recovers.
    pub(super) async fn recover(&self) -> Recovery {
        self.through(self.another().recover()).await.unwrap()
    }

    /// A process that begins an order, and dies once `reached`: nothing of it is
    /// finished in the background.
    pub(super) async fn die_within(
        &self,
        key: &'static str,
        reached: impl Fn(&Shop) -> bool + Send + 'static,
    ) {
        let place = move |runtime: Runtime| async move {
            order("lamp".into(), 42).key(key).call(&runtime).await.map(drop).ok()
        };
        self.die_in(self.another(), place, reached).await;
    }

    /// The same, of a process that makes any call.
    pub(super) async fn die_in<F: Future<Output: Send> + Send + 'static>(
        &self,
        runtime: Runtime,
        call: impl FnOnce(Runtime) -> F + Send + 'static,
        reached: impl Fn(&Shop) -> bool + Send + 'static,
    ) {
        let shop = self.shop.clone();
        let dying = tokio::task::spawn_blocking(move || {
            let executor = tokio::runtime::Builder::new_current_thread().build().unwrap();
            executor.block_on(async {
                let running = tokio::spawn(call(runtime));
                soon(async {
                    while !reached(&shop) {
                        others().await;
                    }
                })
                .await;
                drop(running);
            });
        });
        dying.await.unwrap();
    }

    /// The journal of the order with this key.
    pub(super) async fn journal(&self, key: &str) -> Journal {
        Journal::read(&self.stage.history("order", key).await).unwrap()
    }

    pub(super) async fn state(&self, tool: &'static str, key: &str) -> Option<StateName> {
        self.stage.state(tool, key).await
    }

    pub(super) async fn kinds(&self, key: &str) -> Vec<EventKind> {
        self.stage.kinds("order", key).await
    }

    /// What was decided after each attempt of an order that did not succeed, and why.
    pub(super) async fn decided(&self, key: &str) -> Vec<String> {
        let history = self.stage.history("order", key).await;
        let attempts = history.iter().flat_map(Event::attempts);
        attempts.map(|attempt| attempt.decided).collect()
    }

    pub(super) async fn resolve(&self, tool: &'static str, key: &str, resolved: Resolved) {
        let said = self.say(tool, key, resolved).await;
        assert!(matches!(said, Reconciled::Recorded { .. }), "{said:?}");
    }

    /// What becomes of a person's word.
    pub(super) async fn say(
        &self,
        tool: &'static str,
        key: &str,
        resolved: Resolved,
    ) -> Reconciled {
        let resolution = Resolution {
            escalation: None,
            id: id(tool, key),
            by: "ada".into(),
            why: "she looked".into(),
            resolved,
        };
        self.stage.ledger.inner().resolve(resolution).await.unwrap()
    }

    /// Lets every lease run out.
    pub(super) fn let_leases_lapse(&self) {
        self.stage.clock.advance(secs(60));
    }
}

pub(super) fn built(builder: RuntimeBuilder, shop: &Shop) -> Runtime {
    builder
        .state(shop.clone())
        .secret_key(tool_contract::SecretKey::new([7; 32]).unwrap())
        .tool::<Order>()
        .tool::<Gather>()
        .tool::<Reserve>()
        .tool::<Hold>()
        .tool::<Bill>()
        .tool::<Ship>()
        .tool::<Price>()
        .tool::<Carry>()
        .tool::<Lend>()
        .tool::<Seal>()
        .build()
        .unwrap()
}

/// How an order ended.
#[derive(Debug)]
pub(super) enum Ended {
    Finished,
    Undone(String, Vec<u32>),
    Rests(Box<UnknownOutcome>),
}

impl Ended {
    #[track_caller]
    pub(super) fn finished(&self) {
        assert!(matches!(self, Self::Finished), "{self:?}");
    }

    #[track_caller]
    pub(super) fn undone(&self, numbers: &[u32]) -> &str {
        match self {
            Self::Undone(error, undone) if undone == numbers => error,
            other => panic!("expected {numbers:?} to be undone, got {other:?}"),
        }
    }

    #[track_caller]
    pub(super) fn rests(&self) -> &str {
        match self {
            Self::Rests(unknown) => &unknown.cause,
            other => panic!("expected it to rest, got {other:?}"),
        }
    }
}
