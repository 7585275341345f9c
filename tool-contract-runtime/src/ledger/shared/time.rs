//! What time it is at the store.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::ledger::Timestamp;

/// The store's time, as it was told and counted on since: never later than the
/// store's own, unless that was set back.
pub(super) struct StoreTime {
    clock: Arc<dyn Clock>,
    told: Mutex<Told>,
}

#[derive(Clone, Copy)]
struct Told {
    time: Timestamp,
    /// When it was told, by this clock.
    at: Duration,
}

impl StoreTime {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let told = Told { time: Timestamp::ZERO, at: clock.elapsed() };
        Self { clock, told: Mutex::new(told) }
    }

    /// At least how late it is.
    pub(super) fn now(&self) -> Timestamp {
        self.told().since(self.clock.elapsed())
    }

    /// Takes note of what a step was told.
    ///
    /// `found` says that the store did not take the date of a proposal: then its
    /// word counts even if it is earlier, for its clock was set back.
    pub(super) fn tell(&self, time: Timestamp, found: bool) {
        let now = Told { time, at: self.clock.elapsed() };
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if found || told.since(now.at) < time {
            *told = now;
        }
    }

    fn told(&self) -> Told {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Told {
    fn since(self, elapsed: Duration) -> Timestamp {
        self.time.after(elapsed.saturating_sub(self.at))
    }
}
