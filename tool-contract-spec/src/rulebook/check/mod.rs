//! The one place where drafts are judged.
//!
//! First what contradicts itself is set aside, then every value is understood
//! for itself, then the rules look at the values together. Whatever a step
//! refuses is [`Field::Refused`](crate::draft::Field) for the next, so that
//! one mistake has one finding.

mod allow;
mod arguments;
mod assemble;
mod contradiction;
mod declared;
#[cfg(test)]
mod fixture;
mod function;
mod key;
mod name;
mod number;
mod retry;
mod side_effect;
mod time;
mod voice;
mod words;

use declared::Declared;

use super::{Finding, Level};
use crate::draft::Draft;
use crate::policy::Contract;

/// What the rulebook makes of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked<At> {
    /// The contract: there is one exactly if nothing was refused, neither here
    /// nor by the reader who left a [`Field::Refused`](crate::draft::Field).
    pub contract: Option<Contract>,
    /// Every broken rule, ordered by code.
    pub findings: Vec<Finding<At>>,
}

/// Judges a draft by every rule that one tool's declaration can break.
///
/// What is left to others: whether functions and types exist and fit (TC0016,
/// TC0022 to TC0024) is for the macro and the compiler, whether tools agree
/// with each other and with their file (TC0017, TC0018) for whoever sees them
/// all.
#[must_use]
pub fn check<At: Clone>(draft: &Draft<At>) -> Checked<At> {
    let mut findings = Vec::new();
    let draft = contradiction::settled(draft, &mut findings);
    let tool = Declared::read(&draft, &mut findings);
    judge(&tool, &mut findings);
    // `allow` holds no rule that denies.
    findings.retain(|finding| !tool.allow.contains(&finding.code));
    findings.sort_by_key(|finding| finding.code);
    let denied = findings.iter().any(|finding| finding.level == Level::Deny);
    Checked { contract: if denied { None } else { tool.contract().ok() }, findings }
}

/// The rules that look at more than one value, or at one that is missing.
fn judge<At: Clone>(tool: &Declared<'_, At>, findings: &mut Vec<Finding<At>>) {
    findings.extend(side_effect::missing(tool));
    findings.extend(side_effect::missing_idempotency(tool));
    findings.extend(side_effect::missing_rollback(tool));
    findings.extend(side_effect::missing_confirm(tool));

    findings.extend(retry::without_idempotency(tool));
    findings.extend(retry::incomplete(tool));
    findings.extend(number::total_below_max(tool));
    findings.extend(retry::on_unknown(tool));

    findings.extend(time::ttl_outlived(tool));
    findings.extend(time::budget_below_timeout(tool));
    findings.extend(time::base_above_cap(tool));

    findings.extend(key::unfit_arguments(tool));
    findings.extend(key::not_passed_on(tool));
    findings.extend(key::optional(tool));
    findings.extend(function::unnamed(tool));
    findings.extend(name::unfit(tool));

    findings.extend(side_effect::no_rate_limit(tool));
    findings.extend(side_effect::no_reconcile(tool));
    findings.extend(retry::no_budget(tool));
    findings.extend(arguments::floats(tool));
    findings.extend(arguments::volatile(tool));
    findings.extend(arguments::free_text(tool));
    findings.extend(arguments::no_description(tool));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::fixture::{
        At, BOTH, Sketch, absence, any_draft, bare, but, found, given, never, retry, word, write,
    };
    use super::*;
    use crate::draft::{Field, LimitDraft, RollbackDraft, Surface};
    use crate::policy::{Idempotency, Retry, Rollback, Scope, SideEffect};
    use crate::rulebook::Code;

    /// The attribute of the design card.
    fn card() -> Sketch {
        Draft {
            side_effect: word("side_effect", "write"),
            idempotent: fixture::idempotent(),
            retry: but(retry(3, &["retryable"]), |retry| retry.budget = Field::Absent),
            rollback: given("rollback", RollbackDraft::Compensate("refund_card".to_owned())),
            ..bare(Surface::Attribute)
        }
    }

    #[test]
    fn the_cards_attribute_compiles_without_a_warning() {
        let checked = check(&card());
        assert!(checked.findings.iter().all(|finding| finding.level == Level::Advise));
        assert_eq!(
            found(&card()),
            [
                (Code::NO_RATE_LIMIT, absence(Surface::Attribute)),
                (Code::NO_BUDGET, At::Key("retry"))
            ]
        );
        let policy = checked.contract.unwrap().policy;
        assert_eq!(policy.side_effect, SideEffect::Write);
        assert_eq!(policy.rollback, Rollback::Compensate("refund_card".into()));
        assert_eq!((policy.retry.max, policy.retry.max_total), (3, 10));
    }

    fn per_hour(scope: Scope, quota: &str) -> Field<Vec<LimitDraft<At>>, At> {
        given("rate_limit", vec![fixture::limit(0, scope, quota)])
    }

    #[test]
    fn the_handbooks_incident_is_accepted() {
        let draft = Draft {
            description: String::new(),
            retry: but(retry(4, &["retryable_failure"]), |retry| {
                retry.backoff = word("backoff", "exponential");
                retry.budget = Field::Absent;
            }),
            rate_limit: per_hour(Scope::Tenant, "30/min"),
            rollback: given("rollback", RollbackDraft::None),
            reconcile_on_unknown: given("reconcile_on_unknown", true),
            ..write(Surface::Contract)
        };
        let checked = check(&draft);
        assert_eq!(
            found(&draft),
            [(Code::NO_RECONCILE, At::Tool), (Code::NO_BUDGET, At::Key("retry"))]
        );
        assert_eq!(checked.contract.unwrap().policy.rollback, Rollback::None);
    }

    #[test]
    fn the_handbooks_page_is_accepted() {
        let draft = Draft {
            description: String::new(),
            idempotent: never(),
            key_required: given("key_required", false),
            retry: but(retry(1, &[]), |retry| retry.budget = Field::Absent),
            rate_limit: per_hour(Scope::User, "6/h"),
            rollback: given("rollback", RollbackDraft::ManualOnly),
            reconcile_on_unknown: given("reconcile_on_unknown", true),
            ..write(Surface::Contract)
        };
        assert_eq!(found(&draft), []);
        let policy = check(&draft).contract.unwrap().policy;
        assert_eq!(policy.idempotency, Idempotency::Never);
        assert_eq!(policy.retry, Retry::ONCE);
    }

    #[test]
    fn findings_name_the_tool_and_say_what_to_write() {
        for surface in BOTH {
            for draft in
                [bare(surface), Draft { rollback: Field::Absent, ..write(surface) }, card()]
            {
                for finding in check(&draft).findings {
                    assert!(finding.message.contains("`charge_card`"), "{finding:?}");
                    assert!(!finding.help.is_empty(), "{finding:?}");
                }
            }
        }
    }

    /// Whether a reader refused anything, at whatever depth.
    fn has_refused(draft: &Sketch) -> bool {
        format!("{draft:?}").contains("Refused")
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn a_contract_or_a_reason(draft in any_draft()) {
            let checked = check(&draft);
            let denied = checked.findings.iter().any(|finding| finding.level == Level::Deny);
            prop_assert_eq!(checked.contract.is_some(), !denied && !has_refused(&draft), "{:?}", checked.findings);
        }

        #[test]
        fn what_is_repeated_may_be(draft in any_draft()) {
            let Some(contract) = check(&draft).contract else { return Ok(()) };
            let policy = contract.policy;
            prop_assert_eq!(policy.is_read(), policy.idempotency == Idempotency::Read);
            prop_assert_eq!(policy.is_read(), policy.rollback == Rollback::Read);
            prop_assert_eq!(policy.confirm.is_some(), policy.side_effect == SideEffect::Destructive);
            prop_assert!(policy.retry.max == 1 || policy.is_idempotent());
            prop_assert!((1..=Retry::MOST).contains(&policy.retry.max));
            prop_assert!(policy.retry.max <= policy.retry.max_total);
            prop_assert!(!policy.is_read() || policy.reconcile.is_none());
        }

        #[test]
        fn findings_come_by_code(draft in any_draft()) {
            prop_assert!(check(&draft).findings.is_sorted_by_key(|finding| finding.code));
        }
    }
}
