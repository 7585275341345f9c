//! A runtime on a clock that the test holds, in front of a world that it
//! scripts.

use std::future::Future;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use tool_contract::ledger::{Event, EventKind, Ledger, MemoryLedger, Record, StateName, verify};
use tool_contract::spec::key::{IdempotencyKey, OperationId, Tenant};
use tool_contract::spec::rulebook::Code;
use tool_contract::testing::{FaultyLedger, ManualClock};
use tool_contract::{CallError, Failure, Rejected, Runtime, RuntimeBuilder, UnknownOutcome};

use crate::world::World;

pub(crate) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub(crate) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The lease of the runtimes here.
pub(crate) const LEASE: Duration = secs(15);

/// How long a test waits for what never comes.
const PATIENCE: Duration = secs(60);

pub(crate) struct Stage {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) world: World,
    pub(crate) ledger: FaultyLedger,
    pub(crate) runtime: Runtime,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::before(World::default())
    }

    pub(crate) fn before(world: World) -> Self {
        let clock = Arc::new(ManualClock::new());
        let ledger = MemoryLedger::with_clock(Arc::clone(&clock) as _);
        Self::on(clock, ledger, world)
    }

    pub(crate) fn on(clock: Arc<ManualClock>, ledger: impl Ledger, world: World) -> Self {
        let ledger = FaultyLedger::new(ledger);
        let runtime = builder(&clock, &ledger, &world).build().unwrap();
        Self { clock, world, ledger, runtime }
    }

    /// What another process on the same ledger would build.
    pub(crate) fn builder(&self) -> RuntimeBuilder {
        builder(&self.clock, &self.ledger, &self.world)
    }

    /// Likewise, without anybody whose approval counts.
    pub(crate) fn secure_builder(&self) -> RuntimeBuilder {
        secure_builder(&self.clock, &self.ledger, &self.world)
    }

    pub(crate) fn another_runtime(&self) -> Runtime {
        self.builder().build().unwrap()
    }

    /// Waits until nobody has anything to do before time passes: no task, and no
    /// ledger, which may have threads of its own.
    pub(crate) async fn settled(&self) {
        others().await;
        while self.ledger.unanswered() > 0 {
            self.ledger.answered().await;
            others().await;
        }
    }

    /// Lets time pass in small steps, as it does, so that leases are renewed.
    pub(crate) async fn pass(&self, span: Duration) {
        let mut left = span;
        others().await;
        while !left.is_zero() {
            let step = left.min(ms(100));
            self.clock.advance(step);
            others().await;
            left -= step;
        }
    }

    /// The record of a key of a tool, as it was last written.
    pub(crate) async fn record(&self, tool: &'static str, key: &str) -> Option<Record> {
        self.ledger.inner().find(id(tool, key)).await.unwrap()
    }

    pub(crate) async fn state(&self, tool: &'static str, key: &str) -> Option<StateName> {
        self.record(tool, key).await.map(|record| record.state.name())
    }

    /// The history of a key of a tool, which has not been tampered with.
    pub(crate) async fn history(&self, tool: &'static str, key: &str) -> Vec<Event> {
        let record = self.record(tool, key).await.expect("the ledger knows the key");
        let events = self.ledger.inner().history(id(tool, key)).await.unwrap();
        verify(&events, &record.chain).unwrap();
        events
    }

    pub(crate) async fn kinds(&self, tool: &'static str, key: &str) -> Vec<EventKind> {
        self.history(tool, key).await.iter().map(|event| event.kind).collect()
    }
}

fn builder(clock: &Arc<ManualClock>, ledger: &FaultyLedger, world: &World) -> RuntimeBuilder {
    secure_builder(clock, ledger, world).insecure_local_approvals()
}

fn secure_builder(
    clock: &Arc<ManualClock>,
    ledger: &FaultyLedger,
    world: &World,
) -> RuntimeBuilder {
    Runtime::builder()
        .clock(Arc::clone(clock) as _)
        .shared_ledger(Arc::new(ledger.clone()))
        .lease(LEASE)
        .state(world.clone())
}

pub(crate) fn id(tool: &'static str, key: &str) -> OperationId {
    OperationId { tenant: None, tool: tool.into(), key: IdempotencyKey::new(key).unwrap() }
}

pub(crate) fn id_of(tenant: &str, tool: &'static str, key: &str) -> OperationId {
    OperationId { tenant: Some(Tenant::new(tenant).unwrap()), ..id(tool, key) }
}

/// Lets everything that can go on, go on.
pub(crate) async fn others() {
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
}

/// Waits for what needs no time of the test's clock to pass, and nothing but other tasks
/// and threads; so a test of something that never ends fails, and does not hang.
#[track_caller]
pub(crate) fn soon<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let caller = std::panic::Location::caller();
    async move {
        let mut future = std::pin::pin!(future);
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            let poll = std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
            if let Poll::Ready(output) = poll {
                return output;
            }
            tokio::task::yield_now().await;
        }
        panic!("what is waited for at {caller} never comes")
    }
}

/// What a call that did not end well says.
pub(crate) trait Ending<T, E> {
    /// It was refused with this code, and nothing ran.
    fn refused(self, code: Code) -> Rejected;
    /// It may have happened.
    fn unknown(self) -> UnknownOutcome;
    /// It left nothing behind.
    fn failed(self) -> Failure<E>;
    /// The ledger could not admit it, and nothing ran.
    fn ledgerless(self);
}

impl<T: std::fmt::Debug, E: std::fmt::Debug> Ending<T, E> for Result<T, CallError<E>> {
    #[track_caller]
    fn refused(self, code: Code) -> Rejected {
        match self {
            Err(CallError::Rejected(rejected)) if rejected.code == code => *rejected,
            other => panic!("expected a refusal {code}, got {other:?}"),
        }
    }

    #[track_caller]
    fn unknown(self) -> UnknownOutcome {
        match self {
            Err(CallError::Unknown(unknown)) => *unknown,
            other => panic!("expected an unknown outcome, got {other:?}"),
        }
    }

    #[track_caller]
    fn failed(self) -> Failure<E> {
        match self {
            Err(CallError::Failed(failure, _)) => failure,
            other => panic!("expected a failure, got {other:?}"),
        }
    }

    #[track_caller]
    fn ledgerless(self) {
        match self {
            Err(CallError::Ledger(_)) => {}
            other => panic!("expected the ledger to be missed, got {other:?}"),
        }
    }
}
