//! A shop whose books say what stands, and sagas that fill them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use tool_contract::{Asked, Cx, Done, Saga, StepError, saga, tool};

use crate::world::{Passage, Trouble};

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

    /// The same, so many times.
    pub(super) fn then_times(&self, times: usize, what: &str, act: &Act) -> &Self {
        let acts = std::iter::repeat_n(act.clone(), times);
        self.books().scripts.entry(what.to_owned()).or_default().extend(acts);
        self
    }

    /// What happened, in order.
    pub(super) fn log(&self) -> Vec<String> {
        self.books().log.clone()
    }

    pub(super) fn tried(&self) -> Vec<String> {
        self.books().tried.clone()
    }

    /// Whether `what` was tried.
    pub(super) fn has_tried(&self, what: &str) -> bool {
        self.books().tried.iter().any(|line| line == what)
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

    pub(super) async fn act(&self, what: &str) -> Result<u32, Trouble> {
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
    pub(super) async fn undo(&self, what: &str) -> Result<(), Trouble> {
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
