//! The table of all rules.

use super::{Code, Kind, Level, Rule};

const DENY: Kind = Kind::Policy(Level::Deny);
const WARN: Kind = Kind::Policy(Level::Warn);
const ADVISE: Kind = Kind::Policy(Level::Advise);
const REFUSAL: Kind = Kind::Refusal;

/// Lists rules. The page of a rule is the file that its code names.
macro_rules! rules {
    ($($page:ident $code:ident: $kind:ident { $($text:ident: $said:literal,)* })*) => {
        &[$(Rule {
            code: Code::$code,
            kind: $kind,
            page: include_str!(concat!("pages/", stringify!($page), ".md")),
            $($text: $said,)*
        },)*]
    };
}

/// Every rule, in the order of their codes.
pub static RULES: &[Rule] = rules! {
    TC0001 MISSING_SIDE_EFFECT: DENY {
        name: "missing_side_effect",
        title: "A tool declares what it does to the world: `side_effect`, in a contract `mode`",
        help: r#"write `side_effect = "read"`, `"write"` or `"destructive"`"#,
    }
    TC0002 UNKNOWN_SIDE_EFFECT: DENY {
        name: "unknown_side_effect",
        title: "A side effect is read, write or destructive",
        help: "choose one of the three by what the tool does, not by how it is called",
    }
    TC0003 MISSING_IDEMPOTENCY: DENY {
        name: "missing_idempotency",
        title: "A tool that changes something declares what a repeated call does",
        help: r#"write `idempotent`, `idempotent(key = "{..}")` or `idempotent = false`"#,
    }
    TC0004 RETRY_WITHOUT_IDEMPOTENCY: DENY {
        name: "retry_without_idempotency",
        title: "A tool that changes something and is not idempotent has one attempt",
        help: "remove `retry`, or make the tool idempotent",
    }
    TC0005 INCOMPLETE_RETRY: DENY {
        name: "incomplete_retry",
        title: "`retry` says how often (`max`) and on what (`on`)",
        help: r#"write both, as in `retry(max = 3, on = "retryable")`"#,
    }
    TC0006 NUMBER_OUT_OF_RANGE: DENY {
        name: "number_out_of_range",
        title: "Numbers are bounded: `max` is 1 to 20, and `max_total` is not below it",
        help: "write a number in the range",
    }
    TC0007 RETRY_ON_FINAL: DENY {
        name: "retry_on_final",
        title: "What repetition cannot fix is not retried",
        help: "remove the class from `on`",
    }
    TC0008 RETRY_ON_UNKNOWN: DENY {
        name: "retry_on_unknown",
        title: "What may have happened is repeated only where the called API, or the nature of the action, makes that harmless",
        help: r#"write `reconcile` instead, or `idempotent(by = "downstream")` if the called API dedupes on the key"#,
    }
    TC0009 UNKNOWN_CLASS: DENY {
        name: "unknown_class",
        title: "`on` holds known outcomes, each once",
        help: "correct the word",
    }
    TC0010 MISSING_ROLLBACK: DENY {
        name: "missing_rollback",
        title: "A tool that changes something declares how the change is undone",
        help: r#"write `rollback = "path::to::function"`, `"manual_only"` or `"none"`"#,
    }
    TC0011 MISSING_CONFIRM: DENY {
        name: "missing_confirm",
        title: "A destructive action is confirmed by a person",
        help: r#"write `confirm(by = "human", ttl = "15m")`"#,
    }
    TC0012 CONTRADICTS_READ: DENY {
        name: "contradicts_read",
        title: "A read declares nothing that only a write can have",
        help: "remove the key, or declare a write",
    }
    TC0013 TTL_TOO_SHORT: DENY {
        name: "ttl_too_short",
        title: "A key is remembered for as long as a retry can still arrive",
        help: "write a longer `ttl`; 24 hours is the default",
    }
    TC0014 UNFIT_KEY_TEMPLATE: DENY {
        name: "unfit_key_template",
        title: "A derived key names arguments that are there, hashed and not secret",
        help: "name the arguments that make two calls the same intent, as in `{order_id}/charge`",
    }
    TC0015 UNKEEPABLE_BOUND: DENY {
        name: "unkeepable_bound",
        title: "A time span or a rate can be kept",
        help: "write an integer above zero and a unit, with room for at least one attempt",
    }
    TC0016 UNFIT_FUNCTION: DENY {
        name: "unfit_function",
        title: "Rollback and reconcile functions exist and take what they are given",
        help: "give the function the signature that the page shows",
    }
    TC0017 DUPLICATE_TOOL: DENY {
        name: "duplicate_tool",
        title: "A name means one tool in a crate and in a runtime",
        help: r#"rename one of the two, in code or with `name = ".."`"#,
    }
    TC0018 CONTRACT_DIFFERS: DENY {
        name: "contract_differs",
        title: "Code and contract file say the same of the same tools",
        help: "change the attribute, or write the file anew from the code and have it reviewed",
    }
    TC0019 KEY_NOT_PASSED_ON: DENY {
        name: "key_not_passed_on",
        title: "A tool whose called API dedupes on the key takes the `&Cx` that has it",
        help: "make `cx: &Cx` the first parameter and pass `cx.idempotency_key()` on",
    }
    TC0020 OPTIONAL_KEY: DENY {
        name: "optional_key",
        title: "A contract requires the key that its ledger dedupes on, and none that it does not use",
        help: "write `idempotency_key_required: true`, or derive the key",
    }
    TC0021 MALFORMED_FIELD: DENY {
        name: "malformed_field",
        title: "A key or field is known, stands once, and has a value of its kind",
        help: "correct the name or the value",
    }
    TC0022 UNFIT_SIGNATURE: DENY {
        name: "unfit_signature",
        title: "A tool is a free function of owned, named arguments that returns a `Result`",
        help: "give it owned arguments with plain names, no generics, and a `Result`",
    }
    TC0023 UNCLASSIFIED_ERROR: DENY {
        name: "unclassified_error",
        title: "Every variant of a tool's error says whether anything happened",
        help: "write `#[outcome(..)]` on the variant; if in doubt, `side_effect_unknown`",
    }
    TC0024 UNSTORABLE_TYPE: DENY {
        name: "unstorable_type",
        title: "Arguments and outputs can be stored and read back",
        help: "derive `Serialize`, `Deserialize` and `JsonSchema`, and `Clone` for an argument",
    }
    TC0025 UNFIT_NAME: DENY {
        name: "unfit_name",
        title: "A tool has a name that model providers take",
        help: "use 1 to 64 ASCII letters, digits, `_` and `-`",
    }
    TC0026 NOT_COMPENSABLE: DENY {
        name: "not_compensable",
        title: "A step of a saga before its pivot can be undone",
        help: r#"write a rollback function, `rollback = "path"`, or make the call the pivot"#,
    }
    TC0027 NOT_COMPLETABLE: DENY {
        name: "not_completable",
        title: "A step of a saga after its pivot can be repeated until it succeeds",
        help: r#"write `idempotent` and `retry(max = 3, on = "retryable")`, or make the call the pivot"#,
    }
    TC0101 NO_RATE_LIMIT: ADVISE {
        name: "no_rate_limit",
        title: "A tool that changes something has a rate limit",
        help: r#"write for instance `rate_limit(per_tenant = "20/min")`"#,
    }
    TC0102 NO_RECONCILE: ADVISE {
        name: "no_reconcile",
        title: "An unknown outcome can be settled without a person",
        help: r#"write `reconcile = "path::to::function"`"#,
    }
    TC0103 NO_BUDGET: ADVISE {
        name: "no_budget",
        title: "Retries have a bound in time",
        help: r#"write for instance `budget = "60s"` in `retry`"#,
    }
    TC0104 FLOAT_ARGUMENT: WARN {
        name: "float_argument",
        title: "No float takes part in the operation hash",
        help: "count in whole units, or leave the argument out with `#[arg(ignore)]`",
    }
    TC0105 VOLATILE_ARGUMENT: WARN {
        name: "volatile_argument",
        title: "What differs from attempt to attempt takes no part in the operation hash",
        help: "leave the argument out with `#[arg(ignore)]`",
    }
    TC0106 FREE_TEXT_ARGUMENT: ADVISE {
        name: "free_text_argument",
        title: "Beside a derived key, free text takes no part in the operation hash",
        help: "leave the argument out with `#[arg(ignore)]`, if it is not the intent",
    }
    TC0107 NO_DESCRIPTION: ADVISE {
        name: "no_description",
        title: "A tool has a description by which a model can choose it",
        help: "write a doc comment",
    }
    TC0201 KEY_MISSING: REFUSAL {
        name: "key_missing",
        title: "A call of a tool that dedupes by key brings one",
        help: "send the same `idempotency_key` with every repetition of one intent",
    }
    TC0202 KEY_MALFORMED: REFUSAL {
        name: "key_malformed",
        title: "A key is 1 to 255 bytes of visible ASCII, and where it is derived, the derived one",
        help: "correct the key, or leave it out if the tool derives it",
    }
    TC0203 CONFLICT: REFUSAL {
        name: "conflict",
        title: "A key belongs to the arguments that it was first used with",
        help: "repeat the same arguments, or give the new intent a new key",
    }
    TC0204 EXPIRED: REFUSAL {
        name: "expired",
        title: "A key whose result is no longer kept does not run again",
        help: "look up what was done; use a new key only for a new intent",
    }
    TC0205 IN_FLIGHT: REFUSAL {
        name: "in_flight",
        title: "One call at a time runs under a key",
        help: "come back with the same key",
    }
    TC0206 NOT_BEFORE: REFUSAL {
        name: "not_before",
        title: "The delay before the next attempt holds for everybody",
        help: "come back with the same key after `retry_after`",
    }
    TC0207 ATTEMPTS_EXHAUSTED: REFUSAL {
        name: "attempts_exhausted",
        title: "A key has a fixed number of attempts over all calls",
        help: "find out why they failed; a person can let the key run again",
    }
    TC0208 UNKNOWN_OUTCOME: REFUSAL {
        name: "unknown_outcome",
        title: "What may have happened does not run again until that is known",
        help: "find out whether it happened, and resolve the operation",
    }
    TC0209 APPROVAL_MISSING: REFUSAL {
        name: "approval_missing",
        title: "A destructive call has the approval of a person",
        help: "have it approved, then repeat the same call",
    }
    TC0210 APPROVAL_DENIED: REFUSAL {
        name: "approval_denied",
        title: "What a person denied does not run",
        help: "do not repeat it; ask what is wanted instead",
    }
    TC0211 APPROVAL_VOID: REFUSAL {
        name: "approval_void",
        title: "An approval is for one call, for a time, and once",
        help: "ask for a new approval of the call as it is now",
    }
    TC0212 LIMITED: REFUSAL {
        name: "limited",
        title: "A tool runs no more often than its limits say",
        help: "come back with the same key after `retry_after`",
    }
    TC0213 UNKNOWN_TOOL: REFUSAL {
        name: "unknown_tool",
        title: "Only registered tools are called",
        help: "choose a tool that the runtime lists",
    }
    TC0214 ARGUMENTS_MALFORMED: REFUSAL {
        name: "arguments_malformed",
        title: "Arguments fit the tool's schema exactly",
        help: "correct them and call again",
    }
    TC0215 TOO_LARGE: REFUSAL {
        name: "too_large",
        title: "A request is no larger than the runtime reads",
        help: "pass a reference to what is large",
    }
    TC0216 DEADLINE_PASSED: REFUSAL {
        name: "deadline_passed",
        title: "Nothing starts after its deadline",
        help: "repeat the call with the same key and a later deadline",
    }
    TC0217 RESULT_UNREADABLE: REFUSAL {
        name: "result_unreadable",
        title: "A stored result is read, never replaced",
        help: "let the output type read what older versions wrote",
    }
    TC0218 STATE_MISSING: REFUSAL {
        name: "state_missing",
        title: "A tool runs only with the state that it takes",
        help: "register the state on the builder",
    }
    TC0219 LIKELY_REMINT: REFUSAL {
        name: "likely_remint",
        title: "The same operation does not run under a second key where the tool refuses that",
        help: "use the first key, or make what differs an argument",
    }
    TC0220 LEDGER_UNAVAILABLE: REFUSAL {
        name: "ledger_unavailable",
        title: "Nothing runs that the ledger could not admit",
        help: "repeat the call with the same key when the ledger is back",
    }
    TC0221 NESTED_TOO_DEEP: REFUSAL {
        name: "nested_too_deep",
        title: "Calls stand at most 16 deep in one another",
        help: "look at what calls what, or make the inner call in a task of its own",
    }
    TC0230 SAGA_LOST: REFUSAL {
        name: "saga_lost",
        title: "A step begins only while its saga is held",
        help: "call the saga again with its key",
    }
    TC0231 SAGA_CHANGED: REFUSAL {
        name: "saga_changed",
        title: "A saga goes on only with the steps that it began with",
        help: "run it with the code that began it, or see to its steps by hand",
    }
    TC0232 SAGA_TOO_LONG: REFUSAL {
        name: "saga_too_long",
        title: "A saga has at most 1,000 steps",
        help: "put several steps into one tool, or into a saga of their own",
    }
    TC0233 SAGA_STEP_FAILED: REFUSAL {
        name: "saga_step_failed",
        title: "A step that failed stays failed in its saga",
        help: "call the saga with a new key to try again",
    }
    TC0234 SAGA_HELD_BACK: REFUSAL {
        name: "saga_held_back",
        title: "A step begins only when what came of those before it is known",
        help: "return the error of the step before it",
    }
    TC0240 APPROVERS_MISSING: REFUSAL {
        name: "approvers_missing",
        title: "A runtime that runs what people approve knows whose approval counts",
        help: "give their public keys, `.approvers(..)`; or say `.insecure_local_approvals()` where nothing is at stake",
    }
    TC0250 ABANDONED: REFUSAL {
        name: "abandoned",
        title: "What a person gave up does not run",
        help: "do not repeat it; ask what is wanted instead",
    }
    TC0260 BREAKER_OPEN: REFUSAL {
        name: "breaker_open",
        title: "What is down is left alone for a while",
        help: "call again after `retry_after`, with the same key",
    }
    TC0261 BUDGET_SPENT: REFUSAL {
        name: "budget_spent",
        title: "An objective that has used up its budget stops",
        help: "ask a person whether to go on; no retry and no other name helps",
    }
    TC0262 OBJECTIVE_MISSING: REFUSAL {
        name: "objective_missing",
        title: "Where objectives have budgets every call names its workflow",
        help: "name the workflow: `.workflow(..)`, or `workflow` in `meta`",
    }
};

/// The rule of a code, if this version knows one.
#[must_use]
pub fn rule(code: Code) -> Option<&'static Rule> {
    RULES.binary_search_by_key(&code, |rule| rule.code).ok().and_then(|at| RULES.get(at))
}

/// The page of a rule, with its title: what it says, why, and how to keep it.
#[must_use]
pub fn explain(code: Code) -> Option<String> {
    rule(code).map(Rule::explain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document;
    use crate::rulebook::Example;

    #[test]
    fn rules_are_in_the_order_of_their_codes() {
        assert!(RULES.is_sorted_by(|one, other| one.code < other.code));
        for listed in RULES {
            assert_eq!(rule(listed.code), Some(listed));
        }
        assert_eq!(rule("TC0999".parse().unwrap()), None);
    }

    #[test]
    fn every_code_has_its_rule() {
        let codes: Vec<Code> = RULES.iter().map(|rule| rule.code).collect();
        assert_eq!(codes, Code::NAMED);
    }

    #[test]
    fn every_rule_has_its_own_name_and_its_own_page() {
        for (at, rule) in RULES.iter().enumerate() {
            let twin =
                RULES[..at].iter().find(|other| other.name == rule.name || other.page == rule.page);
            assert_eq!(twin, None, "{}", rule.code);
            let is_snake_case = rule.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            assert!(is_snake_case && !rule.name.is_empty(), "{}", rule.name);
        }
    }

    #[test]
    fn texts_are_sentences_without_their_stop() {
        for rule in RULES {
            for text in [rule.title, rule.help] {
                assert!(!text.is_empty() && !text.ends_with('.'), "{}: {text}", rule.code);
            }
            assert!(rule.page.lines().all(|line| line.chars().count() <= 100), "{}", rule.code);
            assert!(rule.page.ends_with('\n') && !rule.page.starts_with('\n'), "{}", rule.code);
        }
    }

    #[test]
    fn explain_prints_what_there_is_to_know() {
        for rule in RULES {
            let page = explain(rule.code).unwrap();
            assert!(page.starts_with(&format!("# {} {}", rule.code, rule.name)));
            for part in [rule.title, rule.help, rule.page] {
                assert!(page.contains(part), "{}", rule.code);
            }
        }
    }

    #[test]
    fn refusals_say_what_was_executed_and_what_is_next() {
        for rule in RULES.iter().filter(|rule| rule.kind == REFUSAL) {
            assert!(rule.page.starts_with("**Executed:** nothing"), "{}", rule.code);
            assert!(rule.page.contains("\n**Next:** "), "{}", rule.code);
            assert_eq!((rule.attribute(), rule.contract()), (None, None));
        }
    }

    #[test]
    fn declarations_have_examples_on_the_surfaces_that_they_have() {
        let code_only = [
            Code::KEY_NOT_PASSED_ON,
            Code::UNFIT_SIGNATURE,
            Code::UNCLASSIFIED_ERROR,
            Code::UNSTORABLE_TYPE,
            Code::NOT_COMPENSABLE,
            Code::NOT_COMPLETABLE,
        ];
        for rule in RULES.iter().filter(|rule| rule.kind != REFUSAL) {
            let (code, file) = match rule.code {
                // It takes two files to differ.
                Code::CONTRACT_DIFFERS => (false, false),
                Code::OPTIONAL_KEY => (false, true),
                code => (true, !code_only.contains(&code)),
            };
            assert_eq!(
                (rule.attribute().is_some(), rule.contract().is_some()),
                (code, file),
                "{}",
                rule.code
            );
        }
    }

    #[test]
    fn examples_are_what_they_are_called() {
        for rule in RULES {
            let Some(Example { wrong, right }) = rule.contract() else { continue };
            let codes = |text| {
                let document = document::read(text).unwrap();
                document.findings.iter().map(|finding| finding.code).collect::<Vec<_>>()
            };
            assert_eq!(codes(wrong), [rule.code], "{wrong}");
            assert_eq!(codes(right), [], "{right}");
        }
    }
}
