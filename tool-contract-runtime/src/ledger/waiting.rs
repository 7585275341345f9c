//! Waking those who wait for an operation to change.

use std::future::poll_fn;
use std::hash::{BuildHasher, RandomState};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use tokio::sync::Notify;
use tool_contract_spec::key::OperationId;

use crate::tool::BoxFuture;

/// How many bells there are. Operations share them: a waiter that is woken for
/// nothing asks once too often, which does no harm.
const BELLS: usize = 64;

/// The bells by which those who wait are woken.
pub(super) struct Waiting {
    /// How many wait. Mostly nobody does, and then waking costs nothing.
    waiters: AtomicUsize,
    bells: [Notify; BELLS],
    places: RandomState,
}

impl Default for Waiting {
    fn default() -> Self {
        Self { waiters: AtomicUsize::new(0), bells: [const { Notify::const_new() }; BELLS], places: RandomState::new() }
    }
}

impl Waiting {
    /// Wakes whoever waits for `id`.
    pub(super) fn wake(&self, id: &OperationId) {
        // A step is made under a lock that the waiter takes after it was counted,
        // so whoever is not seen here sees the step.
        if self.waiters.load(Ordering::Acquire) > 0 {
            self.bell(id).notify_waiters();
        }
    }

    /// Waits until `id` may have changed, or `end` is over. `is_moving` is asked
    /// after the place in the queue is taken, so that no change is missed in
    /// between; if it says no, there is nothing to wait for.
    pub(super) async fn wait(&self, id: &OperationId, end: BoxFuture<'_, ()>, is_moving: impl FnOnce() -> bool) {
        let _counted = Counted::new(&self.waiters);
        let mut bell = pin!(self.bell(id).notified());
        bell.as_mut().enable();
        if !is_moving() {
            return;
        }
        let mut end = end;
        poll_fn(|cx| {
            if bell.as_mut().poll(cx).is_ready() || end.as_mut().poll(cx).is_ready() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    /// The bell of `id`.
    fn bell(&self, id: &OperationId) -> &Notify {
        let place = self.places.hash_one(id) % (BELLS as u64);
        &self.bells[usize::try_from(place).unwrap_or(0)]
    }
}

/// Counts a waiter for as long as it waits; its future may be dropped.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(waiters: &'a AtomicUsize) -> Self {
        waiters.fetch_add(1, Ordering::AcqRel);
        Self(waiters)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
