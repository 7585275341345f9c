//! A clock that stands still until the test moves it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use tool_contract_spec::ledger::Timestamp;

use crate::clock::Clock;
use crate::tool::BoxFuture;

/// A clock that stands still until the test moves it.
///
/// A [`pause`](Clock::pause), a wait with nothing else to do, moves it by
/// itself: backoffs cost a test no time. An [`alarm`](Clock::alarm), a wait
/// beside something that runs, goes off only when the test
/// [advances](Self::advance) the clock.
#[derive(Debug)]
pub struct ManualClock(std::sync::Arc<Mutex<Hands>>);

#[derive(Debug)]
struct Hands {
    /// Since the clock was made.
    elapsed: Duration,
    /// The wall clock is ahead of `elapsed` by this.
    wall: u64,
    /// Who waits for the clock to move.
    wakers: Vec<Waker>,
    paused: Duration,
}

impl ManualClock {
    /// A clock that stands at the start of the year 2026.
    #[must_use]
    pub fn new() -> Self {
        let hands = Hands {
            elapsed: Duration::ZERO,
            wall: 1_767_225_600_000,
            wakers: Vec::new(),
            paused: Duration::ZERO,
        };
        Self(std::sync::Arc::new(Mutex::new(hands)))
    }

    /// Moves the clock, and sets off the alarms that are due.
    pub fn advance(&self, span: Duration) {
        let wakers = {
            let mut hands = lock(&self.0);
            hands.elapsed = hands.elapsed.saturating_add(span);
            std::mem::take(&mut hands.wakers)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Steps the wall clock, and only that, as an administrator might.
    pub fn step_wall(&self, millis: i64) {
        let mut hands = lock(&self.0);
        hands.wall = hands.wall.saturating_add_signed(millis);
    }

    /// How much time pauses have taken so far: the backoffs of a call.
    #[must_use]
    pub fn paused(&self) -> Duration {
        lock(&self.0).paused
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

fn lock(hands: &Mutex<Hands>) -> MutexGuard<'_, Hands> {
    hands.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        let hands = lock(&self.0);
        Timestamp(hands.wall).after(hands.elapsed)
    }

    fn elapsed(&self) -> Duration {
        lock(&self.0).elapsed
    }

    fn pause(&self, span: Duration) -> BoxFuture<'static, ()> {
        let clock = Self(std::sync::Arc::clone(&self.0));
        Box::pin(async move {
            lock(&clock.0).paused += span;
            clock.advance(span);
            // Others get their turn, as in any wait.
            tokio::task::yield_now().await;
        })
    }

    fn alarm(&self, span: Duration) -> BoxFuture<'static, ()> {
        let hands = std::sync::Arc::clone(&self.0);
        let due = lock(&hands).elapsed.saturating_add(span);
        Box::pin(std::future::poll_fn(move |cx| {
            let mut hands = lock(&hands);
            if hands.elapsed >= due {
                return Poll::Ready(());
            }
            hands.wakers.push(cx.waker().clone());
            Poll::Pending
        }))
    }
}
