//! Limits: GCRA for rates, a counter for counts.

use proptest::prelude::*;

use super::*;
use crate::policy::{Limit, Period, Quota, Scope};

fn draws(quotas: &[Quota]) -> Vec<Draw> {
    let cell = |quota: &Quota| CellId {
        over: "tool".into(),
        limit: Limit { scope: Scope::Tool, quota: *quota },
        tenant: None,
        subject: None,
    };
    quotas.iter().map(|quota| Draw::now(cell(quota))).collect()
}

/// One limit, and how much of it is used up.
struct Meter {
    draws: Vec<Draw>,
    cells: Vec<Cell>,
}

impl Meter {
    fn new(quotas: &[Quota]) -> Self {
        Self { draws: draws(quotas), cells: vec![Cell::default(); quotas.len()] }
    }

    fn draw(&mut self, now: u64) -> Result<(), Limited> {
        let before = self.cells.clone();
        let drawn = draw(&mut self.cells, &self.draws, None, Timestamp(now));
        if drawn.is_err() {
            assert_eq!(self.cells, before, "all or none");
        }
        drawn
    }

    /// How many calls get through at once.
    fn burst(&mut self, now: u64, most: u32) -> u32 {
        (0..most).take_while(|_| self.draw(now).is_ok()).count().try_into().unwrap()
    }
}

const NOW: u64 = 1_767_225_600_000;

#[test]
fn exactly_so_many_at_once() {
    for period in Period::ALL {
        for count in [1, 2, 3, 7, 60, 100, 999, 1_000, 60_000] {
            let mut meter = Meter::new(&[Quota::Rate(count, period)]);
            assert_eq!(meter.burst(NOW, count + 10), count, "{count} per {period:?}");
        }
    }
}

#[test]
fn it_refills_evenly() {
    let mut meter = Meter::new(&[Quota::Rate(10, Period::Second)]);
    assert_eq!(meter.burst(NOW, 20), 10);
    let limited = meter.draw(NOW).unwrap_err();
    assert_eq!(limited.retry_after, Some(ms(100)));
    assert!(meter.draw(NOW + 99).is_err());
    assert_eq!(meter.burst(NOW + 100, 20), 1);
    assert_eq!(meter.burst(NOW + 450, 20), 3);
    assert_eq!(meter.burst(NOW + 100_000, 20), 10, "and no further than full");
}

#[test]
fn a_count_never_refills() {
    let mut meter = Meter::new(&[Quota::Count(3)]);
    assert_eq!(meter.burst(NOW, 10), 3);
    let limited = meter.draw(u64::MAX).unwrap_err();
    assert_eq!((limited.quota(), limited.retry_after), (Quota::Count(3), None));
}

#[test]
fn a_count_may_be_open_for_a_while_and_never_opens_again() {
    let quota = Quota::Within(3, Duration::from_secs(10));
    let mut meter = Meter::new(&[quota]);
    meter.draw(NOW).unwrap();
    meter.draw(NOW + 9_999).unwrap();
    // The time began with the first draw, and no other moves it.
    for now in [NOW + 10_000, NOW + 10_001, u64::MAX] {
        let limited = meter.draw(now).unwrap_err();
        assert_eq!((limited.quota(), limited.used, limited.retry_after), (quota, 2, None));
    }
    // A clock that steps back closes nothing.
    meter.draw(NOW - 5_000).unwrap();
    assert_eq!(meter.draw(NOW).unwrap_err().used, 3);
    assert!(!meter.cells[0].is_idle(Timestamp::END), "or it would begin anew");
    let mut never = Meter::new(&[Quota::Within(3, Duration::ZERO)]);
    assert_eq!(never.draw(NOW).unwrap_err().used, 0);
}

#[test]
fn what_begins_later_has_to_begin_in_time() {
    let ahead = |millis| {
        let draw = draws(&[Quota::Within(9, Duration::from_nanos(9_999_000_001))]).remove(0);
        [Draw { ahead: ms(millis), ..draw }]
    };
    let mut cell = [Cell::default()];
    let mut draw_at = |millis, now| draw(&mut cell, &ahead(millis), None, Timestamp(now));
    draw_at(10_000, NOW).unwrap_err();
    draw_at(0, NOW).unwrap();
    draw_at(9_999, NOW).unwrap();
    draw_at(10_000, NOW).unwrap_err();
    draw_at(4_999, NOW + 5_000).unwrap();
    draw_at(5_000, NOW + 5_000).unwrap_err();
    draw_at(20_000, NOW + 5_000).unwrap_err();
    draw_at(0, NOW + 9_999).unwrap();
    draw_at(0, NOW + 10_000).unwrap_err();
    assert_eq!(cell[0].count, 4);
}

#[test]
fn several_limits_are_drawn_from_together_or_not_at_all() {
    let mut meter = Meter::new(&[
        Quota::Rate(5, Period::Second),
        Quota::Count(2),
        Quota::Rate(3, Period::Hour),
    ]);
    assert_eq!(meter.burst(NOW, 10), 2);
    assert_eq!(
        meter.draw(NOW).unwrap_err().quota(),
        Quota::Count(2),
        "the one that has no room for longest"
    );
    assert_eq!(meter.cells[1].count, 2);
    let mut alone = Meter::new(&[Quota::Rate(5, Period::Second)]);
    alone.cells[0] = meter.cells[0].clone();
    assert_eq!(alone.burst(NOW, 10), 3, "refused calls drew nothing");
}

#[test]
fn of_several_rates_the_slowest_is_named() {
    let mut meter = Meter::new(&[Quota::Rate(1, Period::Second), Quota::Rate(1, Period::Hour)]);
    meter.draw(NOW).unwrap();
    let limited = meter.draw(NOW).unwrap_err();
    assert_eq!(limited.quota(), Quota::Rate(1, Period::Hour));
    assert_eq!(limited.retry_after, Some(Duration::from_hours(1)));
}

#[test]
fn a_clock_that_steps_back_gives_no_endless_debt() {
    let mut meter = Meter::new(&[Quota::Rate(10, Period::Second)]);
    assert_eq!(meter.burst(NOW, 20), 10);
    let earlier = NOW - 3_600_000;
    assert_eq!(meter.burst(earlier, 20), 1, "nor a second burst");
    assert_eq!(meter.draw(earlier).unwrap_err().retry_after, Some(ms(100)));
    assert_eq!(meter.burst(earlier + 100, 20), 1);
    assert_eq!(meter.burst(earlier + 1_100, 20), 10, "and all is as before");
}

#[test]
fn a_cell_is_idle_when_it_says_no_more_than_a_new_one() {
    assert!(Cell::default().is_idle(Timestamp(NOW)));
    let mut meter = Meter::new(&[Quota::Rate(10, Period::Second)]);
    meter.burst(NOW, 10);
    assert!(!meter.cells[0].is_idle(Timestamp(NOW + 999)));
    assert!(meter.cells[0].is_idle(Timestamp(NOW + 1_000)));
    let mut meter = Meter::new(&[Quota::Count(3)]);
    meter.burst(NOW, 1);
    assert!(!meter.cells[0].is_idle(Timestamp::END));
}

#[test]
fn the_end_of_time_is_survived() {
    for quota in [
        Quota::Rate(1, Period::Day),
        Quota::Rate(u32::MAX, Period::Second),
        Quota::Rate(0, Period::Hour),
    ] {
        let mut meter = Meter::new(&[quota]);
        let _ = meter.draw(u64::MAX);
        let _ = meter.draw(0);
    }
}

proptest! {
    /// In any window of one period at most twice the quota gets through: a full
    /// burst, and what refills meanwhile; and over all never more than that.
    #[test]
    fn a_rate_holds_over_any_time(count in 1_u32..50, steps in prop::collection::vec(0_u64..400, 1..200)) {
        let mut meter = Meter::new(&[Quota::Rate(count, Period::Second)]);
        let (mut now, mut through) = (NOW, 0_u64);
        for step in steps {
            now += step;
            through += u64::from(meter.draw(now).is_ok());
            let refilled = (now - NOW) * u64::from(count) / 1_000;
            prop_assert!(through <= u64::from(count) + refilled, "{through} after {}ms", now - NOW);
        }
    }

    /// Whoever waits as long as he was told gets through.
    #[test]
    fn the_wait_that_is_named_is_long_enough(count in 1_u32..50, steps in prop::collection::vec(0_u64..400, 1..100)) {
        let mut meter = Meter::new(&[Quota::Rate(count, Period::Second), Quota::Rate(count * 7, Period::Minute)]);
        let mut now = NOW;
        for step in steps {
            now += step;
            if let Err(limited) = meter.draw(now) {
                let wait = limited.retry_after.unwrap();
                now += u64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap();
                prop_assert_eq!(meter.draw(now), Ok(()));
            }
        }
    }
}

fn slot(fence: u64, until: u64) -> Slot {
    Slot { fence: Fence(fence), until: Timestamp(until) }
}

fn take(cell: &mut [Cell], most: u32, slot: Slot, now: u64) -> Result<(), Limited> {
    draw(cell, &draws(&[Quota::Concurrent(most)]), Some(slot), Timestamp(now))
}

#[test]
fn so_many_at_a_time_until_one_ends_or_its_lease_does() {
    let mut cell = [Cell::default()];
    take(&mut cell, 2, slot(1, NOW + 10), NOW).unwrap();
    take(&mut cell, 2, slot(2, NOW + 30), NOW).unwrap();
    let limited = take(&mut cell, 2, slot(3, NOW + 50), NOW + 9).unwrap_err();
    assert_eq!((limited.quota(), limited.retry_after), (Quota::Concurrent(2), Some(ms(1))));
    // A lease that ran out gives its slot back.
    take(&mut cell, 2, slot(3, NOW + 50), NOW + 10).unwrap();
    take(&mut cell, 2, slot(4, NOW + 50), NOW + 10).unwrap_err();
    // One that is renewed keeps it, and one that ends gives it back.
    cell[0].hold(slot(2, NOW + 90), Timestamp(NOW + 20));
    take(&mut cell, 2, slot(4, NOW + 99), NOW + 49).unwrap_err();
    cell[0].hold(slot(2, 0), Timestamp(NOW + 49));
    take(&mut cell, 2, slot(4, NOW + 99), NOW + 49).unwrap();
    // Nobody keeps what he has not.
    cell[0].hold(slot(7, NOW + 99), Timestamp(NOW + 49));
    assert_eq!(cell[0].slots, [slot(3, NOW + 50), slot(4, NOW + 99)]);
    assert!(!cell[0].is_idle(Timestamp(NOW + 98)));
    assert!(cell[0].is_idle(Timestamp(NOW + 99)));
}

#[test]
fn who_claims_nothing_takes_no_slot() {
    let mut cell = [Cell::default()];
    let draws = draws(&[Quota::Concurrent(1)]);
    for _ in 0..3 {
        draw(&mut cell, &draws, None, Timestamp(NOW)).unwrap();
    }
    take(&mut cell, 1, slot(1, NOW + 10), NOW).unwrap();
    draw(&mut cell, &draws, None, Timestamp(NOW)).unwrap_err();
}
