//! A limit without room.

use std::time::Duration;

use tool_contract_spec::duration;
use tool_contract_spec::ledger::{Limited, Over};
use tool_contract_spec::policy::{Quota, Scope};
use tool_contract_spec::rulebook::Code;

use crate::error::{About, CallError, Rejected};
use crate::executor::budget;

/// A limit without room in the caller's words.
pub(in crate::executor) fn limited(about: About, limited: &Limited) -> CallError<()> {
    let quota = match limited.quota() {
        Quota::Rate(count, period) => format!("{count}/{}", period.unit()),
        Quota::Count(count) => format!("{count} in all"),
        Quota::Within(count, span) => {
            format!("{count} in all, within {} of the first,", duration::wait(span))
        }
        Quota::Concurrent(count) => format!("{count} at a time"),
    };
    let when = match limited.retry_after.map(duration::wait) {
        None => "it never has room again".to_owned(),
        Some(wait) if matches!(limited.quota(), Quota::Concurrent(_)) => {
            format!("it has room when a call ends, or in {wait} if its process died")
        }
        Some(wait) => format!("it has room again in {wait}"),
    };
    let scope = limited.cell.limit.scope;
    let whose = match (&limited.cell.over, scope) {
        (Over::All, _) => return budget::refused(about, limited).into(),
        (Over::Tool(_), _) => format!("per {}", scope.as_str()),
        (Over::Class(class), Scope::Tool) => format!("on all {} calls", class.as_str()),
        (Over::Class(class), _) => {
            format!("on {} calls per {}", class.as_str(), scope.as_str())
        }
    };
    let reason = format!("the limit of {quota} {whose} is used up; {when}");
    let rejected =
        Rejected::new(Code::LIMITED, about, reason, "call again then, with the same key");
    CallError::from(Rejected { retry_after: limited.retry_after.map(round_up), ..rejected })
}

/// Whole milliseconds, and never too few.
fn round_up(span: Duration) -> Duration {
    Duration::from_millis(u64::try_from(span.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX))
}
