//! Tools that write what others write, too.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use tool_contract::testing::ManualClock;
use tool_contract::versioned::{Seen, UpdateError, Versioned, Write};
use tool_contract::{CallError, Cause, Cx, Failure, OutcomeClass, Runtime, ToolError, tool};

use crate::stage::{Ending, Stage};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, ToolError)]
enum ShopError {
    #[error("sold out")]
    #[outcome(permanent_failure)]
    SoldOut,
    #[error("no answer")]
    #[outcome(side_effect_unknown)]
    NoAnswer,
    #[error("no route")]
    #[outcome(retryable_failure(network))]
    NoRoute,
    #[error("too many requests")]
    #[outcome(retryable_failure(rate_limited))]
    Busy,
}

/// What a request meets.
#[derive(Debug, Clone, Copy)]
enum Meets {
    /// Somebody else writes first.
    Another,
    /// It is refused.
    Refusal,
    /// It does not arrive, and nobody knows.
    Loss,
    /// It arrives, and its answer does not.
    LostReply,
    /// The same, and its client believes that it did not arrive.
    WrongClient,
    /// Its answer is lost, and then somebody else writes.
    LostReplyThenAnother,
    /// It does not arrive, and somebody else writes.
    LossThenAnother,
}

/// A shop with one article, of which it knows how many there are.
#[derive(Debug, Clone, Default)]
struct Shop(Arc<Mutex<Inside>>);

#[derive(Debug, Default)]
struct Inside {
    count: u32,
    version: u64,
    writer: Option<String>,
    writes: VecDeque<Meets>,
    reads: VecDeque<Meets>,
    /// Whether writers leave no mark.
    is_anonymous: bool,
}

impl Shop {
    fn with(count: u32) -> Self {
        let shop = Self::default();
        shop.inside().count = count;
        shop
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap()
    }

    fn then(&self, meets: &[Meets]) -> &Self {
        self.inside().writes.extend(meets);
        self
    }

    fn count(&self) -> u32 {
        self.inside().count
    }
}

impl Inside {
    fn put(&mut self, count: u32, over: u64, by: &str) -> Write {
        if self.version != over {
            return Write::Changed;
        }
        (self.count, self.version) = (count, over + 1);
        self.writer = Some(by.to_owned()).filter(|_| !self.is_anonymous);
        Write::Written
    }

    /// Somebody else brings one.
    fn another(&mut self) {
        let (count, over) = (self.count + 1, self.version);
        self.put(count, over, "another");
    }
}

impl Versioned for Shop {
    type State = u32;
    type Version = u64;
    type Error = ShopError;

    async fn read(&self) -> Result<Seen<u32, u64>, ShopError> {
        tokio::task::yield_now().await;
        let mut inside = self.inside();
        match inside.reads.pop_front() {
            Some(Meets::Loss) => Err(ShopError::NoAnswer),
            _ => {
                Ok(Seen { state: inside.count, version: inside.version, by: inside.writer.clone() })
            }
        }
    }

    async fn write(&self, new: &u32, over: &u64, by: &str) -> Result<Write, ShopError> {
        tokio::task::yield_now().await;
        let mut inside = self.inside();
        match inside.writes.pop_front() {
            None => Ok(inside.put(*new, *over, by)),
            Some(Meets::Another) => {
                inside.another();
                Ok(inside.put(*new, *over, by))
            }
            Some(Meets::Refusal) => Err(ShopError::Busy),
            Some(Meets::Loss) => Err(ShopError::NoAnswer),
            Some(Meets::LossThenAnother) => {
                inside.another();
                Err(ShopError::NoAnswer)
            }
            Some(Meets::LostReply) => {
                inside.put(*new, *over, by);
                Err(ShopError::NoAnswer)
            }
            Some(Meets::WrongClient) => {
                inside.put(*new, *over, by);
                Err(ShopError::NoRoute)
            }
            Some(Meets::LostReplyThenAnother) => {
                inside.put(*new, *over, by);
                inside.another();
                Err(ShopError::NoAnswer)
            }
        }
    }
}

/// Take so many.
#[tool(side_effect = "write", idempotent, rollback = "none", state(Shop))]
async fn take(cx: &Cx, count: u32) -> Result<u32, UpdateError<ShopError>> {
    let shop = cx.state::<Shop>();
    cx.update(shop, 3, |left| left.checked_sub(count).ok_or(ShopError::SoldOut)).await
}

/// Take one, and then another.
#[tool(side_effect = "write", idempotent, rollback = "none", state(Shop))]
async fn take_twice(cx: &Cx) -> Result<u32, UpdateError<ShopError>> {
    let shop = cx.state::<Shop>();
    cx.update(shop, 3, |left| Ok(left - 1)).await?;
    shop.then(&[Meets::Loss]);
    cx.update(shop, 3, |left| Ok(left - 1)).await
}

/// Take one, before it is too late.
#[tool(side_effect = "write", idempotent, rollback = "none", timeout = "50ms", state(Shop))]
async fn take_soon(cx: &Cx) -> Result<u32, UpdateError<ShopError>> {
    cx.update(cx.state::<Shop>(), u32::MAX, |left| Ok(left - 1)).await
}

fn set(shop: &Shop) -> (Stage, Runtime) {
    let stage = Stage::new();
    let runtime = stage.builder().state(shop.clone()).build().unwrap();
    (stage, runtime)
}

/// Takes two of ten, and says what came of it.
async fn taken(shop: &Shop) -> Result<u32, CallError<UpdateError<ShopError>>> {
    let (_stage, runtime) = set(shop);
    take(2).key("k").call(&runtime).await.map(tool_contract::Completed::into_inner)
}

#[tokio::test]
async fn what_nobody_else_wrote_is_written() {
    let shop = Shop::with(10);
    assert_eq!((taken(&shop).await.unwrap(), shop.count()), (8, 8));
}

#[tokio::test]
async fn what_somebody_else_wrote_is_read_again() {
    let shop = Shop::with(10);
    shop.then(&[Meets::Another, Meets::Another]);
    assert_eq!((taken(&shop).await.unwrap(), shop.count()), (10, 10));
}

#[tokio::test]
async fn the_last_try_is_the_last_and_says_how_often() {
    let shop = Shop::with(10);
    shop.then(&[Meets::Another; 3]);
    let Err(CallError::Failed(Failure::Tool(error), _)) = taken(&shop).await else {
        panic!("it was written")
    };
    assert_eq!(error, UpdateError::Contended { tries: 3 });
    assert_eq!(error.outcome().class, OutcomeClass::RetryableFailure(Cause::LockTimeout));
    assert_eq!(error.to_string(), "others changed the record each time; tried 3 times");
    assert_eq!(shop.count(), 13);
}

#[tokio::test]
async fn what_is_refused_is_not_tried_again() {
    let shop = Shop::with(10);
    shop.then(&[Meets::Another, Meets::Refusal]);
    let failure = taken(&shop).await.failed();
    assert_eq!(failure, Failure::Tool(UpdateError::Failed { error: ShopError::Busy, tries: 2 }));
    let failure = taken(&Shop::with(1)).await.failed();
    let sold_out = UpdateError::Failed { error: ShopError::SoldOut, tries: 1 };
    assert_eq!(failure, Failure::Tool(sold_out));
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_not_written() {
    let shop = Shop::with(10);
    shop.inside().reads.push_back(Meets::Loss);
    let Failure::Tool(error) = taken(&shop).await.failed() else { panic!("it panicked") };
    assert_eq!(error.outcome().class, OutcomeClass::RetryableFailure(Cause::Unavailable));
    assert_eq!(shop.count(), 10);
}

#[tokio::test]
async fn a_lost_answer_is_success_only_if_the_record_bears_its_mark() {
    for (meets, is_written, left) in [
        (Meets::LostReply, true, 8),
        (Meets::WrongClient, true, 8),
        // Who wrote before the one that is seen, nobody can say.
        (Meets::LostReplyThenAnother, false, 9),
        (Meets::LossThenAnother, false, 11),
        (Meets::Loss, false, 10),
    ] {
        let shop = Shop::with(10);
        shop.then(&[meets]);
        let taken = taken(&shop).await;
        assert_eq!(shop.count(), left, "{meets:?}: it is not written twice");
        if is_written {
            assert_eq!(taken.unwrap(), left);
        } else {
            assert!(taken.unknown().cause.contains("it may be written: no answer"), "{meets:?}");
        }
    }
}

#[tokio::test]
async fn a_record_without_marks_or_that_cannot_be_read_again_leaves_it_unknown() {
    let shop = Shop::with(10);
    shop.inside().is_anonymous = true;
    shop.then(&[Meets::LostReply]);
    taken(&shop).await.unknown();
    let shop = Shop::with(10);
    shop.then(&[Meets::LostReply]);
    let seen = Seen { state: 10, version: 0, by: None };
    assert_eq!(shop.read().await.unwrap(), seen);
    shop.inside().reads.extend([Meets::Another, Meets::Loss]);
    taken(&shop).await.unknown();
}

#[tokio::test]
async fn the_mark_of_an_earlier_write_of_the_same_operation_proves_nothing() {
    let shop = Shop::with(10);
    let (_stage, runtime) = set(&shop);
    take_twice().key("k").call(&runtime).await.unknown();
    assert_eq!(shop.count(), 9);
}

#[tokio::test]
async fn nobody_tries_for_longer_than_the_attempt_may_take() {
    let shop = Shop::with(10);
    shop.then(&[Meets::Another; 1_000]);
    let (stage, runtime) = set(&shop);
    let Failure::Tool(error) = take_soon().key("k").call(&runtime).await.failed() else {
        panic!("it was cut off")
    };
    assert!(matches!(error, UpdateError::Contended { tries: 2.. }), "{error}");
    assert!(stage.clock.paused() <= std::time::Duration::from_millis(50));
}

#[tokio::test]
async fn under_contention_none_is_lost() {
    let shop = Shop::with(1_000);
    let (clock, takers) = (Arc::new(ManualClock::new()), 8);
    let tasks: Vec<_> = (0..takers)
        .map(|taker| {
            let (shop, clock) = (shop.clone(), Arc::clone(&clock));
            tokio::spawn(async move {
                let ledger =
                    tool_contract::ledger::MemoryLedger::with_clock(Arc::clone(&clock) as _);
                let builder = Runtime::builder().clock(clock as _).ledger(ledger);
                let runtime = builder.state(shop).build().unwrap();
                let mut taken = 0;
                for call in 0..20 {
                    let key = format!("{taker}/{call}");
                    taken += u32::from(take(1).key(key).call(&runtime).await.is_ok());
                }
                taken
            })
        })
        .collect();
    let mut taken = 0;
    for task in tasks {
        taken += task.await.unwrap();
    }
    assert_eq!(shop.count(), 1_000 - taken);
    assert!(taken > 0);
}
