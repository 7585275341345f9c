//! What stands under the key is in the way.

use std::sync::Arc;
use std::time::Duration;

use tool_contract_spec::duration;
use tool_contract_spec::key::IdempotencyKey;
use tool_contract_spec::ledger::{EscalationId, StateName};
use tool_contract_spec::rulebook::Code;

use crate::error::{About, Rejected};

pub(super) fn conflict(about: About, state: StateName) -> Rejected {
    let reason = format!("this key stands for other arguments (their operation's state: {state})");
    let next = "if this is another intent, give it a key of its own; if it is the same, repeat its arguments";
    Rejected::new(Code::CONFLICT, about, reason, next)
}

pub(super) fn expired(about: About) -> Rejected {
    let next = "find out whether the operation happened; a new intent needs a new key";
    Rejected::new(Code::EXPIRED, about, "this key was used and is past its ttl", next)
}

pub(super) fn in_flight(about: About, reconciling: bool) -> Rejected {
    let reason = if reconciling {
        "its outcome is being found out"
    } else {
        "another call with this key is running"
    };
    let next = "call again with the same key to get its result";
    Rejected::new(Code::IN_FLIGHT, about, reason, next)
}

pub(super) fn not_before(about: About, retry_after: Duration) -> Rejected {
    let wait = duration::wait(retry_after);
    let reason = format!("the backoff of an earlier attempt lasts for another {wait}");
    let next = "call again with the same key after that";
    let rejected = Rejected::new(Code::NOT_BEFORE, about, reason, next);
    Rejected { retry_after: Some(retry_after), ..rejected }
}

pub(super) fn exhausted(
    about: About,
    attempts: u32,
    max_total: u32,
    escalation: Option<&EscalationId>,
) -> Rejected {
    let waits = escalation.map(|id| format!(", and waits for a person as {id}"));
    let waits = waits.unwrap_or_default();
    let ended = if attempts < max_total { ", and failed for good" } else { "" };
    let reason = format!("this key has had {attempts} of its {max_total} attempts{ended}{waits}");
    let next = "let a person look at why they failed; a new key would only hide it";
    Rejected::new(Code::ATTEMPTS_EXHAUSTED, about, reason, next)
}

pub(super) fn abandoned(about: About, by: &Arc<str>, why: &Arc<str>) -> Rejected {
    let reason = format!("{by} gave it up: {why}");
    let next = "do not repeat it under another key; talk to who gave it up";
    Rejected::new(Code::ABANDONED, about, reason, next)
}

pub(super) fn reminted(about: About, first: &IdempotencyKey, state: StateName) -> Rejected {
    let reason = format!(
        "the same operation stands under the key `{first}` (its state: {state}): this key looks newly minted for an old intent"
    );
    let next = "repeat that key, or change what makes this another intent";
    Rejected::new(Code::LIKELY_REMINT, about, reason, next)
}
