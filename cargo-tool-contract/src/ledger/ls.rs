//! `ledger ls`

use serde::Serialize;
use tool_contract_runtime::ledger::{Query, Record, StateName};
use tool_contract_spec::key::OperationId;

use super::stand;
use super::view::Line;
use crate::End;
use crate::args::List;
use crate::operator::find::{Pages, meant};
use crate::operator::{Desk, Problem, name, text, time};
use crate::report::counted;

type Found = Vec<(OperationId, Record)>;

#[derive(Debug, Serialize)]
struct Document<'r> {
    operations: Vec<Line<'r>>,
    next: Option<String>,
}

pub(super) async fn run(desk: &Desk, args: &List) -> Result<End, Problem> {
    let most = usize::from(args.limit);
    let query = Query {
        tenant: args.tenant.clone(),
        tool: args.tool.clone(),
        state: args.state,
        escalated: false,
        after: args.after.clone(),
        limit: most,
    };
    let found = if args.attention {
        attention(desk, query).await?
    } else {
        desk.ledger.list(query).await?
    };
    let next = found.last().filter(|_| found.len() == most && !args.attention);
    let next = next.map(|(id, _)| name::write(id));
    let hint = match &args.tool {
        Some(tool) if found.is_empty() => meant(desk, tool).await?,
        _ => None,
    };
    let document = Document {
        operations: found.iter().map(|(id, record)| Line::of(id, record, desk.now)).collect(),
        next: next.clone(),
    };
    desk.say(&document, || {
        if found.is_empty() { nothing(args, hint) } else { listed(desk, args, &found, next) }
    })?;
    Ok(End::Fine)
}

/// What waits for a person: escalations first, then requests for approval.
async fn attention(desk: &Desk, query: Query) -> Result<Found, Problem> {
    let mut found = Vec::new();
    let escalated = Query { escalated: true, limit: 0, ..query.clone() };
    let awaiting = Query { state: Some(StateName::AwaitingApproval), limit: 0, ..query.clone() };
    for asked in [escalated, awaiting] {
        let mut pages = Pages::of(asked);
        while found.len() < query.limit
            && let Some(page) = pages.next(&*desk.ledger).await?
        {
            found.extend(page.into_iter().filter(|(_, record)| stand::waits(record, desk.now)));
        }
    }
    found.truncate(query.limit);
    Ok(found)
}

fn nothing(args: &List, hint: Option<String>) -> String {
    let nothing = if args.attention { "nothing waits for a person" } else { "no operations" };
    let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
    text::plain(&format!("{nothing}{hint}"))
}

fn listed(desk: &Desk, args: &List, found: &Found, next: Option<String>) -> String {
    let titles = ["TOOL", "KEY", "TENANT", "STATE", "ATTEMPTS", "SINCE", "AGE", "ESCALATION"];
    let rows: Vec<Vec<String>> = found.iter().map(|(id, record)| row(desk, id, record)).collect();
    let mut out = text::table(&titles, &rows);
    out.push_str(&counted(found.len(), "operation", "operations"));
    if let Some(next) = next {
        out.push_str("; there may be more: add --after ");
        out.push_str(&text::quoted(&next));
    } else if args.attention && found.len() == usize::from(args.limit) {
        out.push_str("; there may be more: raise --limit");
    }
    if args.attention {
        out = format!("{out}\n`{} KEY` says what would resolve one", desk.begin("show"));
    }
    out
}

fn row(desk: &Desk, id: &OperationId, record: &Record) -> Vec<String> {
    let since = stand::since(record, desk.now);
    vec![
        id.tool.to_string(),
        id.key.to_string(),
        id.tenant.as_ref().map(ToString::to_string).unwrap_or_default(),
        stand::word(record, desk.now),
        record.attempts.to_string(),
        time::utc(since),
        time::span(desk.now.since(since)),
        record.escalation.as_ref().map(ToString::to_string).unwrap_or_default(),
    ]
}
