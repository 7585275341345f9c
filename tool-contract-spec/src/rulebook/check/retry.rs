//! What may be attempted again (TC0004, TC0005, TC0007 to TC0009, TC0103).

use std::collections::HashSet;

use super::declared::Declared;
use super::voice::{Voice, one_of, quoted};
use crate::draft::{Field, Located};
use crate::outcome::{Cause, OutcomeClass};
use crate::policy::{DedupedBy, RetryOn};
use crate::rulebook::suggest::likely;
use crate::rulebook::{Code, Finding};

/// Understands the words of `on`, each for itself.
pub(super) fn classes<At: Clone>(
    voice: Voice<'_>,
    written: &[Located<String, At>],
    findings: &mut Vec<Finding<At>>,
) -> Vec<Located<RetryOn, At>> {
    let mut seen = HashSet::new();
    let mut classes = Vec::new();
    for word in written {
        let read =
            if seen.insert(&word.value) { class(voice, word) } else { Err(twice(voice, word)) };
        match read {
            Ok(class) => classes.push(Located::new(class, word.at.clone())),
            Err(finding) => findings.push(finding),
        }
    }
    classes
}

fn class<At: Clone>(voice: Voice<'_>, word: &Located<String, At>) -> Result<RetryOn, Finding<At>> {
    // Alone they are the cause `other`; in `on` they are every cause.
    if matches!(word.value.as_str(), "retryable" | "retryable_failure") {
        return Ok(RetryOn::RETRYABLE);
    }
    match word.value.parse() {
        Ok(OutcomeClass::RetryableFailure(cause)) => Ok(RetryOn::NOTHING.with(cause)),
        Ok(OutcomeClass::SideEffectUnknown) => Ok(RetryOn::NOTHING.with_unknown()),
        Ok(class) => Err(settled(voice, class, word)),
        Err(_) => Err(unknown(voice, word)),
    }
}

/// TC0007: what repetition cannot fix is not repeated.
fn settled<At: Clone>(
    voice: Voice<'_>,
    class: OutcomeClass,
    word: &Located<String, At>,
) -> Finding<At> {
    let why = match class {
        OutcomeClass::Success => "after a success there is nothing left to do",
        OutcomeClass::ValidationFailure => "the same request is wrong every time",
        OutcomeClass::PermissionDenied => "the same caller is refused every time",
        _ => "what failed for good fails again",
    };
    let message = format!("`{}` would be attempted again on `{class}`: {why}", voice.tool);
    let retryable = voice.say("on = \"retryable\"", "retry_on: [retryable_failure]");
    let help = format!("remove `{class}`; `{retryable}` is everything that a repetition may fix");
    Finding::new(Code::RETRY_ON_FINAL, word.at.clone(), message, help)
}

/// TC0009: every word names an outcome.
fn unknown<At: Clone>(voice: Voice<'_>, word: &Located<String, At>) -> Finding<At> {
    let name = voice.say("on", "retry_on");
    let mut known = vec![voice.say("retryable", "retryable_failure")];
    known.extend(Cause::ALL.map(Cause::as_str));
    known.push(OutcomeClass::SideEffectUnknown.as_str());
    let message =
        format!("`{name}` of `{}` has {}, which is no outcome", voice.tool, quoted(&word.value));
    let help = match likely(&word.value, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if matches!(word.value.as_str(), "timeout" | "timed_out") => {
            "a timeout is `unavailable` on a read, and `side_effect_unknown` on what changes something"
                .to_owned()
        }
        None => format!("write {}", one_of(&known)),
    };
    Finding::new(Code::UNKNOWN_CLASS, word.at.clone(), message, help)
}

/// TC0009: no word stands there twice.
fn twice<At: Clone>(voice: Voice<'_>, word: &Located<String, At>) -> Finding<At> {
    let name = voice.say("on", "retry_on");
    let message = format!("`{name}` of `{}` has {} twice", voice.tool, quoted(&word.value));
    Finding::new(
        Code::UNKNOWN_CLASS,
        word.at.clone(),
        message,
        "remove one of them; perhaps another was meant",
    )
}

/// TC0005: retries need a number and a reason.
pub(super) fn incomplete<At: Clone>(tool: &Declared<'_, At>) -> Option<Finding<At>> {
    let Field::Given { key, value } = &tool.draft.retry else { return None };
    let (max, on) = tool.voice.say(("max", "on"), ("max_attempts", "retry_on"));
    let (no_max, no_on) = (value.value.max.is_absent(), value.value.on.is_absent());
    let missing = match (no_max, no_on) {
        (true, true) => format!("how often (`{max}`) and on what (`{on}`)"),
        (true, false) => format!("how often (`{max}`)"),
        (false, true) => format!("on what (`{on}`)"),
        (false, false) => return on_nothing(tool),
    };
    let message = format!("`{}` is to be retried, but it is not said {missing}", tool.voice.tool);
    let form = tool.voice.say(
        "retry(max = 3, on = \"retryable\")",
        "retry: { max_attempts: 3, retry_on: [retryable_failure] }",
    );
    Some(Finding::new(
        Code::INCOMPLETE_RETRY,
        key.clone(),
        message,
        format!("write for instance `{form}`"),
    ))
}

/// TC0005: several attempts have a reason. One attempt needs none.
fn on_nothing<At: Clone>(tool: &Declared<'_, At>) -> Option<Finding<At>> {
    let on = tool.draft.retry.given()?.value.on.given()?;
    let max = tool.retry.given()?.value.max.given()?.value;
    (on.value.is_empty() && max > 1).then(|| {
        let (name, form) = tool
            .voice
            .say(("on", "on = \"retryable\""), ("retry_on", "retry_on: [retryable_failure]"));
        let message = format!(
            "`{}` has {max} attempts, but `{name}` gives no reason for a second one",
            tool.voice.tool
        );
        let once = tool.voice.assign_number(tool.voice.say("max", "max_attempts"), "1");
        let help = format!("write for instance `{form}`, or `{once}`");
        Finding::new(Code::INCOMPLETE_RETRY, on.at.clone(), message, help)
    })
}

/// TC0004: no retry is a second charge.
pub(super) fn without_idempotency<At: Clone>(tool: &Declared<'_, At>) -> Option<Finding<At>> {
    let at = tool.retry.key()?;
    tool.repeats_blindly().then(|| {
        let message = format!(
            "`{}` is not idempotent, so each retry may do it once more: a second charge, a second mail",
            tool.voice.tool
        );
        let help = tool.voice.say(
            "remove `retry`, or write `idempotent`, so that a key ties the attempts together",
            "write `max_attempts: 1` and `retry_on: []`, or `idempotent: true` and `idempotency_key_required: true`, \
             so that a key ties the attempts together",
        );
        Finding::new(Code::RETRY_WITHOUT_IDEMPOTENCY, at.clone(), message, help)
    })
}

/// TC0008: what may have happened is not blindly repeated.
///
/// Of a tool that TC0004 refuses nothing more is said.
pub(super) fn on_unknown<At: Clone>(tool: &Declared<'_, At>) -> Option<Finding<At>> {
    let claim = tool.claim()?;
    let is_repeatable = claim.claimed && claim.by().ok()? != DedupedBy::Ledger;
    if is_repeatable || tool.repeats_blindly() {
        return None;
    }
    let on = &tool.retry.given()?.value.on.given()?.value;
    let unknown = on.iter().find(|class| class.value.contains(OutcomeClass::SideEffectUnknown))?;
    let message = format!(
        "`{}` would be repeated when nobody knows whether it happened, and nothing makes that harmless",
        tool.voice.tool
    );
    let (reconcile, by) = tool.voice.say(
        ("reconcile = \"..\"", "by = \"downstream\""),
        ("reconcile: { with: .. }", "by: downstream"),
    );
    let help = format!(
        "remove `side_effect_unknown` and write `{reconcile}`, a function that finds out; or `{by}`, if the called \
         API dedupes on the key"
    );
    Some(Finding::new(Code::RETRY_ON_UNKNOWN, unknown.at.clone(), message, help))
}

/// TC0103: retries end. What a saga cannot declare is not asked of it.
pub(super) fn no_budget<At: Clone>(tool: &Declared<'_, At>) -> Option<Finding<At>> {
    let retry = &tool.retry.given()?.value;
    if tool.is_saga() {
        return None;
    }
    let bounded =
        !retry.budget.is_absent() || retry.max.given()?.value == 1 || tool.repeats_blindly();
    (!bounded).then(|| {
        let message = format!("the attempts of `{}` have no bound in time", tool.voice.tool);
        let help =
            format!("write for instance `{}` in `retry`", tool.voice.assign("budget", "60s"));
        let at = tool.retry.key().unwrap_or(&tool.draft.at).clone();
        Finding::new(Code::NO_BUDGET, at, message, help)
    })
}

#[cfg(test)]
mod tests {
    use crate::draft::{Draft, Field, Surface};
    use crate::outcome::{Cause, OutcomeClass};
    use crate::policy::RetryOn;
    use crate::rulebook::Code;
    use crate::rulebook::check::check;
    use crate::rulebook::check::fixture::{
        At, BOTH, but, by, found, given, never, read, retry, word, write,
    };

    #[test]
    fn tc0004_what_is_not_idempotent_has_one_attempt() {
        for surface in BOTH {
            let draft = |max| Draft {
                idempotent: never(),
                key_required: Field::Absent,
                retry: retry(max, &["network"]),
                ..write(surface)
            };
            assert_eq!(found(&draft(2)), [(Code::RETRY_WITHOUT_IDEMPOTENCY, At::Key("retry"))]);
            assert_eq!(found(&draft(1)), []);
        }
    }

    #[test]
    fn an_undecided_repetition_is_one_mistake() {
        for surface in BOTH {
            let draft = |idempotent| Draft {
                idempotent,
                retry: retry(3, &["side_effect_unknown"]),
                ..write(surface)
            };
            let codes = |idempotent| {
                found(&draft(idempotent)).into_iter().map(|(code, _)| code).collect::<Vec<_>>()
            };
            assert_eq!(codes(Field::Absent), [Code::MISSING_IDEMPOTENCY]);
            assert_eq!(codes(Field::Refused), []);
            let blind = Draft { key_required: Field::Absent, ..draft(never()) };
            assert_eq!(found(&blind), [(Code::RETRY_WITHOUT_IDEMPOTENCY, At::Key("retry"))]);
        }
    }

    #[test]
    fn tc0005_retries_say_how_often_and_on_what() {
        for surface in BOTH {
            for (without_max, without_on) in [(true, false), (false, true), (true, true)] {
                let retry = but(retry(3, &["network"]), |retry| {
                    if without_max {
                        retry.max = Field::Absent;
                    }
                    if without_on {
                        retry.on = Field::Absent;
                    }
                });
                let draft = Draft { retry, ..read(surface) };
                let advice =
                    found(&draft).into_iter().find(|(code, _)| *code != Code::INCOMPLETE_RETRY);
                assert_eq!(found(&draft)[0], (Code::INCOMPLETE_RETRY, At::Key("retry")));
                assert_eq!(advice, None);
            }
        }
    }

    #[test]
    fn tc0005_only_a_single_attempt_needs_no_reason() {
        for surface in BOTH {
            let draft = |max| Draft { retry: retry(max, &[]), ..read(surface) };
            assert_eq!(found(&draft(2)), [(Code::INCOMPLETE_RETRY, At::Value("on"))]);
            assert_eq!(found(&draft(1)), []);
        }
    }

    #[test]
    fn tc0007_what_is_final_is_not_retried() {
        for surface in BOTH {
            for class in ["validation_failure", "permission_denied", "permanent_failure", "success"]
            {
                let draft = Draft { retry: retry(3, &["network", class]), ..read(surface) };
                assert_eq!(found(&draft), [(Code::RETRY_ON_FINAL, At::Item(1))]);
                let alone = Draft { retry: retry(3, &[class]), ..read(surface) };
                assert_eq!(found(&alone), [(Code::RETRY_ON_FINAL, At::Item(0))]);
            }
        }
    }

    #[test]
    fn tc0008_what_may_have_happened_is_not_repeated() {
        let on = ["network", "side_effect_unknown"];
        for surface in BOTH {
            let draft = Draft { retry: retry(3, &on), ..write(surface) };
            assert_eq!(found(&draft), [(Code::RETRY_ON_UNKNOWN, At::Item(1))]);
            let once = Draft {
                idempotent: never(),
                key_required: Field::Absent,
                retry: retry(1, &on),
                ..write(surface)
            };
            assert_eq!(found(&once), [(Code::RETRY_ON_UNKNOWN, At::Item(1))]);
            for idempotent in [by("downstream"), by("nature")] {
                assert_eq!(
                    found(&Draft { idempotent, retry: retry(3, &on), ..write(surface) }),
                    []
                );
            }
            assert_eq!(found(&Draft { retry: retry(3, &on), ..read(surface) }), []);
        }
    }

    #[test]
    fn tc0009_outcomes_are_known_and_stand_once() {
        for surface in BOTH {
            for on in [["network", "networck"], ["network", "network"]] {
                let draft = Draft { retry: retry(3, &on), ..read(surface) };
                assert_eq!(found(&draft), [(Code::UNKNOWN_CLASS, At::Item(1))]);
            }
        }
        let draft = Draft { retry: retry(3, &["transient"]), ..read(Surface::Contract) };
        assert_eq!(check(&draft).findings[0].help, "did you mean `retryable_failure`?");
        let draft = Draft { retry: retry(3, &["timeout"]), ..read(Surface::Contract) };
        assert!(check(&draft).findings[0].help.starts_with("a timeout is `unavailable` on a read"));
    }

    #[test]
    fn all_causes_mix_with_single_ones() {
        for surface in BOTH {
            let on = ["retryable", "network", "retryable_failure", "rate_limited"];
            let checked = check(&Draft { retry: retry(3, &on), ..read(surface) });
            assert_eq!(checked.findings, []);
            assert_eq!(checked.contract.unwrap().policy.retry.on, RetryOn::RETRYABLE);
        }
        let checked =
            check(&Draft { retry: retry(3, &["network", "side_effect_unknown"]), ..read(BOTH[0]) });
        let on = checked.contract.unwrap().policy.retry.on;
        assert!(on.contains(OutcomeClass::RetryableFailure(Cause::Network)));
        assert!(on.contains(OutcomeClass::SideEffectUnknown));
        assert!(!on.contains(OutcomeClass::RetryableFailure(Cause::Other)));
    }

    #[test]
    fn tc0103_a_bound_in_time_is_advised() {
        for surface in BOTH {
            let unbounded =
                |max| but(retry(max, &["network"]), |retry| retry.budget = Field::Absent);
            let draft = Draft { retry: unbounded(3), ..read(surface) };
            assert_eq!(found(&draft), [(Code::NO_BUDGET, At::Key("retry"))]);
            assert_eq!(found(&Draft { retry: unbounded(1), ..read(surface) }), []);
        }
    }

    #[test]
    fn each_mistake_has_its_finding() {
        let broken = but(retry(0, &["success", "netwrok"]), |retry| {
            retry.base = word("base", "fast");
            retry.max_total = given("max_total", 0);
        });
        let draft =
            Draft { retry: broken, timeout: word("timeout", "0s"), ..write(Surface::Attribute) };
        let expected = [
            (Code::NUMBER_OUT_OF_RANGE, At::Value("max")),
            (Code::NUMBER_OUT_OF_RANGE, At::Value("max_total")),
            (Code::RETRY_ON_FINAL, At::Item(0)),
            (Code::UNKNOWN_CLASS, At::Item(1)),
            (Code::UNKEEPABLE_BOUND, At::Value("base")),
            (Code::UNKEEPABLE_BOUND, At::Value("timeout")),
        ];
        assert_eq!(found(&draft), expected);
    }
}
