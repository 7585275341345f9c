//! A shop whose books say what stands, and sagas that fill them.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard};

use tool_contract::ledger::{EventKind, Ledger, MemoryLedger, SqliteLedger, StateName};
use tool_contract::spec::saga::Journal;
use tool_contract::testing::ManualClock;
use tool_contract::{
    Asked, CallError, Cx, Done, Runtime, RuntimeBuilder, Saga, StepError, UnknownOutcome, saga,
    tool,
};

use crate::slow::PatientClock;
use crate::stage::{Stage, id, ms, others, secs};
use crate::world::{Passage, Trouble, World};

/// What one attempt meets.
#[derive(Debug, Clone)]
pub(super) enum Act {
    Fail(Trouble),
    HappenThenFail(Trouble),
    HappenThenHang,
    Hang,
    Panic,
    /// It waits for the test, and then happens.
    Behind(Passage),
    /// It happens, and then waits for the test.
    Within(Passage),
}

#[derive(Debug, Default)]
struct Books {
    scripts: BTreeMap<String, VecDeque<Act>>,
    /// What happened, in order.
    log: Vec<String>,
    /// What was tried, in order.
    tried: Vec<String>,
}

/// What is in the shop's books.
#[derive(Debug, Clone, Default)]
pub(super) struct Shop(Arc<Mutex<Books>>);

impl Shop {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap()
    }

    /// What the next attempts of `what` meet, in order; then each succeeds.
    pub(super) fn then(&self, what: &str, act: Act) -> &Self {
        self.books().scripts.entry(what.to_owned()).or_default().push_back(act);
        self
    }

    /// What happened, in order.
    pub(super) fn log(&self) -> Vec<String> {
        self.books().log.clone()
    }

    pub(super) fn tried(&self) -> Vec<String> {
        self.books().tried.clone()
    }

    /// How often `what` happened.
    pub(super) fn count(&self, what: &str) -> usize {
        self.books().log.iter().filter(|line| *line == what).count()
    }

    /// What stands: what happened and was not undone.
    pub(super) fn stands(&self) -> Vec<String> {
        let mut stands: Vec<String> = Vec::new();
        for line in self.log() {
            match line.strip_prefix("un") {
                Some(done) => {
                    let at = stands.iter().position(|stood| stood == done);
                    stands.remove(at.unwrap_or_else(|| panic!("{done} was undone out of nothing")));
                }
                None => stands.push(line),
            }
        }
        stands
    }

    fn happen(&self, what: &str) -> u32 {
        let mut books = self.books();
        books.log.push(what.to_owned());
        u32::try_from(books.log.len()).unwrap()
    }

    /// What the next attempt of `what` meets, if that was scripted.
    pub(super) fn meet(&self, what: &str) -> Option<Act> {
        self.books().scripts.get_mut(what).and_then(VecDeque::pop_front)
    }

    async fn act(&self, what: &str) -> Result<u32, Trouble> {
        self.books().tried.push(what.to_owned());
        match self.meet(what) {
            None => Ok(self.happen(what)),
            Some(Act::Fail(trouble)) => Err(trouble),
            Some(Act::HappenThenFail(trouble)) => {
                self.happen(what);
                Err(trouble)
            }
            Some(Act::HappenThenHang) => {
                self.happen(what);
                std::future::pending().await
            }
            Some(Act::Hang) => std::future::pending().await,
            Some(Act::Panic) => panic!("the body broke"),
            Some(Act::Behind(passage)) => {
                passage.pass().await;
                Ok(self.happen(what))
            }
            Some(Act::Within(passage)) => {
                let number = self.happen(what);
                passage.pass().await;
                Ok(number)
            }
        }
    }

    /// What undoes something does so once, whatever it is asked.
    async fn undo(&self, what: &str) -> Result<(), Trouble> {
        if self.stands().iter().any(|stood| stood == what) {
            self.act(&format!("un{what}")).await?;
        }
        Ok(())
    }
}

fn shop(cx: &Cx) -> &Shop {
    cx.state::<Shop>()
}

/// Reserve an item; a person finds out what came of it.
#[tool(
    side_effect = "write",
    idempotent,
    retry(max = 2, on = "retryable", backoff = "constant", base = "1s", jitter = "none"),
    rollback = "unreserve",
    state(Shop)
)]
pub(super) async fn reserve(cx: &Cx, item: String) -> Result<u32, Trouble> {
    shop(cx).act(&format!("reserve {item}")).await
}

async fn unreserve(done: Done<Reserve>) -> Result<(), Trouble> {
    assert_eq!(done.idempotency_key(), format!("reserve.rollback/{}", done.key));
    shop(done.cx()).undo(&format!("reserve {}", done.args.item)).await
}

/// Hold an item; what came of it can be found out.
#[tool(
    side_effect = "write",
    idempotent(key = "{item}"),
    rollback = "unhold",
    reconcile(with = "find_hold", settle = "10s"),
    state(Shop)
)]
pub(super) async fn hold(cx: &Cx, item: String) -> Result<u32, Trouble> {
    shop(cx).act(&format!("hold {item}")).await
}

async fn unhold(done: Done<Hold>) -> Result<(), Trouble> {
    shop(done.cx()).undo(&format!("hold {}", done.args.item)).await
}

async fn find_hold(asked: Asked<Hold>) -> Result<Option<u32>, Trouble> {
    if let Some(Act::Fail(trouble)) = shop(asked.cx()).meet("find") {
        return Err(trouble);
    }
    let line = format!("hold {}", asked.args.item);
    match shop(asked.cx()).count(&line) {
        0 => Ok(None),
        count => Ok(Some(u32::try_from(count).unwrap())),
    }
}

/// Charge a card; nothing undoes it.
#[tool(
    side_effect = "write",
    idempotent,
    rollback = "none",
    reconcile(with = "find_payment", settle = "10s"),
    state(Shop)
)]
pub(super) async fn bill(cx: &Cx, cents: u64) -> Result<u32, Trouble> {
    shop(cx).act(&format!("pay {cents}")).await
}

async fn find_payment(asked: Asked<Bill>) -> Result<Option<u32>, Trouble> {
    let count = shop(asked.cx()).count(&format!("pay {}", asked.args.cents));
    Ok((count > 0).then_some(7))
}

/// Ship an item.
#[tool(
    side_effect = "write",
    idempotent,
    retry(max = 2, on = "retryable", backoff = "constant", base = "1s", jitter = "none"),
    rollback = "none",
    state(Shop)
)]
pub(super) async fn ship(cx: &Cx, item: String) -> Result<u32, Trouble> {
    shop(cx).act(&format!("ship {item}")).await
}

/// Send a letter, with long rests between attempts.
#[tool(
    side_effect = "write",
    idempotent,
    retry(
        max = 3,
        on = "retryable",
        backoff = "constant",
        base = "20s",
        cap = "20s",
        jitter = "none"
    ),
    rollback = "unmail",
    state(Shop)
)]
pub(super) async fn mail(cx: &Cx, letter: String) -> Result<u32, Trouble> {
    shop(cx).act(&format!("mail {letter}")).await
}

async fn unmail(done: Done<Mail>) -> Result<(), Trouble> {
    shop(done.cx()).undo(&format!("mail {}", done.args.letter)).await
}

/// Carry an item, unless the carrier is down.
#[tool(
    side_effect = "write",
    idempotent,
    rollback = "uncarry",
    breaker(failures = 1, cooldown = "1h"),
    state(Shop)
)]
pub(super) async fn carry(cx: &Cx, item: String) -> Result<u32, Trouble> {
    shop(cx).act(&format!("carry {item}")).await
}

async fn uncarry(done: Done<Carry>) -> Result<(), Trouble> {
    shop(done.cx()).undo(&format!("carry {}", done.args.item)).await
}

/// Lend an item, one a minute.
#[tool(
    side_effect = "write",
    idempotent,
    rollback = "unlend",
    rate_limit(per_tool = "1/min"),
    state(Shop)
)]
pub(super) async fn lend(cx: &Cx, item: String) -> Result<u32, Trouble> {
    shop(cx).act(&format!("lend {item}")).await
}

async fn unlend(done: Done<Lend>) -> Result<(), Trouble> {
    shop(done.cx()).undo(&format!("lend {}", done.args.item)).await
}

/// Look up a price.
#[tool(side_effect = "read", state(Shop))]
pub(super) async fn price(cx: &Cx, item: String) -> Result<u64, Trouble> {
    shop(cx).act(&format!("price {item}")).await.map(u64::from)
}

/// Put a note with a secret on an item.
#[tool(side_effect = "write", idempotent, rollback = "unseal", state(Shop))]
pub(super) async fn seal(
    cx: &Cx,
    item: String,
    #[arg(secret)] pin: String,
) -> Result<u32, Trouble> {
    shop(cx).act(&format!("seal {item} {pin}")).await
}

async fn unseal(done: Done<Seal>) -> Result<(), Trouble> {
    shop(done.cx()).undo(&format!("seal {} {}", done.args.item, done.args.pin)).await
}

/// Whatever a step says.
pub(super) type Failed = StepError<Trouble>;

/// Reserve, hold, charge, ship.
#[saga(state(Shop))]
pub(super) async fn order(saga: Saga, item: String, cents: u64) -> Result<u32, Failed> {
    saga.step(reserve(item.clone())).await?;
    saga.step(hold(item.clone())).await?;
    let (_, saga) = saga.pivot(bill(cents)).await?;
    saga.step(ship(item)).await
}

/// Reserve several items at once.
#[saga(state(Shop))]
pub(super) async fn gather(saga: Saga, items: Vec<String>) -> Result<Vec<u32>, Failed> {
    let steps: Vec<_> = items.into_iter().map(|item| saga.step(reserve(item))).collect();
    saga.all(steps).await.into_iter().collect()
}

/// A shop on a ledger, on a clock that the test holds.
pub(super) struct Yard {
    pub(super) stage: Stage,
    pub(super) shop: Shop,
    pub(super) runtime: Runtime,
    folder: Option<tempfile::TempDir>,
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
        Self { stage, shop, runtime, folder }
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
                () = others() => {}
            }
            if self.folder.is_some() {
                // A ledger with threads answers in its own time; only then does the
                // clock go on.
                tokio::time::sleep(std::time::Duration::from_millis(3)).await;
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
                for _ in 0..1_000 {
                    if reached(&shop) {
                        return;
                    }
                    others().await;
                }
                drop(running);
                panic!("it never comes so far: {:?}", shop.tried());
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

    pub(super) async fn resolve(
        &self,
        tool: &'static str,
        key: &str,
        resolved: tool_contract::ledger::Resolved,
    ) {
        let resolution = tool_contract::ledger::Resolution {
            escalation: None,
            id: id(tool, key),
            by: "ada".into(),
            why: "she looked".into(),
            resolved,
        };
        let said = self.stage.ledger.inner().resolve(resolution).await.unwrap();
        assert!(matches!(said, tool_contract::ledger::Reconciled::Recorded { .. }), "{said:?}");
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
