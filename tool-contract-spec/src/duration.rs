//! `30s`, `24h`: the one way to write a time span.

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

    proptest! {
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
