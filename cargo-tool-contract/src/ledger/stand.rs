//! Where an operation really stands: what time alone did to it is on record only
//! when the next step comes by.

use tool_contract_runtime::ledger::{Fence, Record, State, StateName, Timestamp};
use tool_contract_spec::ledger::{Around, notice};
use tool_contract_spec::saga::{Ended, Stand, ended};

/// The record as the next step will find it.
pub(crate) fn at(record: &Record, now: Timestamp) -> Record {
    let mut slot = Some(record.clone());
    notice(&mut slot, &Around { now, fence: Fence::NONE });
    slot.unwrap_or_else(|| record.clone())
}

/// Since when it stands so.
pub(crate) fn since(record: &Record, now: Timestamp) -> Timestamp {
    match (&at(record, now).state, &record.state) {
        (State::Unknown(unknown), _) => unknown.since,
        (
            State::Expired,
            State::Succeeded { expires_at, .. }
            | State::Denied { expires_at }
            | State::Abandoned { expires_at, .. },
        ) => *expires_at,
        _ => record.changed_at,
    }
}

/// Its state in a word, or in two.
pub(crate) fn word(record: &Record, now: Timestamp) -> String {
    let at = at(record, now);
    let (recorded, stands) = (name(record), name(&at));
    match recorded == stands {
        _ if is_unanswered(&at) => UNANSWERED.to_owned(),
        true => recorded.to_owned(),
        false => format!("{recorded}, now {stands}"),
    }
}

/// How it stands where nobody said yes in time.
const UNANSWERED: &str = "request expired";

/// Whether people were asked for their yes, and nobody has given it in time. It never
/// ran.
pub(crate) fn is_unanswered(stands: &Record) -> bool {
    stands.attempts == 0 && asks_anew(stands)
}

/// Whether nothing of it runs before people were asked anew.
pub(crate) fn asks_anew(stands: &Record) -> bool {
    matches!(stands.state, State::Released { .. }) && Stand::of(Some(stands)) == Stand::Waits
}

/// The name of its state; of a saga, that it rests, or what it came to.
pub(crate) fn name(record: &Record) -> &'static str {
    match &record.state {
        State::Unknown(_) if record.terms.saga => "rests",
        state => came_to(record).map_or(state.name().as_str(), Ended::as_str),
    }
}

/// What a saga came to.
pub(crate) fn came_to(record: &Record) -> Option<Ended> {
    match &record.state {
        State::Succeeded { result, .. } if record.terms.saga => ended(result),
        _ => None,
    }
}

/// Whether it waits for a person though it has attempts left.
pub(crate) fn has_failed_for_good(record: &Record) -> bool {
    matches!(record.state, State::Exhausted { .. }) && record.attempts < record.terms.max_total
}

/// Whether it waits for a person.
pub(crate) fn waits(record: &Record, now: Timestamp) -> bool {
    let state = at(record, now).state.name();
    state.is_escalated() || state == StateName::AwaitingApproval
}
