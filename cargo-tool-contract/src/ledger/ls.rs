//! `ledger ls`

use serde::Serialize;
use tool_contract_runtime::ledger::{Pages, Query, Record, StateName};
use tool_contract_spec::duration;
use tool_contract_spec::key::OperationId;

use super::stand;
use super::view::Line;
use crate::End;
use crate::args::List;
use crate::operator::{Desk, Problem, listing, time};

type Found = Vec<(OperationId, Record)>;

#[derive(Debug, Serialize)]
struct Document<'r> {
    operations: Vec<Line<'r>>,
    next: Option<String>,
}

pub(super) async fn run(desk: &Desk, args: &List) -> Result<End, Problem> {
    let query = Query { state: args.state, ..args.page.query() };
    let found = if args.attention {
        attention(desk, query).await?
    } else {
        desk.ledger.list(query).await?
    };
    let last = found.last().map(|(id, _)| id).filter(|_| !args.attention);
    let next = args.page.next(found.len(), last);
    let nothing = if args.attention { "nothing waits for a person" } else { "no operations" };
    let told = if found.is_empty() {
        args.page.nothing(desk, nothing).await?
    } else {
        listed(desk, args, &found, next.as_deref())
    };
    let operations = found.iter().map(|(id, record)| Line::of(id, record, desk.now)).collect();
    desk.say(&Document { operations, next }, || told)?;
    Ok(End::Fine)
}

/// What waits for a person: escalations first, then requests for approval.
async fn attention(desk: &Desk, query: Query) -> Result<Found, Problem> {
    let mut found = Vec::new();
    let escalated = Query { escalated: true, limit: 0, ..query.clone() };
    let awaiting = Query { state: Some(StateName::AwaitingApproval), limit: 0, ..query.clone() };
    for asked in [escalated, awaiting] {
        let mut pages = Pages::of(&*desk.ledger, asked);
        while found.len() < query.limit
            && let Some(page) = pages.next().await?
        {
            found.extend(page.into_iter().filter(|(_, record)| stand::waits(record, desk.now)));
        }
    }
    found.truncate(query.limit);
    Ok(found)
}

fn listed(desk: &Desk, args: &List, found: &Found, next: Option<&str>) -> String {
    let titles = ["TOOL", "KEY", "TENANT", "STATE", "ATTEMPTS", "SINCE", "AGE", "ESCALATION"];
    let rows: Vec<Vec<String>> = found.iter().map(|(id, record)| row(desk, id, record)).collect();
    let mut out = listing::listed(&titles, &rows, ("operation", "operations"), next);
    if args.attention {
        if found.len() == args.page.most() {
            out.push_str("; there may be more: raise --limit");
        }
        out = format!("{out}\n`{} KEY` says what would resolve one", desk.begin("show"));
    }
    out
}

fn row(desk: &Desk, id: &OperationId, record: &Record) -> Vec<String> {
    let since = stand::since(record, desk.now);
    let [tool, key, tenant] = listing::cells(id);
    vec![
        tool,
        key,
        tenant,
        stand::word(record, desk.now),
        record.attempts.to_string(),
        time::utc(since),
        duration::passed(desk.now.since(since)),
        record.escalation.as_ref().map(ToString::to_string).unwrap_or_default(),
    ]
}
