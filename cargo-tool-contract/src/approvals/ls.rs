//! `approvals ls`

use serde::Serialize;
use tool_contract_runtime::ledger::{StateName, Trust};

use super::find::{self, Asked};
use super::standing::Standing;
use super::view::Line;
use super::{key, view};
use crate::End;
use crate::args::Requests;
use crate::operator::{Desk, Problem, listing, time};

#[derive(Debug, Serialize)]
struct Document<'r> {
    requests: Vec<Line<'r>>,
    more: bool,
}

pub(super) async fn run(desk: &Desk, args: &Requests) -> Result<End, Problem> {
    let trust = key::trust(&args.trusted)?;
    let trust = trust.as_ref();
    // What is approved has not run yet, and may have been approved by nobody.
    let states = [StateName::AwaitingApproval, StateName::Approved];
    let stands = |asked: &Asked| asked.approval.expires_at > desk.now;
    let most = usize::from(args.limit);
    let mut found = find::all(desk, &states, stands, most + 1).await?;
    let more = found.len() > most;
    found.truncate(most);
    let requests = found.iter().map(|asked| Line::of(asked, desk, trust)).collect();
    desk.say(&Document { requests, more }, || listed(desk, &found, trust, more))?;
    Ok(End::Fine)
}

fn listed(desk: &Desk, found: &[Asked], trust: Option<&Trust>, more: bool) -> String {
    if found.is_empty() {
        return "nothing waits for approval".to_owned();
    }
    let titles = ["REQUEST", "TOOL", "KEY", "TENANT", "ASKED BY", "AGREED", "STATE", "EXPIRES"];
    let rows: Vec<Vec<String>> = found.iter().map(|asked| row(desk, asked, trust)).collect();
    let mut out = listing::listed(&titles, &rows, ("request", "requests"), None);
    if more {
        out.push_str("; there are more: raise --limit");
    }
    if trust.is_none() && found.iter().any(|asked| !asked.approval.grants.is_empty()) {
        out.push('\n');
        out.push_str(key::UNTOLD);
    }
    format!("{out}\n`{} REQUEST` says what would run", desk.begin_in("approvals", "show"))
}

fn row(desk: &Desk, asked: &Asked, trust: Option<&Trust>) -> Vec<String> {
    let approval = &asked.approval;
    let [tool, key, tenant] = listing::cells(&asked.id);
    vec![
        approval.id.to_string(),
        tool,
        key,
        tenant,
        approval.requested_by.as_deref().unwrap_or_default().to_owned(),
        agreed(desk, asked, trust),
        Standing::of(asked, desk, trust).word().to_owned(),
        time::relative(approval.expires_at, desk.now),
    ]
}

/// How many of those who must have agreed; what was not checked is none of them.
fn agreed(desk: &Desk, asked: &Asked, trust: Option<&Trust>) -> String {
    let quorum = asked.approval.quorum;
    match (view::agreed(asked, desk, trust), asked.approval.grants.len()) {
        (Some(agreed), _) => format!("{agreed} of {quorum}"),
        (None, 0) => format!("0 of {quorum}"),
        (None, unchecked) => format!("0 of {quorum} ({unchecked} not checked)"),
    }
}
