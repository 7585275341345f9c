//! The world outside: what happened in it, and what each attempt meets there.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::Semaphore;
use tool_contract::ToolError;

use crate::stage::soon;

/// How the world fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, ToolError)]
pub(crate) enum Trouble {
    #[error("the order is malformed")]
    #[outcome(validation_failure)]
    Invalid,
    #[error("not for you")]
    #[outcome(permission_denied)]
    Forbidden,
    #[error("closed for good")]
    #[outcome(permanent_failure)]
    Closed,
    #[error("too many requests")]
    #[outcome(retryable_failure(rate_limited))]
    Busy,
    #[error("too many requests, come back in {after:?}")]
    #[outcome(retryable_failure(rate_limited))]
    BusyFor {
        #[retry_after]
        after: Duration,
    },
    #[error("it is down")]
    #[outcome(retryable_failure(unavailable))]
    Down,
    #[error("a lock was lost")]
    #[outcome(retryable_failure(lock_timeout))]
    Locked,
    #[error("no route")]
    #[outcome(retryable_failure(network))]
    NoRoute,
    #[error("some other trouble")]
    #[outcome(retryable_failure)]
    Other,
    #[error("no answer after the request was sent")]
    #[outcome(side_effect_unknown)]
    NoAnswer,
}

/// What one attempt meets.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// It happens, and is answered.
    Succeed,
    /// Nothing happens, and it says so.
    Fail(Trouble),
    /// It happens, and the answer says something else.
    HappenThenFail(Trouble),
    /// Nothing happens, and the body panics.
    Panic,
    /// It happens, and the body panics.
    HappenThenPanic,
    /// It happens, and no answer ever comes.
    HappenThenHang,
    /// Nothing happens, and no answer ever comes.
    Hang,
    /// It waits until the test opens the gate, and then does the other thing.
    Behind(Passage, Box<Act>),
    /// It happens, waits, and then does the other thing.
    HappenBehind(Passage, Box<Act>),
}

/// Where an attempt waits for the test, and the test for an attempt. Once it is
/// dropped, nobody waits there any more: a test that fails leaves no thread
/// behind that its executor would wait for.
#[derive(Debug)]
pub(crate) struct Gate(Passage);

/// The way through a [`Gate`].
#[derive(Debug, Clone)]
pub(crate) struct Passage(Arc<(Semaphore, Semaphore)>);

impl Gate {
    pub(crate) fn new() -> Self {
        Self(Passage(Arc::new((Semaphore::new(0), Semaphore::new(0)))))
    }

    /// The way through it.
    pub(crate) fn passage(&self) -> Passage {
        self.0.clone()
    }

    /// An attempt that waits here before it does `act`.
    pub(crate) fn before(&self, act: Act) -> Act {
        Act::Behind(self.passage(), Box::new(act))
    }

    /// An attempt that has an effect, waits here, and then does `act`.
    pub(crate) fn within(&self, act: Act) -> Act {
        Act::HappenBehind(self.passage(), Box::new(act))
    }

    /// Returns when somebody has come to the gate.
    pub(crate) async fn reached(&self) {
        soon(self.reached_by_thread()).await;
    }

    /// The same for bodies that are not async: threads take their time.
    pub(crate) async fn reached_by_thread(&self) {
        self.0.0.0.acquire().await.unwrap().forget();
    }

    /// Lets one pass.
    pub(crate) fn open(&self) {
        self.0.0.1.add_permits(1);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.0.0.1.add_permits(1_000);
    }
}

impl Passage {
    pub(crate) async fn pass(&self) {
        self.0.0.add_permits(1);
        self.0.1.acquire().await.unwrap().forget();
    }
}

/// What is there: a script of what comes next, and a count of what happened.
#[derive(Debug, Clone, Default)]
pub(crate) struct World(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    script: VecDeque<Act>,
    effects: BTreeMap<String, u32>,
    attempts: Vec<String>,
    finished: u32,
    /// Whether it dedupes on the key that it is given.
    dedupes: bool,
}

impl World {
    /// A world that does nothing twice under one key, as some APIs promise.
    pub(crate) fn deduping() -> Self {
        let world = Self::default();
        world.lock().dedupes = true;
        world
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    /// What the next attempts meet, in order; then everything succeeds.
    pub(crate) fn then(&self, act: Act) -> &Self {
        self.lock().script.push_back(act);
        self
    }

    /// How often anything happened.
    pub(crate) fn effects(&self) -> u32 {
        self.lock().effects.values().sum()
    }

    /// How often something happened under `key`.
    pub(crate) fn effects_of(&self, key: &str) -> u32 {
        self.lock().effects.get(key).copied().unwrap_or_default()
    }

    /// The most that happened under any one key.
    pub(crate) fn worst(&self) -> u32 {
        self.lock().effects.values().copied().max().unwrap_or_default()
    }

    /// How many attempts came.
    pub(crate) fn attempts(&self) -> usize {
        self.lock().attempts.len()
    }

    /// The keys with which they came.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.lock().attempts.clone()
    }

    /// How many of them came to their end: were not dropped on their way.
    pub(crate) fn finished(&self) -> u32 {
        self.lock().finished
    }

    /// One attempt.
    pub(crate) async fn act(&self, key: &str) -> Result<u32, Trouble> {
        let act = {
            let mut inner = self.lock();
            inner.attempts.push(key.to_owned());
            inner.script.pop_front().unwrap_or(Act::Succeed)
        };
        let ended = self.play(key, act).await;
        self.lock().finished += 1;
        ended
    }

    async fn play(&self, key: &str, mut act: Act) -> Result<u32, Trouble> {
        loop {
            act = match act {
                Act::Succeed => return Ok(self.happen(key)),
                Act::Fail(trouble) => return Err(trouble),
                Act::HappenThenFail(trouble) => {
                    self.happen(key);
                    return Err(trouble);
                }
                Act::Panic => panic!("the body broke"),
                Act::HappenThenPanic => {
                    self.happen(key);
                    panic!("the body broke");
                }
                Act::HappenThenHang => {
                    self.happen(key);
                    std::future::pending().await
                }
                Act::Hang => std::future::pending().await,
                Act::Behind(gate, then) => {
                    gate.pass().await;
                    *then
                }
                Act::HappenBehind(gate, then) => {
                    self.happen(key);
                    gate.pass().await;
                    // What it does next has happened already.
                    return match *then {
                        Act::Succeed => Ok(self.effects_of(key)),
                        Act::Fail(trouble) => Err(trouble),
                        other => Box::pin(self.play(key, other)).await,
                    };
                }
            };
        }
    }

    fn happen(&self, key: &str) -> u32 {
        let mut inner = self.lock();
        let dedupes = inner.dedupes;
        let count = inner.effects.entry(key.to_owned()).or_default();
        if !dedupes || *count == 0 {
            *count += 1;
        }
        *count
    }

    /// Waits at a gate where a body that is not async stands.
    pub(crate) fn act_blocking(&self, key: &str) -> Result<u32, Trouble> {
        tokio::runtime::Handle::current().block_on(self.act(key))
    }
}
