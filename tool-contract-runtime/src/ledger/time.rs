//! The time of a ledger that lives by its machine's clock.

use std::sync::Arc;
use std::time::Duration;

use tool_contract_spec::ledger::Timestamp;

use crate::clock::Clock;

/// A clock that never steps back, made of one that may.
///
/// A lease that ran out must stay so, whatever the machine's clock does. Where
/// that clock is behind what this one has shown, this one goes on at half its
/// pace until the other has caught up: an hour too far ahead is gone after two,
/// and meanwhile every span lasts longer, never shorter, which is the safe side
/// of all that a ledger measures.
pub(super) struct Time {
    clock: Arc<dyn Clock>,
    shown: Timestamp,
    /// When `shown` was shown, by the clock that never steps; `None` while the
    /// machine's clock leads.
    slow_since: Option<Duration>,
}

impl Time {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, shown: Timestamp::ZERO, slow_since: None }
    }

    pub(super) fn now(&mut self) -> Timestamp {
        let wall = self.clock.now();
        if wall >= self.shown {
            self.shown = wall;
            self.slow_since = None;
        } else {
            self.creep();
        }
        self.shown
    }

    /// Takes note of a time that this ledger has shown elsewhere: before a
    /// restart, or in another process.
    pub(super) fn saw(&mut self, shown: Timestamp) {
        if shown > self.shown {
            self.shown = shown;
            self.slow_since = None;
        }
    }

    fn creep(&mut self) {
        let elapsed = self.clock.elapsed();
        let since = *self.slow_since.get_or_insert(elapsed);
        let step = u64::try_from(elapsed.saturating_sub(since).as_millis() / 2).unwrap_or(u64::MAX);
        // What is less than a step counts towards the next one.
        self.slow_since = Some(since.saturating_add(Duration::from_millis(step.saturating_mul(2))));
        self.shown = Timestamp(self.shown.0.saturating_add(step));
    }
}
