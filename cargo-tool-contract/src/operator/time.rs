//! Times, as people and programs read them.

use tool_contract_runtime::clock::{Clock as _, SystemClock};
use tool_contract_runtime::ledger::Timestamp;
use tool_contract_spec::duration;

/// The last millisecond that has a date here.
const LAST: u64 = 253_402_300_799_999;

/// The time of this machine.
pub(crate) fn now() -> Timestamp {
    SystemClock::new().now()
}

/// `2026-11-22 03:01:04 UTC`
pub(crate) fn utc(at: Timestamp) -> String {
    if at.0 > LAST {
        return "after the year 9999".to_owned();
    }
    let ((year, month, day), (hour, minute, second)) = (date(at), hour(at));
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// `2026-11-22T03:01:04.000Z`, as RFC 3339 has it.
pub(crate) fn iso(at: Timestamp) -> String {
    let at = Timestamp(at.0.min(LAST));
    let ((year, month, day), (hour, minute, second)) = (date(at), hour(at));
    let millis = at.0 % 1_000;
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// The time, and how far it is from now.
pub(crate) fn both(at: Timestamp, now: Timestamp) -> String {
    if at.0 > LAST { utc(at) } else { format!("{} ({})", utc(at), relative(at, now)) }
}

/// `3d 2h ago`, `in 12s`
pub(crate) fn relative(at: Timestamp, now: Timestamp) -> String {
    if at > now {
        format!("in {}", duration::wait(at.since(now)))
    } else {
        format!("{} ago", duration::passed(now.since(at)))
    }
}

const fn hour(at: Timestamp) -> (u64, u64, u64) {
    let seconds = at.0 / 1_000 % 86_400;
    (seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// Year, month and day, by the Gregorian calendar.
fn date(at: Timestamp) -> (u64, usize, u64) {
    let mut days = at.0 / 86_400_000;
    let mut year = 1970;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let months = [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= months[month] {
        days -= months[month];
        month += 1;
    }
    (year, month + 1, days + 1)
}

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (millis, date) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
            (1_767_225_600_000, "2026-01-01T00:00:00.000Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (LAST, "9999-12-31T23:59:59.999Z"),
            (u64::MAX, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(iso(Timestamp(millis)), date);
        }
        assert_eq!(utc(Timestamp(1_709_251_199_999)), "2024-02-29 23:59:59 UTC");
        assert_eq!(utc(Timestamp::END), "after the year 9999");
        assert_eq!(both(Timestamp::END, Timestamp::ZERO), "after the year 9999");
    }

    #[test]
    fn a_time_is_ahead_or_behind() {
        let (early, late) = (Timestamp(1_000), Timestamp(4_000));
        assert_eq!(relative(early, late), "3s ago");
        assert_eq!(relative(late, early), "in 3s");
        assert_eq!(relative(late, late), "0s ago");
    }
}
