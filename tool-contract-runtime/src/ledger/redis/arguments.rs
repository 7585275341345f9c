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
use crate::ledger::{CellId, Draw, Fence, Hold, LedgerError, Slot, Timestamp};

/// The call of the script for an exchange.
pub(super) fn exchange<'a>(
    scripts: &'a Scripts,
    all: &Keys,
    tool: &KnownTool,
    Exchange { id, hash, put }: &Exchange,
) -> Result<ScriptCall<'a>, LedgerError> {
    let mut keys = vec![tool.keys.meta(), tool.keys.operation(id)];
    if let Some(put) = put {
        let drawn = put.draws.iter().map(|draw| &draw.cell);
        keys.extend(cells(all, drawn.chain(put.holds.iter().map(|hold| &hold.cell))));
    }
    let script = if keys.len() > 2 { &scripts.exchange_drawing } else { &scripts.exchange };
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
    let draws = put.draws.iter().map(|one| draw(one, put.slot()));
    Ok(draws.chain(put.holds.iter().map(hold)).fold(call, |call, one| call.arg(&one)))
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

/// Where each cell is.
pub(super) fn cells<'a>(
    keys: &'a Keys,
    cells: impl Iterator<Item = &'a CellId> + 'a,
) -> impl Iterator<Item = String> + 'a {
    cells.map(|cell| keys.of(cell.over.as_str()).cells(cell))
}

/// One draw of a claim with this slot, as four arguments.
pub(super) fn draw(draw: &Draw, slot: Option<Slot>) -> [String; 4] {
    let field = keys::cell(&draw.cell);
    match draw.cell.limit.quota {
        Quota::Count(most) | Quota::Within(most, _) => {
            ["count".to_owned(), field, most.to_string(), draw.open_for().to_string()]
        }
        Quota::Rate(count, period) => {
            let pace = Pace::of(count, period);
            ["rate".to_owned(), field, pace.increment.to_string(), pace.span.to_string()]
        }
        Quota::Concurrent(most) => {
            let Slot { fence, until } =
                slot.unwrap_or(Slot { fence: Fence::NONE, until: Timestamp::ZERO });
            ["slot".to_owned(), fence.0.to_string(), most.to_string(), until.0.to_string()]
        }
    }
}

/// What becomes of a slot, as four arguments.
fn hold(Hold { slot, .. }: &Hold) -> [String; 4] {
    ["hold".to_owned(), slot.fence.0.to_string(), "-".to_owned(), slot.until.0.to_string()]
}
