//! How many calls run.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Counts what runs.
#[derive(Default)]
pub(crate) struct Tracker {
    running: AtomicUsize,
    /// Whether anybody ever waited. Mostly nobody does, and then telling costs
    /// nothing.
    awaited: AtomicBool,
    idle: Notify,
}

/// Something that runs, until it is dropped.
pub(crate) struct Running<'a>(&'a Tracker);

impl Tracker {
    pub(crate) fn begin(&self) -> Running<'_> {
        self.running.fetch_add(1, Ordering::Relaxed);
        Running(self)
    }

    /// Returns when nothing runs.
    pub(crate) async fn idle(&self) {
        self.awaited.store(true, Ordering::SeqCst);
        loop {
            let idle = self.idle.notified();
            if self.running.load(Ordering::SeqCst) == 0 {
                return;
            }
            idle.await;
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let was_last = self.0.running.fetch_sub(1, Ordering::SeqCst) == 1;
        if was_last && self.0.awaited.load(Ordering::SeqCst) {
            self.0.idle.notify_waiters();
        }
    }
}
