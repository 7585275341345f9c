//! Between a call's future and the one who polls it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::clock::Clock;
use crate::error::{About, UnknownOutcome};
use crate::tool::BoxFuture;

/// What a call's future and its caller tell each other.
#[derive(Default)]
pub(crate) struct Link {
    begun: AtomicBool,
    abandoned: AtomicBool,
    left: Notify,
    /// Until when the caller waits, and by which clock.
    deadline: OnceLock<(Duration, Arc<dyn Clock>)>,
    /// The newest attempt of a call with a deadline.
    attempted: Mutex<Option<About>>,
    early: Mutex<Option<Box<UnknownOutcome>>>,
}

impl Link {
    /// From here on the future may hold a claim, and must not be lost; its
    /// caller waits until the deadline, if there is one.
    pub(crate) fn begin(&self, deadline_at: Option<Duration>, clock: &Arc<dyn Clock>) {
        if let Some(at) = deadline_at {
            self.deadline.get_or_init(|| (at, Arc::clone(clock)));
        }
        self.begun.store(true, Ordering::Release);
    }

    /// Waits for as long as the caller does, once the future may hold a claim.
    pub(crate) fn deadline(&self) -> Option<BoxFuture<'static, ()>> {
        self.deadline.get().map(|(at, clock)| clock.alarm(at.saturating_sub(clock.elapsed())))
    }

    /// From here on something may have happened.
    pub(crate) fn attempt(&self, about: impl FnOnce() -> About) {
        if self.deadline.get().is_some() {
            *self.attempted.lock().unwrap_or_else(PoisonError::into_inner) = Some(about());
        }
    }

    /// The newest attempt, if there was one and the call has a deadline.
    pub(crate) fn attempted(&self) -> Option<About> {
        self.attempted.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether the future may hold a claim.
    pub(crate) fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Acquire)
    }

    /// The caller is gone: nothing new is begun for it.
    pub(crate) fn abandon(&self) {
        self.abandoned.store(true, Ordering::Release);
        self.left.notify_waiters();
    }

    /// Whether the caller is gone.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Acquire)
    }

    /// Returns when the caller is gone.
    pub(crate) async fn abandoned(&self) {
        loop {
            let left = self.left.notified();
            if self.is_abandoned() {
                return;
            }
            left.await;
        }
    }

    /// Lets the caller go with this answer, while the future goes on.
    pub(crate) fn let_go(&self, answer: Box<UnknownOutcome>) {
        *self.early.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
    }

    /// The answer with which the caller may go.
    pub(crate) fn early(&self) -> Option<Box<UnknownOutcome>> {
        self.early.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
