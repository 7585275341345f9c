//! A listing, page by page.

use std::fmt;

use tool_contract_spec::key::OperationId;
use tool_contract_spec::ledger::Record;

use super::{Ledger, LedgerError, Query};

/// All that a [`Query`] asks for, page by page.
///
/// ```
/// # use tool_contract_runtime as tool_contract;
/// use tool_contract::ledger::{Ledger, LedgerError, Pages, Query};
///
/// async fn count(ledger: &dyn Ledger) -> Result<usize, LedgerError> {
///     let (mut pages, mut count) = (Pages::of(ledger, Query::default()), 0);
///     while let Some(page) = pages.next().await? {
///         count += page.len();
///     }
///     Ok(count)
/// }
/// ```
pub struct Pages<'l> {
    ledger: &'l dyn Ledger,
    query: Query,
    is_done: bool,
}

impl<'l> Pages<'l> {
    /// Those of a ledger; each has as many operations as the query's limit says.
    #[must_use]
    pub const fn of(ledger: &'l dyn Ledger, query: Query) -> Self {
        Self { ledger, query, is_done: false }
    }

    /// The next page, if there is one. It may be empty.
    ///
    /// # Errors
    /// If the ledger cannot be asked; the same page can be asked for again.
    pub async fn next(&mut self) -> Result<Option<Vec<(OperationId, Record)>>, LedgerError> {
        if self.is_done {
            return Ok(None);
        }
        let page = self.ledger.list(self.query.clone()).await?;
        self.is_done = page.len() < self.query.bound();
        self.query.after = page.last().map(|(id, _)| id.clone());
        Ok(Some(page))
    }
}

impl fmt::Debug for Pages<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("query", &self.query).finish_non_exhaustive()
    }
}
