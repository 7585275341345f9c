//! Which operation a key means.

use std::sync::Arc;

use tool_contract_runtime::Escalations;
use tool_contract_runtime::ledger::{EscalationId, Ledger, Query, Record};
use tool_contract_spec::key::{IdempotencyKey, LONGEST_KEY, OperationId};
use tool_contract_spec::rulebook::suggest;

use super::{Desk, Kind, Problem};
use crate::args::Among;
use crate::ledger::stand;

/// How many operations with one key are named.
const MOST_NAMED: usize = 10;

/// The one operation that has this key, or whose escalation is called so.
pub(crate) async fn one(
    desk: &Desk,
    key: &IdempotencyKey,
    among: &Among,
) -> Result<(OperationId, Record), Problem> {
    if let Some(found) = escalated(desk, key).await? {
        return Ok(found);
    }
    let mut found = Vec::new();
    let mut owners = Owners::among(among);
    while let Some((owner, _)) = owners.next(&*desk.ledger).await? {
        let id = OperationId { key: key.clone(), ..owner };
        if let Some(record) = desk.ledger.find(id.clone()).await? {
            found.push((id, record));
        }
        if found.len() > MOST_NAMED {
            break;
        }
    }
    match found.len() {
        0 => Err(not_found(desk, key, among).await?),
        1 => Ok(found.remove(0)),
        _ => Err(ambiguous(key, &found)),
    }
}

/// The operation whose escalation is called so.
async fn escalated(
    desk: &Desk,
    word: &IdempotencyKey,
) -> Result<Option<(OperationId, Record)>, Problem> {
    if !word.as_str().starts_with("esc_") {
        return Ok(None);
    }
    let queue = Escalations::of(Arc::clone(&desk.ledger));
    let found = queue.find(&EscalationId(word.as_str().into())).await?;
    Ok(found.map(|found| (found.operation, found.record)))
}

/// Who owns operations: each tenant's tools, one after the other. It skips from
/// one to the next, however many operations each has.
pub(crate) struct Owners {
    query: Query,
    no_tenant: bool,
}

impl Owners {
    pub(crate) fn among(among: &Among) -> Self {
        let query = Query {
            tenant: among.tenant.clone(),
            tool: among.tool.clone(),
            limit: 1,
            ..Query::default()
        };
        Self { query, no_tenant: among.no_tenant }
    }

    /// The next one, with the first of its operations.
    pub(crate) async fn next(
        &mut self,
        ledger: &dyn Ledger,
    ) -> Result<Option<(OperationId, Record)>, Problem> {
        let Some((id, record)) = ledger.list(self.query.clone()).await?.pop() else {
            return Ok(None);
        };
        if self.no_tenant && id.tenant.is_some() {
            // Those without come first.
            return Ok(None);
        }
        // No key is greater.
        let key = IdempotencyKey::new("~".repeat(LONGEST_KEY)).map_err(|error| {
            Problem::new(Kind::Ledger, format!("a key of {LONGEST_KEY} bytes: {error}"))
        })?;
        self.query.after = Some(OperationId { key, ..id.clone() });
        Ok(Some((id, record)))
    }
}

async fn not_found(desk: &Desk, key: &IdempotencyKey, among: &Among) -> Result<Problem, Problem> {
    let mut whose = among.tool.as_ref().map(|tool| format!(" of `{tool}`")).unwrap_or_default();
    if let Some(tenant) = &among.tenant {
        whose = format!("{whose} of the tenant `{tenant}`");
    } else if among.no_tenant {
        whose.push_str(" without a tenant");
    }
    let problem =
        Problem::new(Kind::NotFound, format!("the ledger knows no operation `{key}`{whose}"));
    let help = match &among.tool {
        Some(tool) => meant(desk, tool).await?,
        None => None,
    };
    Ok(problem.help(help.unwrap_or_else(|| format!("`{}` lists what it knows", desk.begin("ls")))))
}

/// What to say of a tool that has no operation in this ledger.
pub(crate) async fn meant(desk: &Desk, tool: &str) -> Result<Option<String>, Problem> {
    let tools = tools(desk).await?;
    if tools.iter().any(|known| known == tool) {
        return Ok(None);
    }
    let likely = suggest::likely(tool, tools.iter().map(String::as_str));
    Ok(Some(match likely {
        Some(meant) => format!("it has no tool `{tool}`; did you mean `{meant}`?"),
        None if tools.is_empty() => "it is empty".to_owned(),
        None => format!("it has no tool `{tool}`; it has {}", tools.join(", ")),
    }))
}

async fn tools(desk: &Desk) -> Result<Vec<String>, Problem> {
    let mut tools: Vec<String> = Vec::new();
    let mut owners = Owners::among(&Among::default());
    while let Some((owner, _)) = owners.next(&*desk.ledger).await? {
        tools.push(owner.tool.into_owned());
    }
    tools.sort();
    tools.dedup();
    Ok(tools)
}

fn ambiguous(key: &IdempotencyKey, found: &[(OperationId, Record)]) -> Problem {
    let named: Vec<String> = found
        .iter()
        .take(MOST_NAMED)
        .map(|(id, record)| {
            let tenant = match &id.tenant {
                Some(tenant) => format!("--tenant {tenant}"),
                None => "--no-tenant".to_owned(),
            };
            format!("--tool {} {tenant} ({})", id.tool, stand::name(record))
        })
        .collect();
    let more = if found.len() > MOST_NAMED { "\n    …" } else { "" };
    Problem::new(Kind::Ambiguous, format!("several operations have the key `{key}`"))
        .help(format!("say which:\n    {}{more}", named.join("\n    ")))
}
