//! A page of a list: what to look for, what there is, and where it goes on.

use tool_contract_runtime::ledger::Query;
use tool_contract_spec::key::OperationId;

use super::{Desk, Problem, find, text};
use crate::args::Page;
use crate::report::counted;

impl Page {
    /// What to ask the ledger for.
    pub(crate) fn query(&self) -> Query {
        Query {
            tenant: self.tenant.clone(),
            tool: self.tool.clone(),
            after: self.after.clone(),
            limit: self.most(),
            ..Query::default()
        }
    }

    pub(crate) fn most(&self) -> usize {
        usize::from(self.limit)
    }

    /// Where the next page begins, if this one, which ends with `last`, is full.
    pub(crate) fn next(&self, found: usize, last: Option<&OperationId>) -> Option<String> {
        last.filter(|_| found == self.most()).map(OperationId::path)
    }

    /// That nothing was found; and what was meant, where a tool is named that the
    /// ledger does not know.
    pub(crate) async fn nothing(&self, desk: &Desk, nothing: &str) -> Result<String, Problem> {
        let hint = match &self.tool {
            Some(tool) => find::meant(desk, tool).await?,
            None => None,
        };
        let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
        Ok(text::plain(&format!("{nothing}{hint}")))
    }
}

/// What a list shows of which operation it is: under TOOL, KEY and TENANT.
pub(crate) fn cells(id: &OperationId) -> [String; 3] {
    let tenant = id.tenant.as_ref().map(ToString::to_string);
    [id.tool.to_string(), id.key.to_string(), tenant.unwrap_or_default()]
}

/// A list, how many there are of `one` or `many`, and how to get at the rest.
pub(crate) fn listed(
    titles: &[&str],
    rows: &[Vec<String>],
    (one, many): (&str, &str),
    next: Option<&str>,
) -> String {
    let mut out = text::table(titles, rows);
    out.push_str(&counted(rows.len(), one, many));
    if let Some(next) = next {
        out.push_str("; there may be more: add --after ");
        out.push_str(&text::quoted(next));
    }
    out
}
