//! Listing operations, over all tools.

use ::redis::cmd;
use tool_contract_spec::key::OperationId;

use super::answer::strange;
use super::keys;
use super::store::RedisStore;
use super::tools::KnownTool;
use crate::ledger::{LedgerError, Query, Record, StateName, Timestamp};

/// How many operations one script looks at: it keeps others waiting for so long.
const PAGE: usize = if cfg!(test) { 7 } else { 250 };

/// After all that a tenant or a key can begin with.
const END: char = '\u{7f}';

/// Which operations a script gives.
enum Wanted {
    All,
    /// Those in one of these states.
    In(Vec<StateName>),
    /// Those that are past their ttl.
    Over,
}

/// What one script gave.
struct Page {
    now: Timestamp,
    /// The last one that it looked at, if there may be more.
    last: Option<String>,
    found: Vec<(OperationId, Record)>,
}

impl RedisStore {
    /// Operations in the order of their ids.
    pub(super) async fn listing(
        &self,
        query: &Query,
    ) -> Result<Vec<(OperationId, Record)>, LedgerError> {
        let mut found = Vec::new();
        if query.states().is_some_and(|states| states.is_empty()) {
            return Ok(found);
        }
        let is_asked_for = |tool: &String| query.tool.as_ref().is_none_or(|asked| asked == tool);
        for tool in self.all_tools().await?.iter().filter(|tool| is_asked_for(tool)) {
            let tool = self.tool(tool).await?;
            self.listing_of(&tool, query, &mut found).await?;
            // No more than what may be given is kept between two tools.
            found.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
            found.truncate(query.bound());
        }
        Ok(found)
    }

    /// At most so many operations that are past their ttl.
    pub(super) async fn all_over(&self, most: usize) -> Result<Vec<OperationId>, LedgerError> {
        let mut over = Vec::new();
        for tool in self.all_tools().await? {
            let tool = self.tool(&tool).await?;
            let mut from = Some("-".to_owned());
            while let Some(start) = from.filter(|_| over.len() < most) {
                let range = [&*start, "+"];
                let page = self.page(&tool, &tool.keys.names(), range, &Wanted::Over).await?;
                let is_over = |(_, record): &(_, Record)| record.is_over(page.now);
                over.extend(page.found.into_iter().filter(is_over).map(|(id, _)| id));
                from = page.last;
            }
        }
        over.truncate(most);
        Ok(over)
    }

    async fn all_tools(&self) -> Result<Vec<String>, LedgerError> {
        self.line.ask(cmd("HKEYS").arg(self.keys.tools())).await
    }

    /// Adds the first operations of one tool.
    async fn listing_of(
        &self,
        tool: &KnownTool,
        query: &Query,
        found: &mut Vec<(OperationId, Record)>,
    ) -> Result<(), LedgerError> {
        let wanted = query.states().map_or(Wanted::All, Wanted::In);
        let index = query.states().and_then(|states| match states[..] {
            // What runs may be unknown by now, and is in no index.
            [state] if state != StateName::Unknown => tool.keys.noted(state),
            _ => None,
        });
        let index = index.unwrap_or_else(|| tool.keys.names());
        let (from, to) = range(&tool.name, query);
        let (mut from, mut left) = (Some(from), query.bound());
        while let Some(start) = from.filter(|_| left > 0) {
            let page = self.page(tool, &index, [&start, &to], &wanted).await?;
            let matches = |(id, record): &(_, _)| query.matches(id, record, page.now);
            let before = found.len();
            found.extend(page.found.into_iter().filter(matches).take(left));
            left -= found.len() - before;
            from = page.last;
        }
        Ok(())
    }

    async fn page(
        &self,
        tool: &KnownTool,
        index: &str,
        range: [&str; 2],
        wanted: &Wanted,
    ) -> Result<Page, LedgerError> {
        let which = match wanted {
            Wanted::All => String::new(),
            Wanted::In(states) => {
                states.iter().map(|state| state.as_str()).collect::<Vec<_>>().join(" ")
            }
            Wanted::Over => "over".to_owned(),
        };
        let call = tool.call(&self.scripts.list, &[tool.keys.meta(), index.to_owned()]);
        let call = call.arg(&range).arg(PAGE).arg(&which);
        let mut answer = self.line.run(call).await?;
        match &*answer.text()? {
            "listed" => {}
            "lost" => return Err(tool.lost(&self.line, &mut answer)),
            other => return Err(strange(&format!("`{other}` to a listing"))),
        }
        let (now, looked_at, last) = (answer.time()?, answer.number::<usize>()?, answer.text()?);
        let mut found = Vec::new();
        while !answer.is_empty() {
            let name = answer.text()?;
            let id = keys::id_of(&tool.name, &name)
                .ok_or_else(|| strange(&format!("the name `{name}`")))?;
            let record = answer.json(&format!("the record of {id}"))?;
            found.push((id, record));
        }
        Ok(Page { now, last: (looked_at == PAGE).then(|| format!("({last}")), found })
    }
}

/// From where to where the names of a tool may match, as Redis has it.
fn range(tool: &str, query: &Query) -> (String, String) {
    let from = match &query.after {
        // Ids are ordered by tenant, tool and key.
        Some(after) if *after.tool == *tool => format!("({}", keys::name(after)),
        Some(after) if *after.tool < *tool => {
            format!("[{} ", keys::tenant(after.tenant.as_ref()))
        }
        Some(after) => format!("({} {END}", keys::tenant(after.tenant.as_ref())),
        None => "-".to_owned(),
    };
    let Some(tenant) = &query.tenant else { return (from, "+".to_owned()) };
    let first = format!("[{tenant} ");
    let from = if from == "-" || from[1..] < first[1..] { first } else { from };
    (from, format!("[{tenant} {END}"))
}
