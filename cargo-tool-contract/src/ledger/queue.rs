//! `escalations ls`: what only a person's word moves on.

use std::sync::Arc;

use serde::Serialize;
use tool_contract_runtime::ledger::StateName;
use tool_contract_runtime::{Escalation, Escalations};
use tool_contract_spec::duration;

use super::stand;
use super::view::{Name, Stored};
use crate::End;
use crate::args::Page;
use crate::operator::{Desk, Problem, listing, time};

/// How much of a cause a list shows, in characters.
const SHOWN: usize = 60;

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
    let found = Escalations::of(Arc::clone(&desk.ledger)).list(page.query()).await?;
    let next = page.next(found.len(), found.last().map(|last| &last.operation));
    let told = if found.is_empty() {
        page.nothing(desk, "nothing waits for a person's word").await?
    } else {
        listed(desk, &found, next.as_deref())
    };
    let escalations = found.iter().map(|each| line(desk, each)).collect();
    desk.say(&Document { escalations, next }, || told)?;
    Ok(End::Fine)
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
    let is_long = cause.chars().count() > SHOWN;
    let shown: String = cause.chars().take(SHOWN).collect();
    vec![
        each.id.to_string(),
        tool,
        key,
        tenant,
        stand::name(record).to_owned(),
        duration::passed(desk.now.since(stand::since(record, desk.now))),
        if is_long { format!("{shown}…") } else { shown },
    ]
}
