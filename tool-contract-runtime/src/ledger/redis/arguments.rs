//! What is proposed, as the arguments of the script `exchange`.

use tool_contract_spec::ledger::Pace;
use tool_contract_spec::policy::Quota;

use super::head::head;
use super::keys::{self, Keys};
use super::tools::KnownTool;
use crate::ledger::shared::{Exchange, Put, Twins};
use crate::ledger::{Draw, LedgerError};

/// The keys and the arguments of an exchange.
pub(super) fn exchange(
    all: &Keys,
    tool: &KnownTool,
    Exchange { id, hash, put }: &Exchange,
) -> Result<(Vec<String>, Vec<String>), LedgerError> {
    let mut names = vec![tool.keys.meta(), tool.keys.operation(id)];
    let mut arguments = tool.known().to_vec();
    arguments.push(hash.map(|hash| hash.to_string()).unwrap_or_default());
    if let Some(put) = put {
        names.extend(cells(all, &put.draws));
        propose(&mut arguments, put)?;
    } else {
        arguments.push(String::new());
    }
    Ok((names, arguments))
}

fn propose(arguments: &mut Vec<String>, put: &Put) -> Result<(), LedgerError> {
    arguments.extend([
        keys::number(put.expected),
        put.at.0.to_string(),
        put.twins.as_ref().map(seen).unwrap_or_default(),
        head(put.expected + 1, &put.record),
        json(&put.record)?,
        (2 * put.events.len()).to_string(),
    ]);
    for event in &put.events {
        arguments.extend([event.seq.to_string(), json(event)?]);
    }
    arguments.extend(put.draws.iter().flat_map(draw));
    Ok(())
}

/// The twins that were seen, in one line: no key has a space.
fn seen(twins: &Twins) -> String {
    let mut line = twins.hash.to_string();
    for (key, version) in &twins.seen {
        line.extend([" ", key.as_str(), " ", &*keys::number(*version)]);
    }
    line
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
