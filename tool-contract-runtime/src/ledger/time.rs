//! The time of a ledger that lives by its machine's clock.

use std::sync::Arc;
use std::time::Duration;

use tool_contract_spec::ledger::Timestamp;

use crate::clock::Clock;

/// How far the wall clock may be off before it counts as more than rounding.
const NOISE: i128 = 2;

/// Where the wall clock is ahead, this clock gains a millisecond in so many.
const GAIN_IN: i128 = 8;

/// Where the wall clock is behind, this clock loses a millisecond in so many.
const LOSE_IN: i128 = 2;

/// A clock that shows the wall clock's time and never jumps, made of one that
/// may.
///
/// The clock that only counts keeps the pace. Where the wall clock has left it,
/// because somebody set it or the machine slept, this one follows, but slowly:
///
/// * It never goes back. A lease that ran out stays so.
/// * Backwards it follows at half pace: an hour is made up in two. Meanwhile
///   every span lasts longer, never shorter, which is the safe side of all that a
///   ledger measures.
/// * Forwards it gains an eighth. A jump would end every lease at once, while
///   the holders, who count by the clock that was not set, still act; then "it
///   did not happen" would be believed too early.
pub(super) struct Time {
    clock: Arc<dyn Clock>,
    /// What to add to the milliseconds that the clock counted.
    lead: i128,
    shown: i128,
    /// What the clock had counted when this was last asked.
    counted: i128,
    /// When the clocks were first found apart, or a correction was last made.
    apart_since: Option<i128>,
}

impl Time {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let wall = i128::from(clock.now().0);
        let counted = millis(clock.elapsed());
        Self { clock, lead: wall - counted, shown: wall, counted, apart_since: None }
    }

    pub(super) fn now(&mut self) -> Timestamp {
        let counted = millis(self.clock.elapsed());
        if counted != self.counted {
            self.counted = counted;
            self.look(counted);
        }
        Timestamp(u64::try_from(self.shown).unwrap_or(u64::MAX))
    }

    /// Looks at the wall clock, and follows it.
    fn look(&mut self, counted: i128) {
        let apart = i128::from(self.clock.now().0) - counted - self.lead;
        if apart.abs() <= NOISE {
            self.apart_since = None;
        } else {
            self.follow(apart, counted);
        }
        self.shown = self.shown.max(counted + self.lead);
    }

    /// Takes note of a time that this ledger has shown elsewhere: before a
    /// restart, or in another process.
    pub(super) fn saw(&mut self, shown: Timestamp) {
        let shown = i128::from(shown.0);
        if shown > self.shown {
            self.lead = self.lead.max(shown - millis(self.clock.elapsed()));
            self.shown = shown;
        }
    }

    fn follow(&mut self, apart: i128, counted: i128) {
        let since = *self.apart_since.get_or_insert(counted);
        let pace = if apart > 0 { GAIN_IN } else { LOSE_IN };
        let step = apart.abs().min((counted - since) / pace);
        self.lead += step * apart.signum();
        // What is less than a step counts towards the next, while there is one.
        self.apart_since = (apart.abs() - step > NOISE).then_some(since + step * pace);
    }
}

fn millis(span: Duration) -> i128 {
    i128::try_from(span.as_millis()).unwrap_or(i128::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ManualClock;

    const HOUR: i64 = 3_600_000;

    fn time() -> (Arc<ManualClock>, Time, u64) {
        let clock = Arc::new(ManualClock::new());
        let mut time = Time::new(Arc::clone(&clock) as _);
        let start = time.now().0;
        (clock, time, start)
    }

    fn pass(clock: &ManualClock, time: &mut Time, millis: u64) -> u64 {
        clock.advance(Duration::from_millis(millis));
        time.now().0
    }

    #[test]
    fn it_shows_the_wall_clock() {
        let (clock, mut time, start) = time();
        assert_eq!(clock.now().0, start);
        assert_eq!(pass(&clock, &mut time, 1_234), start + 1_234);
        assert_eq!(clock.now().0, start + 1_234);
    }

    #[test]
    fn a_step_back_is_made_up_at_half_pace() {
        let (clock, mut time, start) = time();
        clock.step_wall(-HOUR);
        assert_eq!(time.now().0, start, "it never goes back");
        // It takes a look to notice, and then a while to follow.
        assert_eq!(pass(&clock, &mut time, 1), start + 1);
        assert_eq!(pass(&clock, &mut time, 998), start + 500);
        assert_eq!(pass(&clock, &mut time, 1), start + 501);
        assert_eq!(pass(&clock, &mut time, 1), start + 501, "an odd millisecond is not lost");
        pass(&clock, &mut time, 7_200_000);
        assert_eq!(time.now(), clock.now());
        assert_eq!(pass(&clock, &mut time, 1_000), clock.now().0);
    }

    #[test]
    fn a_step_forward_ends_no_lease() {
        let (clock, mut time, start) = time();
        clock.step_wall(HOUR);
        assert_eq!(pass(&clock, &mut time, 1), start + 1);
        assert_eq!(pass(&clock, &mut time, 8_000), start + 9_001);
        pass(&clock, &mut time, 8 * 3_600_000);
        assert_eq!(time.now(), clock.now());
    }

    #[test]
    fn a_step_after_a_long_rest_ends_no_lease_either() {
        let (clock, mut time, start) = time();
        clock.advance(Duration::from_hours(24));
        clock.step_wall(HOUR);
        assert_eq!(time.now().0, start + 24 * 3_600_000);
    }

    #[test]
    fn often_asked_it_moves_all_the_same() {
        let (clock, mut time, start) = time();
        clock.step_wall(-HOUR);
        for _ in 0..1_001 {
            pass(&clock, &mut time, 1);
        }
        assert_eq!(time.now().0, start + 501);
    }

    #[test]
    fn what_was_made_up_gives_no_credit() {
        let (clock, mut time, _) = time();
        clock.step_wall(1_000);
        pass(&clock, &mut time, 1);
        pass(&clock, &mut time, 60_000);
        clock.step_wall(HOUR);
        let before = pass(&clock, &mut time, 1);
        assert_eq!(pass(&clock, &mut time, 80), before + 90);
    }

    #[test]
    fn what_was_shown_elsewhere_is_not_taken_back() {
        let (clock, mut time, start) = time();
        time.saw(Timestamp(start + 10_000));
        assert_eq!(time.now().0, start + 10_000);
        assert_eq!(pass(&clock, &mut time, 1), start + 10_001);
        assert_eq!(pass(&clock, &mut time, 1_000), start + 10_501);
        time.saw(Timestamp(start));
        assert_eq!(time.now().0, start + 10_501);
        pass(&clock, &mut time, 20_000);
        assert_eq!(time.now(), clock.now());
    }
}
