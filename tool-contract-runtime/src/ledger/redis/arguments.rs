//! What is asked and proposed, as the arguments of the script `exchange`.

use std::fmt;

use tool_contract_spec::ledger::Pace;
use tool_contract_spec::policy::Quota;

use super::call::ScriptCall;
use super::head::Head;
use super::keys::{self, Keys};
use super::scripts::Scripts;
use super::tools::KnownTool;
use crate::ledger::shared::{Exchange, Put, Twins};
use crate::ledger::{Draw, LedgerError};

/// The call of the script for an exchange.
pub(super) fn exchange<'a>(
    scripts: &'a Scripts,
    all: &Keys,
    tool: &KnownTool,
    Exchange { id, hash, put }: &Exchange,
) -> Result<ScriptCall<'a>, LedgerError> {
    let draws = put.as_ref().map_or(&[][..], |put| &put.draws);
    let script = if draws.is_empty() { &scripts.exchange } else { &scripts.exchange_drawing };
    let mut keys = vec![tool.keys.meta(), tool.keys.operation(id)];
    keys.extend(cells(all, draws));
    let call = tool.call(script, &keys);
    let call = match hash {
        Some(hash) => call.text(hash),
        None => call.arg(""),
    };
    match put {
        Some(put) => propose(call, put),
        None => Ok(call.arg("")),
    }
}

fn propose<'a>(call: ScriptCall<'a>, put: &Put) -> Result<ScriptCall<'a>, LedgerError> {
    let call = call.text(keys::number(put.expected)).arg(put.at.0);
    let call = match &put.twins {
        Some(twins) => call.text(Seen(twins)),
        None => call.arg(""),
    };
    let head = Head { version: put.expected + 1, record: &put.record };
    let mut call = call.text(head).json(&put.record)?.arg(2 * put.events.len());
    for event in &put.events {
        call = call.arg(event.seq).json(event)?;
    }
    Ok(put.draws.iter().fold(call, |call, one| call.arg(&draw(one))))
}

/// The twins that were seen, in one line: no key has a space.
struct Seen<'a>(&'a Twins);

impl fmt::Display for Seen<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.hash)?;
        for (key, version) in &self.0.seen {
            write!(f, " {key} {}", keys::number(*version))?;
        }
        Ok(())
    }
}

/// The hash in which the cell of each draw is.
pub(super) fn cells<'a>(keys: &'a Keys, draws: &'a [Draw]) -> impl Iterator<Item = String> + 'a {
    draws.iter().map(|draw| keys.of(draw.cell.over.as_str()).cells(draw.cell.limit.quota))
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
