//! What the ledger wrote down, in words; and why, in the rulebook's.

use std::time::Duration;

use tool_contract::ledger::{Attempt, Event, EventKind};
use tool_contract::spec::decide::{Progress, decide};
use tool_contract::spec::policy::Policy;
use tool_contract::spec::rulebook::rule;
use tool_contract::{Status, Tool as _};

use crate::ask::Heard;
use crate::tools::{ChargeCard, CloseAccount, SendReceipt};

/// An event of an operation's history, in lines.
pub(crate) fn tell(tool: &str, event: &Event) -> Vec<String> {
    let policy = policy(tool);
    let detail = event.detail.as_deref().unwrap_or_default();
    if event.kind == EventKind::Attempted {
        return event.attempts().iter().flat_map(|attempt| attempted(policy, attempt)).collect();
    }
    vec![happened(event.kind, policy, detail)]
}

fn policy(tool: &str) -> &'static Policy {
    let contract = match tool {
        "close_account" => CloseAccount::contract(),
        "send_receipt" => SendReceipt::contract(),
        _ => ChargeCard::contract(),
    };
    &contract.policy
}

/// A failed attempt, and the row of the matrix that decided what follows.
fn attempted(policy: &Policy, attempt: &Attempt) -> [String; 2] {
    let Attempt { number, class, error, .. } = attempt;
    let progress = Progress {
        attempt: *number,
        total: *number,
        elapsed: Duration::ZERO,
        remaining: None,
        in_doubt: false,
    };
    let why = decide(policy, (*class).into(), progress).row.as_str();
    [format!("attempt {number}: {error}"), format!("  because {why}")]
}

fn happened(kind: EventKind, policy: &Policy, detail: &str) -> String {
    match kind {
        EventKind::Claimed => "claimed the key, on disk, before a byte left".to_owned(),
        EventKind::Succeeded => "succeeded; the result is on record".to_owned(),
        EventKind::Released => "nothing happened; the key is free again".to_owned(),
        EventKind::BecameUnknown => "unknown, on record; nobody repeats it blindly".to_owned(),
        EventKind::LeaseLost => format!("unknown: {detail}"),
        EventKind::ReconcileBegan => {
            let function =
                policy.reconcile.as_ref().map_or("a person", |reconcile| &*reconcile.with);
            format!("asks `{function}` what happened")
        }
        EventKind::ReconciledHappened => {
            "it happened; the answer that was lost is on record now".to_owned()
        }
        EventKind::ReconciledDidNotHappen => {
            "it did not happen, and had time to show; the key is free again".to_owned()
        }
        EventKind::ApprovalRequested => format!("nothing runs; a person is asked: {detail}"),
        EventKind::ApprovalGranted => format!("granted by {detail}"),
        other => format!("{} {detail}", other.as_str().replace('_', " ")),
    }
}

/// Why a call was answered without running anything, where it was.
pub(crate) fn ran_nothing(heard: &Heard) -> Option<String> {
    match (&heard.reminted_from, heard.code) {
        (Some(key), _) => Some(format!(
            "runs nothing: the same operation succeeded under the key {key}, this is its result"
        )),
        _ if heard.replayed => {
            Some("runs nothing: it succeeded before, this is its result".to_owned())
        }
        // That a person was asked is in the history.
        (None, Some(code)) if heard.attempts == 0 && heard.status != Status::AwaitingApproval => {
            let title = rule(code).map_or("", |rule| rule.title);
            Some(format!("runs nothing, {code}: {title}"))
        }
        _ => None,
    }
}
