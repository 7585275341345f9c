//! Time spans, rates and what can be kept in them (TC0013, TC0015).

use std::time::Duration;

use super::declared::Declared;
use super::voice::{Voice, one_of, quoted};
use crate::draft::{LimitDraft, Located};
use crate::duration::{self, MalformedDuration, format};
use crate::policy::{Limit, Period, Policy, Quota, Retry, Scope, Ttl};
use crate::rulebook::suggest::likely;
use crate::rulebook::{Code, Finding};

/// TC0015: a time span is an integer and a unit, and not zero. `example` is
/// one that somebody might write here.
pub(super) fn span<At: Clone>(
    (name, example): (&str, &str),
    voice: Voice<'_>,
    written: &Located<String, At>,
) -> Result<Duration, Finding<At>> {
    let text = quoted(&written.value);
    let why = match duration::parse(&written.value) {
        Ok(Duration::ZERO) => "zero, which can never be kept".to_owned(),
        Ok(span) => return Ok(span),
        Err(MalformedDuration::Form(_)) => format!("{text}, which is not an integer and a unit"),
        Err(MalformedDuration::TooLong(_)) => {
            format!("{text}, which is longer than a hundred years")
        }
    };
    let message = format!("`{name}` of `{}` is {why}", voice.tool);
    let help = format!("write for instance `{}`", voice.assign(name, example));
    Err(Finding::new(Code::UNKEEPABLE_BOUND, written.at.clone(), message, help))
}

/// TC0015: a limit lets something through, and says over which time.
pub(super) fn limit<At: Clone>(
    voice: Voice<'_>,
    written: &LimitDraft<At>,
) -> Result<Limit, Finding<At>> {
    let LimitDraft { scope, quota } = written;
    let (why, help) = match quota_of(*scope, &quota.value) {
        Ok(quota) => return Ok(Limit { scope: *scope, quota }),
        Err(Unkeepable { why, example }) => (why, write_limit(voice, *scope, example)),
    };
    let message =
        format!("`per_{}` of `{}` is {}: {why}", scope.as_str(), voice.tool, quoted(&quota.value));
    Err(Finding::new(
        Code::UNKEEPABLE_BOUND,
        quota.at.clone(),
        message,
        format!("write for instance `{help}`"),
    ))
}

/// Why a text is no quota, and the period to show in an example.
struct Unkeepable {
    why: String,
    example: Period,
}

fn quota_of(scope: Scope, text: &str) -> Result<Quota, Unkeepable> {
    let refused = |why: &str, example| Unkeepable { why: why.to_owned(), example };
    let (number, unit) = match text.split_once('/') {
        Some((number, unit)) => (number.trim(), Some(unit.trim())),
        None => (text.trim(), None),
    };
    let period = match (scope, unit) {
        (Scope::Workflow, None) => None,
        (Scope::Workflow, Some(_)) => {
            return Err(refused("a workflow has a plain count, not a rate", Period::Minute));
        }
        (_, Some(unit)) => Some(period_of(unit)?),
        (_, None) => return Err(refused("a rate needs a unit of time", Period::Minute)),
    };
    let example = period.unwrap_or(Period::Minute);
    match number.parse::<u32>() {
        Ok(0) => Err(refused("zero lets nothing through", example)),
        Ok(number) => Ok(period.map_or(Quota::Count(number), |period| Quota::Rate(number, period))),
        Err(_) => Err(refused("its number is not an integer from 1 to 4294967295", example)),
    }
}

fn period_of(unit: &str) -> Result<Period, Unkeepable> {
    if let Some(period) = Period::ALL.into_iter().find(|period| period.unit() == unit) {
        return Ok(period);
    }
    // `m` is a minute in a time span, and people write whole words.
    let meant =
        if unit == "m" { Some("minute") } else { likely(unit, Period::ALL.map(Period::as_str)) };
    let meant = Period::ALL.into_iter().find(|period| Some(period.as_str()) == meant);
    let units = one_of(&Period::ALL.map(|period| format!("/{}", period.unit())));
    Err(Unkeepable {
        why: format!("its unit is not {units}"),
        example: meant.unwrap_or(Period::Minute),
    })
}

fn write_limit(voice: Voice<'_>, scope: Scope, period: Period) -> String {
    let name = scope.as_str();
    match scope {
        Scope::Workflow => voice.say(format!("per_{name} = \"50\""), format!("per_{name}: 50")),
        _ => voice.say(
            format!("per_{name} = \"20/{}\"", period.unit()),
            format!("per_{name}_per_{}: 20", period.as_str()),
        ),
    }
}

/// TC0015: the budget has room for one attempt.
pub(super) fn budget_below_timeout<At: Clone>(tool: &Declared<'_, At>) -> Option<Finding<At>> {
    let budget = tool.retry.given()?.value.budget.given()?;
    let timeout = tool.timeout.value_or(Policy::DEFAULT_TIMEOUT).ok()?;
    (budget.value < timeout).then(|| {
        let message = format!(
            "the `budget` of `{}` is {}, but one attempt alone may take {}{}",
            tool.voice.tool,
            format(budget.value),
            format(timeout),
            by_default(tool.timeout.is_absent()),
        );
        let help = format!(
            "give the attempts more time together, as in `{}`, or each of them less, as in `{}`",
            tool.voice.assign("budget", &format(timeout.saturating_mul(2))),
            tool.voice.assign("timeout", &format(budget.value)),
        );
        Finding::new(Code::UNKEEPABLE_BOUND, budget.at.clone(), message, help)
    })
}

/// TC0015: the first delay is not longer than the longest.
pub(super) fn base_above_cap<At: Clone>(tool: &Declared<'_, At>) -> Option<Finding<At>> {
    let retry = &tool.retry.given()?.value;
    let (base, cap) = (
        retry.base.value_or(Retry::DEFAULT_BASE).ok()?,
        retry.cap.value_or(Retry::DEFAULT_CAP).ok()?,
    );
    if base <= cap {
        return None;
    }
    // With both defaults there is nothing to find, so one of them is written.
    let at = retry.base.given().or(retry.cap.given())?.at.clone();
    let message = format!(
        "`{}` would wait {}{} before the second attempt, but no delay may be longer than its `cap` of {}{}",
        tool.voice.tool,
        format(base),
        by_default(retry.base.is_absent()),
        format(cap),
        by_default(retry.cap.is_absent()),
    );
    let help = format!(
        "write `{}`, or a smaller `base`, as in `{}`",
        tool.voice.assign("cap", &format(base)),
        tool.voice.assign("base", &format(cap)),
    );
    Some(Finding::new(Code::UNKEEPABLE_BOUND, at, message, help))
}

/// TC0013: a key outlives the last retry that can arrive with it.
///
/// Only a key can: a tool that is not idempotent has none.
pub(super) fn ttl_outlived<At: Clone>(tool: &Declared<'_, At>) -> Option<Finding<At>> {
    tool.keyed()?;
    let window = tool.ttl_policy().ok()?.window;
    let retry = tool.retry_policy().ok()?;
    let timeout = tool.timeout.value_or(Policy::DEFAULT_TIMEOUT).ok()?;
    let approval = tool.confirm_policy().ok()?.map(|confirm| confirm.ttl);
    let needed = retry.span(timeout).saturating_add(approval.unwrap_or_default());
    (window < needed).then(|| {
        let written = tool.ttl.given().and_then(|ttl| ttl.value.window.given());
        let message = format!(
            "`{}` forgets a key after {}{}, but a retry can still arrive within {}, and would run again",
            tool.voice.tool,
            format(window),
            by_default(written.is_none()),
            arithmetic(&retry, timeout, approval, needed),
        );
        let at = written.map_or_else(|| tool.absence(), |window| window.at.clone());
        let fitting = tool.voice.assign("ttl", &format(needed.max(Ttl::DEFAULT.window)));
        let help = tool.voice.say(fitting.clone(), format!("idempotency: {{ {fitting} }}"));
        let help = format!("write for instance `{help}`");
        Finding::new(Code::TTL_TOO_SHORT, at, message, help)
    })
}

/// `3 × (30s timeout + 10s backoff cap) + 15m approval = 17m`.
fn arithmetic(
    retry: &Retry,
    timeout: Duration,
    approval: Option<Duration>,
    needed: Duration,
) -> String {
    let attempts = match (retry.budget, approval) {
        (Some(budget), None) => return format!("its budget of {}", format(budget)),
        (Some(budget), Some(_)) => format!("{} budget", format(budget)),
        (None, _) => {
            format!(
                "{} × ({} timeout + {} backoff cap)",
                retry.max,
                format(timeout),
                format(retry.cap)
            )
        }
    };
    let approval =
        approval.map_or_else(String::new, |approval| format!(" + {} approval", format(approval)));
    format!("{attempts}{approval} = {}", format(needed))
}

/// A remark on a value that nobody wrote.
fn by_default(is_default: bool) -> &'static str {
    if is_default { " (the default)" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::{Draft, Field, Surface};
    use crate::rulebook::check::check;
    use crate::rulebook::check::fixture::{
        At, BOTH, Sketch, absence, but, confirm, destructive, found, given, limit, never, read,
        reconcile, retry, ttl, word, write,
    };

    const UNKEEPABLE: Code = Code::UNKEEPABLE_BOUND;

    fn message(draft: &Sketch) -> String {
        check(draft).findings.remove(0).message
    }

    #[test]
    fn tc0015_time_spans_are_spans() {
        for surface in BOTH {
            for wrong in ["0s", "30", "1h30m", "36501d"] {
                let at = |name| [(UNKEEPABLE, At::Value(name))];
                assert_eq!(
                    found(&Draft { timeout: word("timeout", wrong), ..read(surface) }),
                    at("timeout")
                );
                assert_eq!(found(&Draft { ttl: ttl(wrong), ..write(surface) }), at("window"));
                let settle = but(reconcile(), |reconcile| reconcile.settle = word("settle", wrong));
                assert_eq!(found(&Draft { reconcile: settle, ..write(surface) }), at("settle"));
                let confirm = but(confirm(), |confirm| confirm.ttl = word("ttl", wrong));
                assert_eq!(found(&Draft { confirm, ..destructive(surface) }), at("ttl"));
                let budget =
                    but(retry(3, &["network"]), |retry| retry.budget = word("budget", wrong));
                assert_eq!(found(&Draft { retry: budget, ..read(surface) }), at("budget"));
            }
        }
    }

    #[test]
    fn tc0015_a_budget_has_room_for_an_attempt() {
        let draft = |surface, timeout, budget: &str| Draft {
            timeout,
            retry: but(retry(3, &["network"]), |retry| retry.budget = word("budget", budget)),
            ..read(surface)
        };
        for surface in BOTH {
            for timeout in [Field::Absent, word("timeout", "30s")] {
                assert_eq!(
                    found(&draft(surface, timeout.clone(), "29s")),
                    [(UNKEEPABLE, At::Value("budget"))]
                );
                assert_eq!(found(&draft(surface, timeout, "30s")), []);
            }
            assert_eq!(found(&draft(surface, Field::Refused, "29s")), []);
        }
    }

    #[test]
    fn tc0015_the_first_delay_is_not_above_the_longest() {
        let draft = |surface, base, cap| {
            let retry = but(retry(3, &["network"]), |retry| {
                retry.base = base;
                retry.cap = cap;
            });
            Draft { retry, ..read(surface) }
        };
        for surface in BOTH {
            let base = || word("base", "11s");
            assert_eq!(
                found(&draft(surface, base(), word("cap", "10s"))),
                [(UNKEEPABLE, At::Value("base"))]
            );
            assert_eq!(
                found(&draft(surface, base(), Field::Absent)),
                [(UNKEEPABLE, At::Value("base"))]
            );
            assert_eq!(
                found(&draft(surface, Field::Absent, word("cap", "100ms"))),
                [(UNKEEPABLE, At::Value("cap"))]
            );
            assert_eq!(found(&draft(surface, base(), word("cap", "11s"))), []);
        }
    }

    #[test]
    fn tc0015_limits_let_something_through_over_some_time() {
        for surface in BOTH {
            let draft = |scope, quota| Draft {
                rate_limit: given("rate_limit", vec![limit(0, scope, quota)]),
                ..write(surface)
            };
            for wrong in
                ["0/min", "20", "20/", "/min", "20/fortnight", "-1/s", "1.5/s", "4294967296/s", ""]
            {
                assert_eq!(
                    found(&draft(Scope::User, wrong)),
                    [(UNKEEPABLE, At::Item(0))],
                    "{wrong}"
                );
            }
            for wrong in ["0", "50/h", "many"] {
                assert_eq!(
                    found(&draft(Scope::Workflow, wrong)),
                    [(UNKEEPABLE, At::Item(0))],
                    "{wrong}"
                );
            }
            for right in ["1/s", "20/min", "3/h", "4294967295/d"] {
                assert_eq!(found(&draft(Scope::Tool, right)), [], "{right}");
            }
            assert_eq!(found(&draft(Scope::Workflow, "50")), []);
        }
    }

    #[test]
    fn a_limit_is_shown_as_it_is_written() {
        let help = |surface, scope, quota| {
            let draft = Draft {
                rate_limit: given("rate_limit", vec![limit(0, scope, quota)]),
                ..write(surface)
            };
            check(&draft).findings.remove(0).help
        };
        let [code, file] = BOTH;
        assert_eq!(help(code, Scope::User, "0/hours"), "write for instance `per_user = \"20/h\"`");
        assert_eq!(help(file, Scope::User, "0/h"), "write for instance `per_user_per_hour: 20`");
        assert_eq!(
            help(code, Scope::Tenant, "30/m"),
            "write for instance `per_tenant = \"20/min\"`"
        );
        assert_eq!(help(file, Scope::Workflow, "0"), "write for instance `per_workflow: 50`");
    }

    #[test]
    fn limits_are_ordered_by_scope() {
        let limits = vec![
            limit(0, Scope::Workflow, "50"),
            limit(1, Scope::User, "10/h"),
            limit(2, Scope::Tool, "9/s"),
        ];
        let checked =
            check(&Draft { rate_limit: given("rate_limit", limits), ..write(Surface::Attribute) });
        let limits = checked.contract.unwrap().policy.limits.into_owned();
        assert_eq!(
            limits.iter().map(|limit| limit.scope).collect::<Vec<_>>(),
            [Scope::Tool, Scope::User, Scope::Workflow]
        );
        assert_eq!(limits[1].quota, Quota::Rate(10, Period::Hour));
    }

    #[test]
    fn tc0013_a_key_outlives_its_retries() {
        for surface in BOTH {
            let attempts = || but(retry(3, &["network"]), |retry| retry.budget = Field::Absent);
            let draft = |window| Draft { retry: attempts(), ttl: ttl(window), ..write(surface) };
            let codes = |draft: &Sketch| found(draft)[0];
            assert_eq!(codes(&draft("119s")), (Code::TTL_TOO_SHORT, At::Value("window")));
            assert_eq!(codes(&draft("120s")).0, Code::NO_BUDGET);
            assert_eq!(
                message(&draft("1m")),
                "`charge_card` forgets a key after 1m, but a retry can still arrive within \
                 3 × (30s timeout + 10s backoff cap) = 2m, and would run again"
            );
        }
    }

    #[test]
    fn tc0013_a_budget_bounds_the_attempts() {
        for surface in BOTH {
            let draft = |window| Draft {
                retry: retry(3, &["network"]),
                ttl: ttl(window),
                ..write(surface)
            };
            assert_eq!(found(&draft("89s")), [(Code::TTL_TOO_SHORT, At::Value("window"))]);
            assert_eq!(found(&draft("90s")), []);
            assert!(message(&draft("1m")).contains("within its budget of 90s, "));
        }
    }

    #[test]
    fn tc0013_an_approval_takes_its_time() {
        for surface in BOTH {
            let draft = |window| Draft {
                retry: retry(3, &["network"]),
                ttl: window,
                ..destructive(surface)
            };
            assert_eq!(found(&draft(ttl("16m"))), [(Code::TTL_TOO_SHORT, At::Value("window"))]);
            assert!(message(&draft(ttl("16m"))).contains("90s budget + 15m approval = 990s"));
            assert_eq!(found(&draft(ttl("17m"))), []);
            let slow = but(confirm(), |confirm| confirm.ttl = word("ttl", "2d"));
            let draft = Draft { confirm: slow, ..draft(Field::Absent) };
            assert_eq!(found(&draft), [(Code::TTL_TOO_SHORT, absence(surface))]);
            assert!(message(&draft).contains("forgets a key after 1d (the default)"));
        }
    }

    #[test]
    fn tc0013_without_keys_or_numbers_nothing_is_computed() {
        for surface in BOTH {
            assert_eq!(found(&Draft { ttl: ttl("1s"), ..read(surface) }), []);
            let never = Draft {
                ttl: ttl("1s"),
                idempotent: never(),
                key_required: Field::Absent,
                ..write(surface)
            };
            assert_eq!(found(&never), []);
            let unknown = Draft { ttl: ttl("1s"), timeout: word("timeout", "x"), ..write(surface) };
            assert_eq!(found(&unknown), [(UNKEEPABLE, At::Value("timeout"))]);
        }
    }

    #[test]
    fn the_rule_and_the_policy_compute_alike() {
        let draft = Draft { retry: retry(3, &["network"]), ..destructive(Surface::Attribute) };
        let span = check(&draft).contract.unwrap().policy.span();
        let exact = Draft { ttl: ttl(&format(span)), ..draft.clone() };
        let short = Draft {
            ttl: ttl(&format(span.checked_sub(Duration::from_millis(1)).unwrap())),
            ..draft
        };
        assert_eq!(found(&exact), []);
        assert_eq!(found(&short), [(Code::TTL_TOO_SHORT, At::Value("window"))]);
    }
}
