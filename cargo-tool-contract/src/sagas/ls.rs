//! `sagas ls`

use serde::Serialize;
use tool_contract_runtime::ledger::{Pages, Query, StateName};
use tool_contract_spec::duration;

use super::story::Told;
use crate::End;
use crate::args::{Among, SagaList};
use crate::ledger::stand;
use crate::ledger::view::Line;
use crate::operator::find::Owners;
use crate::operator::{Desk, Problem, listing, time};

#[derive(Debug, Serialize)]
struct Document<'r> {
    sagas: Vec<Listed<'r>>,
    next: Option<String>,
}

#[derive(Debug, Serialize)]
struct Listed<'r> {
    #[serde(flatten)]
    line: Line<'r>,
    saga: &'static str,
    steps: usize,
    undone: usize,
}

impl<'r> Listed<'r> {
    fn of(desk: &Desk, story: &'r Told) -> Self {
        Self {
            line: Line::of(&story.id, &story.record, desk.now),
            saga: story.word(),
            steps: story.steps.len(),
            undone: story.undone(),
        }
    }
}

pub(super) async fn run(desk: &Desk, args: &SagaList) -> Result<End, Problem> {
    let found = find(desk, args).await?;
    let next = args.page.next(found.len(), found.last().map(|story| &story.id));
    let told = listed(desk, &found, next.as_deref());
    let sagas = found.iter().map(|story| Listed::of(desk, story)).collect();
    desk.say(&Document { sagas, next }, || told)?;
    Ok(End::Fine)
}

/// The sagas of each tenant's tools, one tool after the other; those of a tool that
/// is no saga are skipped.
async fn find(desk: &Desk, args: &SagaList) -> Result<Vec<Told>, Problem> {
    let (query, most) = (args.page.query(), args.page.most());
    let Query { tool, tenant, after, .. } = query.clone();
    let among = Among { tool, tenant, no_tenant: false };
    let (mut owners, mut found) = (Owners::among(&among), Vec::new());
    while let Some((owner, first)) = owners.next(&*desk.ledger).await? {
        let is_before = after
            .as_ref()
            .is_some_and(|after| (&owner.tenant, &owner.tool) < (&after.tenant, &after.tool));
        if !first.terms.saga || is_before {
            continue;
        }
        let mut pages = Pages::of(
            &*desk.ledger,
            Query {
                tenant: owner.tenant.clone(),
                tool: Some(owner.tool.to_string()),
                state: args.resting.then_some(StateName::Unknown),
                ..query.clone()
            },
        );
        while found.len() < most
            && let Some(page) = pages.next().await?
        {
            // A listing without a tenant has those of every tenant.
            let own = page.into_iter().filter(|(id, _)| id.tenant == owner.tenant);
            for (id, record) in own.filter(|(_, record)| record.terms.saga) {
                found.push(Told::read(&*desk.ledger, id, record, desk.now).await?);
            }
        }
    }
    found.truncate(most);
    Ok(found)
}

fn listed(desk: &Desk, found: &[Told], next: Option<&str>) -> String {
    if found.is_empty() {
        return "no sagas".to_owned();
    }
    let titles =
        ["SAGA", "KEY", "TENANT", "STATE", "STEPS", "UNDONE", "SINCE", "AGE", "ESCALATION"];
    let rows: Vec<Vec<String>> = found.iter().map(|story| row(desk, story)).collect();
    let out = listing::listed(&titles, &rows, ("saga", "sagas"), next);
    format!("{out}\n`{} KEY` shows the steps of one", desk.begin_in("sagas", "show"))
}

fn row(desk: &Desk, story: &Told) -> Vec<String> {
    let since = stand::since(&story.record, desk.now);
    let undone = story.undone();
    let [tool, key, tenant] = listing::cells(&story.id);
    vec![
        tool,
        key,
        tenant,
        story.word().to_owned(),
        story.steps.len().to_string(),
        if undone == 0 { String::new() } else { undone.to_string() },
        time::utc(since),
        duration::passed(desk.now.since(since)),
        story.record.escalation.as_ref().map(ToString::to_string).unwrap_or_default(),
    ]
}
