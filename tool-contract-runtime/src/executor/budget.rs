//! The budget of an objective: who draws from it, and what is said when it is used
//! up.

use std::sync::Arc;
use std::time::Duration;

use tool_contract_spec::duration;
use tool_contract_spec::ledger::{CellId, Draw, Limited, Over};
use tool_contract_spec::policy::Quota;
use tool_contract_spec::rulebook::Code;

use super::plan::Caller;
use crate::error::{About, CallError, Rejected};
use crate::ledger::LedgerError;
use crate::runtime::Runtime;

/// What whoever meets the end of a budget does next.
const NEXT: &str = "stop, and ask a person whether to go on; do not call it again, or under another workflow's name";

impl Caller {
    /// What an attempt draws from the budget of its objective, if the runtime has
    /// one.
    pub(super) fn budget(
        &self,
        runtime: &Runtime,
        about: impl FnOnce() -> About,
    ) -> Result<Option<Draw>, CallError<()>> {
        let Some(limit) = runtime.budget() else { return Ok(None) };
        if self.workflow.is_none() {
            return Err(nameless(about()));
        }
        Ok(Some(self.draw(Over::All, limit)))
    }
}

fn nameless(about: About) -> CallError<()> {
    CallError::from(Rejected::new(
        Code::OBJECTIVE_MISSING,
        about,
        "every objective has a budget here, and the call does not say to which it belongs",
        "name its workflow, the same for all calls of one objective: `.workflow(..)`, or `workflow` in `meta`",
    ))
}

/// What another attempt, which begins after `delay`, draws of what the first one of
/// its call drew: its part of the budget.
pub(super) fn again(draws: &[Draw], delay: Duration) -> Vec<Draw> {
    let is_budget = |draw: &&Draw| draw.cell.over == Over::All;
    draws.iter().filter(is_budget).map(|draw| Draw { ahead: delay, ..draw.clone() }).collect()
}

/// Why there is no other attempt, if the ledger did not let it draw.
pub(super) fn obstacle(drawn: Result<Result<(), Limited>, LedgerError>) -> Option<Arc<str>> {
    match drawn {
        Ok(Ok(())) => None,
        Ok(Err(limited)) => Some(format!("{}; {NEXT}", used_up(&limited)).into()),
        Err(error) => Some(
            format!("its objective's budget could not be asked: {error}; call again with the same key once it can").into(),
        ),
    }
}

/// The same, if the ledger did not admit it.
pub(super) fn refusal(error: &CallError<()>) -> Option<Arc<str>> {
    match error {
        CallError::Rejected(rejected) if rejected.code == Code::BUDGET_SPENT => {
            Some(format!("{}; {}", rejected.reason, rejected.next).into())
        }
        _ => None,
    }
}

/// A budget without room in the caller's words.
pub(super) fn refused(about: About, limited: &Limited) -> Rejected {
    Rejected::new(Code::BUDGET_SPENT, about, used_up(limited), NEXT)
}

fn used_up(limited: &Limited) -> String {
    let (used, of) = (limited.used, objective(&limited.cell));
    match limited.quota() {
        Quota::Within(most, span) if used < most => format!(
            "the time of {of} is over: its budget is {most} attempts within {} of the first, and {used} were made",
            duration::wait(span)
        ),
        Quota::Within(most, _)
        | Quota::Count(most)
        | Quota::Rate(most, _)
        | Quota::Concurrent(most) => {
            format!("the budget of {of} is used up: {used} of {most} attempts were made")
        }
    }
}

/// Whose budget it is.
fn objective(cell: &CellId) -> String {
    let workflow = cell.subject.as_deref().unwrap_or_default();
    match &cell.tenant {
        Some(tenant) => format!("the workflow `{workflow}` of `{}`", tenant.as_str()),
        None => format!("the workflow `{workflow}`"),
    }
}
