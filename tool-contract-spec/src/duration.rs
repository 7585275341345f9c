//! `30s`, `24h`: the one way to write a time span; and how people are told one.

use std::time::Duration;

/// The units, longest first, in milliseconds.
const UNITS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// The longest span: one hundred years. What is longer is a typing mistake.
pub const LONGEST: Duration = Duration::from_hours(100 * 365 * 24);

/// Why a text is no time span.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MalformedDuration {
    /// It is not an integer and a unit.
    #[error(
        "`{0}` is not an integer and a unit; write for instance `200ms`, `30s`, `15m`, `24h` or `30d`"
    )]
    Form(String),
    /// It is longer than [`LONGEST`].
    #[error("`{0}` is longer than a hundred years")]
    TooLong(String),
}

/// Reads an integer and one of `ms`, `s`, `m`, `h`, `d`.
///
/// ```
/// # mod tool_contract { pub use tool_contract_spec as spec; }
/// # use std::time::Duration;
/// use tool_contract::spec::duration::parse;
///
/// assert_eq!(parse("15m")?, Duration::from_secs(900));
/// assert!(parse("1h30m").is_err());
/// # Ok::<(), tool_contract::spec::duration::MalformedDuration>(())
/// ```
///
/// # Errors
/// If it is anything else, or longer than [`LONGEST`]. Zero is read; whether
/// it makes sense is a rule's business.
pub fn parse(text: &str) -> Result<Duration, MalformedDuration> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = UNITS.into_iter().find(|(name, _)| *name == unit);
    let (false, Some((_, millis))) = (number.is_empty(), unit) else {
        return Err(MalformedDuration::Form(text.to_owned()));
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(millis))
        .map(Duration::from_millis)
        .filter(|duration| *duration <= LONGEST)
        .ok_or_else(|| MalformedDuration::TooLong(text.to_owned()))
}

/// Writes a span in the longest unit that divides it; what is finer than a
/// millisecond is dropped.
#[must_use]
pub fn format(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let (name, unit) = UNITS
        .into_iter()
        .find(|(_, unit)| millis != 0 && millis % unit == 0)
        .unwrap_or(("s", 1_000));
    format!("{}{name}", millis / unit)
}

/// A time to wait, as people are told: `30m`, `1m 30s`, `1.5s`, `200ms`. Its two
/// largest units, rounded up: who waits that long has waited long enough. Programs
/// get the exact one.
///
/// ```
/// # mod tool_contract { pub use tool_contract_spec as spec; }
/// # use std::time::Duration;
/// use tool_contract::spec::duration::wait;
///
/// assert_eq!(wait(Duration::from_millis(1_799_989)), "30m");
/// ```
#[must_use]
pub fn wait(span: Duration) -> String {
    told(span.as_nanos(), u128::next_multiple_of)
}

/// A time that has passed, likewise, rounded down.
#[must_use]
pub fn passed(span: Duration) -> String {
    told(span.as_nanos(), |span, unit| span / unit * unit)
}

/// Rounds so that no more than two units are left of it.
fn told(nanos: u128, round: impl Fn(u128, u128) -> u128) -> String {
    const MILLI: u128 = 1_000_000;
    /// What is shorter than the first is rounded to the second, in milliseconds.
    const STEPS: [(u128, u128); 4] =
        [(1_000, 1), (10_000, 100), (3_600_000, 1_000), (86_400_000, 60_000)];
    let step = STEPS.into_iter().find(|(below, _)| nanos < below * MILLI);
    let step = step.map_or(3_600_000, |(_, step)| step);
    let mut rest = round(nanos, step * MILLI) / MILLI;
    let (seconds, tenths) = (rest / 1_000, rest / 100 % 10);
    if (1..10).contains(&seconds) && tenths > 0 {
        return format!("{seconds}.{tenths}s");
    }
    let mut parts = Vec::new();
    for (name, unit) in UNITS.map(|(name, unit)| (name, u128::from(unit))) {
        if rest >= unit {
            parts.push(format!("{}{name}", rest / unit));
        }
        rest %= unit;
    }
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_unit_is_read() {
        for (text, millis) in
            [("7ms", 7), ("7s", 7_000), ("7m", 420_000), ("7h", 25_200_000), ("7d", 604_800_000)]
        {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for text in ["", "s", "7", "7 s", "-7s", "7.5s", "1h30m", "7S", "７s", "7sec"] {
            assert_eq!(parse(text), Err(MalformedDuration::Form(text.to_owned())));
        }
        for text in ["99999999999999999999d", "36501d"] {
            assert_eq!(parse(text), Err(MalformedDuration::TooLong(text.to_owned())));
        }
    }

    #[test]
    fn people_are_told_two_units_at_most() {
        const MINUTE: u64 = 60_000;
        for (millis, to_wait, has_passed) in [
            (0, "0s", "0s"),
            (250, "250ms", "250ms"),
            (1_500, "1.5s", "1.5s"),
            (1_501, "1.6s", "1.5s"),
            (9_999, "10s", "9.9s"),
            (59_001, "1m", "59s"),
            (90 * 1_000, "1m 30s", "1m 30s"),
            (30 * MINUTE - 11, "30m", "29m 59s"),
            (60 * MINUTE, "1h", "1h"),
            (60 * MINUTE + 5_000, "1h 1m", "1h"),
            (24 * 60 * MINUTE - 1, "1d", "23h 59m"),
            (25 * 60 * MINUTE + 1, "1d 2h", "1d 1h"),
        ] {
            let span = Duration::from_millis(millis);
            assert_eq!((wait(span).as_str(), passed(span).as_str()), (to_wait, has_passed));
        }
        let nanos = Duration::from_nanos(1);
        assert_eq!((wait(nanos).as_str(), passed(nanos).as_str()), ("1ms", "0s"));
        assert!(wait(Duration::MAX).ends_with('h'));
    }

    proptest! {
        #[test]
        fn who_waits_as_told_has_waited_long_enough(millis in 0_u64..=3_153_600_000_000) {
            let parts = |told: String| {
                let parts = told.split(' ').map(|part| match part.strip_suffix('s') {
                    Some(tenths) if tenths.contains('.') => {
                        let (seconds, tenth) = tenths.split_once('.').unwrap();
                        parse(&format!("{seconds}{tenth}00ms")).unwrap()
                    }
                    _ => parse(part).unwrap(),
                });
                parts.collect::<Vec<_>>()
            };
            let span = Duration::from_millis(millis);
            let (up, down) = (parts(wait(span)), parts(passed(span)));
            prop_assert!(up.len() <= 2 && down.len() <= 2);
            prop_assert!(up.iter().sum::<Duration>() >= span);
            prop_assert!(down.iter().sum::<Duration>() <= span);
        }

        #[test]
        fn what_is_written_reads_back(millis in 0_u64..=3_153_600_000_000) {
            let span = Duration::from_millis(millis);
            prop_assert_eq!(parse(&format(span)), Ok(span));
        }

        #[test]
        fn any_text_is_answered(text in ".*") {
            let _ = parse(&text);
        }
    }
}
