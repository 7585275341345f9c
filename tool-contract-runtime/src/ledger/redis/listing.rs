//! Listing operations, over all tools.

use ::redis::cmd;
use tool_contract_spec::key::OperationId;

use super::answer::strange;
use super::keys;
use super::line::ScriptCall;
use super::store::RedisStore;
use super::tools::KnownTool;
use crate::ledger::{LedgerError, Query, Record};

/// How many operations are fetched at once.
const PAGE: usize = 100;

/// After all that a tenant or a key can begin with.
const END: char = '\u{7f}';

impl RedisStore {
    /// Operations in the order of their ids.
    pub(super) async fn listing(
        &self,
        query: &Query,
    ) -> Result<Vec<(OperationId, Record)>, LedgerError> {
        let mut found = Vec::new();
        for tool in self.tools_of(query).await? {
            let tool = self.tool(&tool).await?;
            self.listing_of(&tool, query, &mut found).await?;
            // No more than what may be given is kept between two tools.
            found.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
            found.truncate(query.bound());
        }
        Ok(found)
    }

    async fn tools_of(&self, query: &Query) -> Result<Vec<String>, LedgerError> {
        let known: Vec<String> = self.line.ask(cmd("HKEYS").arg(self.keys.tools())).await?;
        let is_wanted = |tool: &String| query.tool.as_ref().is_none_or(|wanted| wanted == tool);
        Ok(known.into_iter().filter(is_wanted).collect())
    }

    /// Adds the first operations of one tool.
    async fn listing_of(
        &self,
        tool: &KnownTool,
        query: &Query,
        found: &mut Vec<(OperationId, Record)>,
    ) -> Result<(), LedgerError> {
        let noted = query.state.and_then(|state| tool.keys.noted(state));
        let index = noted.unwrap_or_else(|| tool.keys.names());
        let (mut from, to) = range(&tool.name, query);
        let mut wanted = query.bound();
        while wanted > 0 {
            let page = self.page(tool, &index, [&from, &to]).await?;
            let is_last = page.len() < PAGE;
            for (name, record) in page {
                from = format!("({name}");
                let id = keys::id_of(&tool.name, &name)
                    .ok_or_else(|| strange(&format!("the name `{name}`")))?;
                if wanted > 0 && query.matches(&id, &record) {
                    found.push((id, record));
                    wanted -= 1;
                }
            }
            if is_last {
                break;
            }
        }
        Ok(())
    }

    async fn page(
        &self,
        tool: &KnownTool,
        index: &str,
        range: [&str; 2],
    ) -> Result<Vec<(String, Record)>, LedgerError> {
        let mut arguments = tool.known().to_vec();
        arguments.push(tool.keys.tag().to_owned());
        arguments.extend(range.map(str::to_owned));
        arguments.push(PAGE.to_string());
        let names = vec![tool.keys.meta(), index.to_owned()];
        let mut answer =
            self.line.run(ScriptCall::new(&self.scripts.list, names, arguments)).await?;
        match &*answer.text()? {
            "listed" => {}
            "lost" => return Err(tool.lost(&self.line, &mut answer)),
            other => return Err(strange(&format!("`{other}` to a listing"))),
        }
        let mut page = Vec::with_capacity(PAGE);
        while !answer.is_empty() {
            let name = answer.text()?;
            let record = answer.json(&format!("the record of `{name}` of `{}`", tool.name))?;
            page.push((name, record));
        }
        Ok(page)
    }
}

/// From where to where the names of a tool may match, as Redis has it.
fn range(tool: &str, query: &Query) -> (String, String) {
    let whose = query.tenant.as_ref().map(|tenant| keys::tenant(Some(tenant)));
    let from = match &query.after {
        // Ids are ordered by tenant, tool and key.
        Some(after) if *after.tool == *tool => format!("({}", keys::name(after)),
        Some(after) if *after.tool < *tool => {
            format!("[{} ", keys::tenant(after.tenant.as_ref()))
        }
        Some(after) => format!("({} {END}", keys::tenant(after.tenant.as_ref())),
        None => "-".to_owned(),
    };
    let Some(whose) = whose else { return (from, "+".to_owned()) };
    let first = format!("[{whose} ");
    let from = if from == "-" || from[1..] < first[1..] { first } else { from };
    (from, format!("[{whose} {END}"))
}
