//! What the ledger's refusals say to a caller.

use std::time::Duration;

use tool_contract_spec::ledger::{Limited, Refusal};
use tool_contract_spec::policy::{Quota, Scope, SideEffect};
use tool_contract_spec::rulebook::Code;

use crate::error::{About, CallError, Rejected, UnknownOutcome};

/// A refusal in the caller's words.
#[expect(clippy::too_many_lines, reason = "it is a table")]
pub(crate) fn refused(about: About, refusal: Refusal) -> CallError<()> {
    let reject =
        |code, reason: String, next: &str| Rejected::new(code, about.clone(), reason, next);
    CallError::from(match refusal {
        Refusal::Unknown { escalation, cause } => {
            return CallError::from(UnknownOutcome {
                about,
                cause: cause.into_owned(),
                escalation: Some(escalation),
                may_repeat: false,
            });
        }
        Refusal::Limited(limit) => return limited(about, &limit),
        Refusal::Conflict { state } => reject(
            Code::CONFLICT,
            format!("this key stands for other arguments (their operation's state: {state})"),
            "if this is another intent, give it a key of its own; if it is the same, repeat its arguments",
        ),
        Refusal::Expired => reject(
            Code::EXPIRED,
            "this key was used and is past its ttl".to_owned(),
            "find out whether the operation happened; a new intent needs a new key",
        ),
        Refusal::InFlight { reconciling, lease_until: _ } => reject(
            Code::IN_FLIGHT,
            if reconciling {
                "its outcome is being found out"
            } else {
                "another call with this key is running"
            }
            .to_owned(),
            "call again with the same key to get its result",
        ),
        Refusal::NotBefore { retry_after } => Rejected {
            retry_after: Some(retry_after),
            ..reject(
                Code::NOT_BEFORE,
                format!("the backoff of an earlier attempt lasts for another {retry_after:?}"),
                "call again with the same key after that",
            )
        },
        Refusal::AttemptsExhausted { attempts, max_total, escalation } => reject(
            Code::ATTEMPTS_EXHAUSTED,
            format!(
                "this key has had {attempts} of its {max_total} attempts{}{}",
                if attempts < max_total { ", and failed for good" } else { "" },
                escalation
                    .map(|id| format!(", and waits for a person as {id}"))
                    .unwrap_or_default()
            ),
            "let a person look at why they failed; a new key would only hide it",
        ),
        Refusal::AwaitingApproval { request, .. } => Rejected {
            request: Some(request.clone()),
            ..reject(
                Code::APPROVAL_MISSING,
                format!("nobody has approved it yet; request {request} waits for a person"),
                "call again with the same key and arguments once it is granted",
            )
        },
        Refusal::Approved { request, .. } => Rejected {
            request: Some(request.clone()),
            ..reject(
                Code::APPROVAL_MISSING,
                format!("{request} is granted and was not used"),
                "call it",
            )
        },
        Refusal::Denied { by, why } => reject(
            Code::APPROVAL_DENIED,
            format!("{by} refused it: {why}"),
            "do not ask again under another key; talk to who refused",
        ),
        Refusal::Abandoned { by, why } => reject(
            Code::ABANDONED,
            format!("{by} gave it up: {why}"),
            "do not repeat it under another key; talk to who gave it up",
        ),
        Refusal::DenialUnproven { by } => reject(
            Code::APPROVAL_DENIED,
            format!(
                "a refusal in the name of `{by}` is on record, without a signature that counts"
            ),
            "ask who is named, and look who can write the ledger; a person may let it be asked again",
        ),
        Refusal::OtherRequester { request } => reject(
            Code::APPROVAL_VOID,
            format!("{request} was asked for this operation on behalf of somebody else"),
            "call it on behalf of who asked; or wait until that request has expired, and ask anew",
        ),
        Refusal::WrongApproval => reject(
            Code::APPROVAL_VOID,
            "the approval has expired, was spent, or is for another call".to_owned(),
            "ask for one for this very call",
        ),
        Refusal::NothingToApprove => reject(
            Code::APPROVAL_VOID,
            "its contract wants no approval".to_owned(),
            "call it; or declare `confirm(..)` where a person should look first",
        ),
        Refusal::Reminted { first, state } => reject(
            Code::LIKELY_REMINT,
            format!(
                "the same operation stands under the key `{first}` (its state: {state}): this key looks newly minted for an old intent"
            ),
            "repeat that key, or change what makes this another intent",
        ),
    })
}

/// A limit without room in the caller's words.
pub(super) fn limited(about: About, limited: &Limited) -> CallError<()> {
    let quota = match limited.quota {
        Quota::Rate(count, period) => format!("{count}/{}", period.unit()),
        Quota::Count(count) => format!("{count} in all"),
        Quota::Concurrent(count) => format!("{count} at a time"),
    };
    let when = match limited.retry_after.map(round_up) {
        None => "it never has room again".to_owned(),
        Some(wait) if matches!(limited.quota, Quota::Concurrent(_)) => {
            format!("it has room when a call ends, or in {wait:?} if its process died")
        }
        Some(wait) => format!("it has room again in {wait:?}"),
    };
    let scope = limited.scope.as_str();
    let whose = match (limited.class.map(SideEffect::as_str), limited.scope) {
        (None, _) => format!("per {scope}"),
        (Some(class), Scope::Tool) => format!("on all {class} calls"),
        (Some(class), _) => format!("on {class} calls per {scope}"),
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
