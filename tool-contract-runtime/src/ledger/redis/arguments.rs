//! What is proposed, as the arguments of the script `exchange`.

use std::fmt::Write as _;

use tool_contract_spec::ledger::Pace;
use tool_contract_spec::policy::Quota;

use super::keys::{self, Keys};
use super::tools::KnownTool;
use crate::ledger::shared::{Exchange, Put, Twins};
use crate::ledger::{Draw, LedgerError, State, Timestamp};

/// The keys and the arguments of an exchange.
pub(super) fn exchange(
    all: &Keys,
    tool: &KnownTool,
    Exchange { id, hash, put }: &Exchange,
) -> Result<(Vec<String>, Vec<String>), LedgerError> {
    let mut names =
        vec![tool.keys.meta(), tool.keys.operation(id), tool.keys.history(id), tool.keys.names()];
    let mut arguments = tool.known().to_vec();
    arguments.extend([
        tool.keys.tag().to_owned(),
        keys::tenant(id.tenant.as_ref()).to_owned(),
        id.key.as_str().to_owned(),
        keys::hash(*hash),
        if put.is_some() { "put" } else { "look" }.to_owned(),
    ]);
    if let Some(put) = put {
        propose(&mut arguments, put)?;
        names.extend(cells(all, &put.draws));
        arguments.extend(put.draws.iter().flat_map(draw));
    }
    Ok((names, arguments))
}

fn propose(arguments: &mut Vec<String>, put: &Put) -> Result<(), LedgerError> {
    let known = put.twins.as_ref();
    let record = &put.record;
    let events: Vec<String> = put.events.iter().map(json).collect::<Result<_, _>>()?;
    arguments.extend([
        put.expected.to_string(),
        put.at.0.to_string(),
        Put::OLDEST.as_millis().to_string(),
        keys::hash(known.map(|known| known.hash)),
        known.map(seen).unwrap_or_default(),
        (put.expected + 1).to_string(),
        record.state.name().as_str().to_owned(),
        until(&record.state).map(|until| until.0.to_string()).unwrap_or_default(),
        keys::fence(record.fence),
        record.hash.to_string(),
        json(record)?,
        events.len().to_string(),
        put.draws.len().to_string(),
    ]);
    arguments.extend(events);
    Ok(())
}

/// The twins that were seen, in one line: no key has a space.
fn seen(twins: &Twins) -> String {
    let mut line = String::new();
    for (key, version) in &twins.seen {
        // Nothing refuses to be written to a string.
        let _ = write!(line, "{key} {version} ");
    }
    line
}

/// When a state is over by itself, as far as listings ask.
fn until(state: &State) -> Option<Timestamp> {
    match state {
        State::Running { lease_until } | State::Reconciling { lease_until, .. } => {
            Some(*lease_until)
        }
        State::Succeeded { expires_at, .. }
        | State::Denied { expires_at }
        | State::Abandoned { expires_at, .. } => Some(*expires_at),
        State::AwaitingApproval
        | State::Approved
        | State::Released { .. }
        | State::Exhausted { .. }
        | State::Unknown(_)
        | State::Expired => None,
    }
}

/// The hash in which the cell of each draw is.
pub(super) fn cells<'a>(keys: &'a Keys, draws: &'a [Draw]) -> impl Iterator<Item = String> + 'a {
    draws.iter().map(|draw| keys.of(&draw.cell.tool).cells(draw.cell.limit.quota))
}

/// One draw, as four arguments.
pub(super) fn draw(draw: &Draw) -> [String; 4] {
    let field = keys::cell(&draw.cell);
    match draw.cell.limit.quota {
        Quota::Count(most) => ["count".to_owned(), field, most.to_string(), "-".to_owned()],
        Quota::Rate(count, period) => {
            let pace = Pace::of(count, period);
            ["rate".to_owned(), field, span(pace.increment), span(pace.span)]
        }
    }
}

/// Nanoseconds, as milliseconds and the nanoseconds within.
fn span(nanos: u64) -> String {
    format!("{} {}", nanos / 1_000_000, nanos % 1_000_000)
}

fn json(value: &impl serde::Serialize) -> Result<String, LedgerError> {
    serde_json::to_string(value).map_err(|error| {
        LedgerError::Corrupt(format!(
            "a record cannot be written as JSON: {error}; nothing was written"
        ))
    })
}
