//! Numbers and their ranges (TC0006).

use std::ops::RangeInclusive;

use super::declared::Declared;
use super::voice::Voice;
use crate::draft::{LimitDraft, Located};
use crate::policy::{Limit, Quota, Retry};
use crate::rulebook::{Code, Finding};

/// TC0006: a number is within its range.
pub(super) fn within<At: Clone>(
    range: RangeInclusive<u32>,
    name: &str,
    voice: Voice<'_>,
    written: &Located<u64, At>,
) -> Result<u32, Finding<At>> {
    let number = u32::try_from(written.value).ok().filter(|number| range.contains(number));
    number.ok_or_else(|| {
        let (least, most) = range.into_inner();
        // A draft holds `u64::MAX` for all that does not fit.
        let number = match written.value {
            u64::MAX => "too large".to_owned(),
            number => number.to_string(),
        };
        let message = format!("`{name}` of `{}` is {number}", voice.tool);
        let help = format!("write a number from {least} to {most}");
        Finding::new(Code::NUMBER_OUT_OF_RANGE, written.at.clone(), message, help)
    })
}

/// TC0006: how many may run at a time.
pub(super) fn concurrency<At: Clone>(
    voice: Voice<'_>,
    written: &LimitDraft<At>,
) -> Result<Limit, Finding<At>> {
    let LimitDraft { scope, quota } = written;
    let number = quota.value.trim().parse().unwrap_or(u64::MAX);
    let (name, number) =
        (format!("per_{}", scope.as_str()), Located::new(number, quota.at.clone()));
    let most = within(1..=Quota::MOST_CONCURRENT, &name, voice, &number)?;
    Ok(Limit { scope: *scope, quota: Quota::Concurrent(most) })
}

/// TC0006: a key may be attempted at least as often as one call attempts it.
pub(super) fn total_below_max<At: Clone>(tool: &Declared<'_, At>) -> Option<Finding<At>> {
    let retry = &tool.retry.given()?.value;
    let (max, total) = (retry.max.given()?.value, retry.max_total.given()?);
    (total.value < max).then(|| {
        let name = tool.voice.say("max", "max_attempts");
        let message = format!(
            "`max_total` of `{}` is {}, below its `{name}` of {max}: the attempts of one call count among those of its key",
            tool.voice.tool, total.value
        );
        let fitting = Retry::DEFAULT_TOTAL.max(max);
        let help = format!("write for instance `{}`", tool.voice.assign_number("max_total", &fitting.to_string()));
        Finding::new(Code::NUMBER_OUT_OF_RANGE, total.at.clone(), message, help)
    })
}

#[cfg(test)]
mod tests {
    use crate::draft::{BreakerDraft, Draft, Field};
    use crate::policy::{Breaker, Limit, Quota, Scope};
    use crate::rulebook::Code;
    use crate::rulebook::check::check;
    use crate::rulebook::check::fixture::{
        At, BOTH, but, confirm, destructive, found, given, limit, read, retry, word, write,
    };

    const REFUSED: Code = Code::NUMBER_OUT_OF_RANGE;

    #[test]
    fn tc0006_so_many_at_a_time_are_at_least_one_and_not_endless() {
        for surface in BOTH {
            let draft = |number| Draft {
                concurrency: given("concurrency", vec![limit(0, Scope::User, number)]),
                ..write(surface)
            };
            for number in ["0", "1001", "18446744073709551616", "-1", "5/s", ""] {
                assert_eq!(found(&draft(number)), [(REFUSED, At::Item(0))], "{number}");
            }
            for number in ["1", "1000"] {
                let checked = check(&draft(number));
                let limits = checked.contract.unwrap().policy.limits;
                let quota = Quota::Concurrent(number.parse().unwrap());
                assert_eq!(limits[1], Limit { scope: Scope::User, quota });
            }
            let of_a_read = Draft { side_effect: read(surface).side_effect, ..draft("1") };
            assert!(found(&of_a_read).contains(&(Code::CONTRADICTS_READ, At::Key("concurrency"))));
        }
    }

    #[test]
    fn tc0006_and_tc0015_a_breaker_opens_some_time_and_not_for_ever() {
        for surface in BOTH {
            let draft = |failures, cooldown| Draft {
                breaker: given("breaker", BreakerDraft { failures, cooldown }),
                ..read(surface)
            };
            for failures in [0, 1_001, u64::MAX] {
                let draft = draft(given("failures", failures), Field::Absent);
                assert_eq!(found(&draft), [(REFUSED, At::Value("failures"))]);
            }
            let never = draft(Field::Absent, word("cooldown", "0s"));
            assert_eq!(found(&never), [(Code::UNKEEPABLE_BOUND, At::Value("cooldown"))]);
            let breaker = |draft| check(&draft).contract.unwrap().policy.breaker;
            assert_eq!(breaker(draft(Field::Absent, Field::Absent)), Some(Breaker::DEFAULT));
            let whole = draft(given("failures", 1_000), word("cooldown", "1m"));
            let cooldown = std::time::Duration::from_mins(1);
            assert_eq!(breaker(whole), Some(Breaker { failures: 1_000, cooldown }));
            assert_eq!(breaker(read(surface)), None);
        }
    }

    #[test]
    fn tc0006_attempts_are_bounded() {
        for surface in BOTH {
            for max in [0, 21, u64::from(u32::MAX) + 1, u64::MAX] {
                let draft = Draft { retry: retry(max, &["network"]), ..read(surface) };
                assert_eq!(found(&draft), [(REFUSED, At::Value("max"))]);
            }
            for max in [1, 20] {
                assert_eq!(found(&Draft { retry: retry(max, &["network"]), ..read(surface) }), []);
            }
        }
    }

    #[test]
    fn tc0006_a_key_has_the_attempts_of_a_call() {
        let total = |total| {
            but(retry(5, &["network"]), |retry| retry.max_total = given("max_total", total))
        };
        for surface in BOTH {
            for refused in [0, 4, u64::MAX] {
                let draft = Draft { retry: total(refused), ..write(surface) };
                assert_eq!(found(&draft), [(REFUSED, At::Value("max_total"))]);
            }
            for accepted in [5, 1_000] {
                assert_eq!(found(&Draft { retry: total(accepted), ..write(surface) }), []);
            }
        }
    }

    #[test]
    fn a_key_has_ten_attempts_or_those_of_a_call() {
        for (max, total) in [(3, 10), (15, 15)] {
            let draft = Draft { retry: retry(max, &["network"]), ..write(BOTH[0]) };
            assert_eq!(check(&draft).contract.unwrap().policy.retry.max_total, total);
        }
    }

    #[test]
    fn tc0006_other_numbers_are_bounded_too() {
        for surface in BOTH {
            for quorum in [0, u64::MAX] {
                let confirm = but(confirm(), |confirm| confirm.quorum = given("quorum", quorum));
                assert_eq!(
                    found(&Draft { confirm, ..destructive(surface) }),
                    [(REFUSED, At::Value("quorum"))]
                );
            }
            let draft = Draft { version: given("version", u64::MAX), ..read(surface) };
            assert_eq!(found(&draft), [(REFUSED, At::Value("version"))]);
        }
    }

    #[test]
    fn a_refused_number_is_one_mistake() {
        for surface in BOTH {
            let retry = but(retry(99, &[]), |retry| retry.max_total = given("max_total", 3));
            assert_eq!(found(&Draft { retry, ..write(surface) }), [(REFUSED, At::Value("max"))]);
            let retry =
                but(super::super::fixture::retry(3, &[]), |retry| retry.max = Field::Refused);
            assert_eq!(found(&Draft { retry, ..write(surface) }), []);
        }
    }
}
