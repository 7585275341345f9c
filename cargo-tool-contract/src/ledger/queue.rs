//! `escalations ls`: what only a person's word moves on.

use serde::Serialize;
use std::sync::Arc;

use tool_contract_runtime::ledger::{Query, StateName};
use tool_contract_runtime::{Escalation, Escalations};

use super::stand;
use super::view::{Name, Stored};
use crate::End;
use crate::args::Waiting;
use crate::operator::find::meant;
use crate::operator::{Desk, Problem, name, text, time};
use crate::report::counted;

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

pub(super) async fn run(desk: &Desk, args: &Waiting) -> Result<End, Problem> {
    let most = usize::from(args.limit);
    let query = Query {
        tenant: args.tenant.clone(),
        tool: args.tool.clone(),
        after: args.after.clone(),
        limit: most,
        ..Query::default()
    };
    let found = Escalations::of(Arc::clone(&desk.ledger)).list(query).await?;
    let next = found.last().filter(|_| found.len() == most);
    let next = next.map(|last| name::write(&last.operation));
    let hint = match &args.tool {
        Some(tool) if found.is_empty() => meant(desk, tool).await?,
        _ => None,
    };
    let escalations = found.iter().map(|each| line(desk, each)).collect();
    let document = Document { escalations, next: next.clone() };
    desk.say(&document, || match &*found {
        [] => nothing(hint),
        found => listed(desk, found, next),
    })?;
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

fn nothing(hint: Option<String>) -> String {
    let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
    text::plain(&format!("nothing waits for a person's word{hint}"))
}

fn listed(desk: &Desk, found: &[Escalation], next: Option<String>) -> String {
    let titles = ["ESCALATION", "TOOL", "KEY", "TENANT", "STATE", "AGE", "CAUSE"];
    let rows: Vec<Vec<String>> = found.iter().map(|each| row(desk, each)).collect();
    let mut out = text::table(&titles, &rows);
    out.push_str(&counted(found.len(), "escalation", "escalations"));
    if let Some(next) = next {
        out.push_str("; there may be more: add --after ");
        out.push_str(&text::quoted(&next));
    }
    let show = desk.begin_in("escalations", "show");
    format!("{out}\n`{show} ESCALATION` tells the whole story, and what would resolve it")
}

fn row(desk: &Desk, each: &Escalation) -> Vec<String> {
    let (id, record, cause) = (&each.operation, &each.record, each.cause());
    let is_long = cause.chars().count() > SHOWN;
    let shown: String = cause.chars().take(SHOWN).collect();
    vec![
        each.id.to_string(),
        id.tool.to_string(),
        id.key.to_string(),
        id.tenant.as_ref().map(ToString::to_string).unwrap_or_default(),
        record.state.name().to_string(),
        time::span(desk.now.since(stand::since(record, desk.now))),
        if is_long { format!("{shown}…") } else { shown },
    ]
}
