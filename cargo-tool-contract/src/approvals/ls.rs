//! `approvals ls`

use serde::Serialize;
use tool_contract_runtime::ledger::StateName;

use super::find::{self, Asked};
use super::view::Line;
use crate::End;
use crate::args::Requests;
use crate::operator::{Desk, Problem, text, time};
use crate::report::counted;

#[derive(Debug, Serialize)]
struct Document<'r> {
    requests: Vec<Line<'r>>,
    more: bool,
}

pub(super) async fn run(desk: &Desk, args: &Requests) -> Result<End, Problem> {
    // What is approved has not run yet, and may have been approved by nobody.
    let states = [StateName::AwaitingApproval, StateName::Approved];
    let stands = |asked: &Asked| asked.approval.expires_at > desk.now;
    let most = usize::from(args.limit);
    let mut found = find::all(desk, &states, stands, most + 1).await?;
    let more = found.len() > most;
    found.truncate(most);
    let document = Document { requests: found.iter().map(Line::of).collect(), more };
    desk.say(&document, || if found.is_empty() { nothing() } else { listed(desk, &found, more) })?;
    Ok(End::Fine)
}

fn nothing() -> String {
    "nothing waits for approval".to_owned()
}

fn listed(desk: &Desk, found: &[Asked], more: bool) -> String {
    let titles = ["REQUEST", "TOOL", "KEY", "TENANT", "ASKED BY", "AGREED", "EXPIRES"];
    let rows: Vec<Vec<String>> = found.iter().map(|asked| row(desk, asked)).collect();
    let mut out = text::table(&titles, &rows);
    out.push_str(&counted(found.len(), "request", "requests"));
    if more {
        out.push_str("; there are more: raise --limit");
    }
    format!("{out}\n`{} REQUEST` says what would run", desk.begin_in("approvals", "show"))
}

fn row(desk: &Desk, asked: &Asked) -> Vec<String> {
    let (id, approval) = (&asked.id, &asked.approval);
    vec![
        approval.id.to_string(),
        id.tool.to_string(),
        id.key.to_string(),
        id.tenant.as_ref().map(ToString::to_string).unwrap_or_default(),
        approval.requested_by.as_deref().unwrap_or_default().to_owned(),
        format!("{} of {}", approval.grants.len(), approval.quorum),
        time::relative(approval.expires_at, desk.now),
    ]
}
