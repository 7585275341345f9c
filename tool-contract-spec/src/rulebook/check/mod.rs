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
mod function;
mod key;
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

    findings.extend(side_effect::no_rate_limit(tool));
    findings.extend(side_effect::no_reconcile(tool));
    findings.extend(retry::no_budget(tool));
    findings.extend(arguments::floats(tool));
    findings.extend(arguments::volatile(tool));
    findings.extend(arguments::free_text(tool));
    findings.extend(arguments::no_description(tool));
}
