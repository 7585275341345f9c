//! `escalations ls`: what only a person's word moves on.

use std::io::{IsTerminal as _, stdout};
use std::sync::Arc;

use serde::Serialize;
use tool_contract_runtime::ledger::{LedgerError, StateName};
use tool_contract_runtime::{Escalation, Escalations};
use tool_contract_spec::duration;

use super::stand;
use super::view::{Name, Stored};
use crate::End;
use crate::args::Page;
use crate::operator::{Desk, Problem, listing, time};

/// How much a list shows on a terminal of the beginning and of the end of a cause, which
/// may name a request, in characters.
const SHOWN: usize = 40;

#[derive(Debug, Serialize)]
struct Document<'r> {
    escalations: Vec<Line<'r>>,
    next: Option<String>,
}

/// What waits, in a list.
#[derive(Debug, Serialize)]
struct Line<'r> {
    escalation: &'r str,
    #[serde(flatten)]
    name: Name<'r>,
    state: StateName,
    since: String,
    attempts: u32,
    max_total: u32,
    cause: String,
    arguments: Stored,
}

pub(super) async fn run(desk: &Desk, page: &Page) -> Result<End, Problem> {
    let queue = Escalations::of(Arc::clone(&desk.ledger));
    let waiting = queue.list(page.query()).await?;
    let next = page.next(waiting.len(), waiting.last().map(|last| &last.operation));
    let mut found = Vec::new();
    for each in waiting {
        if !is_told_by_its_steps(desk, &queue, page, &each).await? {
            found.push(each);
        }
    }
    let told = if found.is_empty() && next.is_none() {
        page.nothing(desk, "nothing waits for a person's word").await?
    } else {
        listed(desk, &found, next.as_deref())
    };
    let escalations = found.iter().map(|each| line(desk, each)).collect();
    desk.say(&Document { escalations, next }, || told)?;
    Ok(End::Fine)
}

/// Whether it is a saga, and all that it waits for are steps that are listed as well:
/// those a person sees to.
async fn is_told_by_its_steps(
    desk: &Desk,
    queue: &Escalations,
    page: &Page,
    each: &Escalation,
) -> Result<bool, Problem> {
    if !each.record.terms.saga {
        return Ok(false);
    }
    let waits_for = match queue.waits_for(each).await {
        // `verify` says so.
        Err(LedgerError::Corrupt(_)) => return Ok(false),
        waits_for => waits_for?,
    };
    for id in &waits_for {
        let is_wanted = page.tool.as_ref().is_none_or(|tool| **tool == *id.tool);
        let record = desk.ledger.find(id.clone()).await?;
        let stands = record.map(|record| stand::at(&record, desk.now));
        if !is_wanted || !stands.is_some_and(|stands| stands.state.name().is_escalated()) {
            return Ok(false);
        }
    }
    Ok(!waits_for.is_empty())
}

fn line<'r>(desk: &Desk, each: &'r Escalation) -> Line<'r> {
    let record = &each.record;
    Line {
        escalation: &each.id.0,
        name: Name::of(&each.operation),
        state: record.state.name(),
        since: time::iso(stand::since(record, desk.now)),
        attempts: record.attempts,
        max_total: record.terms.max_total,
        cause: each.cause(),
        arguments: Stored::of(&record.arguments),
    }
}

fn listed(desk: &Desk, found: &[Escalation], next: Option<&str>) -> String {
    let titles = ["ESCALATION", "TOOL", "KEY", "TENANT", "STATE", "AGE", "CAUSE"];
    let rows: Vec<Vec<String>> = found.iter().map(|each| row(desk, each)).collect();
    let out = listing::listed(&titles, &rows, ("escalation", "escalations"), next);
    let show = desk.begin_in("escalations", "show");
    format!("{out}\n`{show} ESCALATION` tells the whole story, and what would resolve it")
}

fn row(desk: &Desk, each: &Escalation) -> Vec<String> {
    let (record, cause) = (&each.record, each.cause());
    let [tool, key, tenant] = listing::cells(&each.operation);
    vec![
        each.id.to_string(),
        tool,
        key,
        tenant,
        stand::name(record).to_owned(),
        duration::passed(desk.now.since(stand::since(record, desk.now))),
        if stdout().is_terminal() { shortened(&cause) } else { cause },
    ]
}

/// A text of which the middle is left out, if it is long.
fn shortened(text: &str) -> String {
    let count = text.chars().count();
    if count <= 2 * SHOWN {
        return text.to_owned();
    }
    let first: String = text.chars().take(SHOWN).collect();
    let last: String = text.chars().skip(count - SHOWN).collect();
    format!("{first}…{last}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_a_long_text_is_left_out() {
        let (first, last) = ("ä".repeat(SHOWN), "é".repeat(SHOWN));
        assert_eq!(shortened(&format!("{first}{last}")), format!("{first}{last}"));
        assert_eq!(shortened(&format!("{first}+{last}")), format!("{first}…{last}"));
    }
}
