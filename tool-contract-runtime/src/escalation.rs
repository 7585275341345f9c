//! The queue of what only a person's word moves on.
//!
//! In it rest outcomes that are unknown, and keys that have had all their
//! attempts, until somebody says what happened, gives them up, or lets them run
//! again. Not in it is a key that might be tried once and failed once without
//! effect: its caller knows all that there is to know, and there is nothing to
//! find out. A compensation is an operation like any other, so one that failed is
//! in the queue, too.

use std::fmt;
use std::sync::Arc;

use tool_contract_spec::key::OperationId;
use tool_contract_spec::ledger::{
    EscalationId, Event, Fence, Reconciled, Record, Resolution, Resolved, State,
};

use crate::ledger::{Ledger, LedgerError, Pages, Query};
use crate::saga::Story;

/// The queue of what only a person's word moves on: for people who build a desk
/// of their own. `tool-contract escalations` is one for the terminal.
///
/// ```
/// # use tool_contract_runtime as tool_contract;
/// use tool_contract::ledger::{LedgerError, Query, Resolved};
/// use tool_contract::Runtime;
///
/// async fn give_up_all(runtime: &Runtime, tool: &str) -> Result<(), LedgerError> {
///     let queue = runtime.escalations();
///     let of_tool = Query { tool: Some(tool.to_owned()), ..Query::default() };
///     for waiting in queue.list(of_tool).await? {
///         println!("{}: {}", waiting.operation, waiting.cause());
///         queue.resolve(&waiting, Resolved::Abandoned, "ada", "the campaign is over").await?;
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Escalations {
    ledger: Option<Arc<dyn Ledger>>,
}

/// What waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Escalation {
    /// Its name.
    pub id: EscalationId,
    /// Which operation: tool, tenant and key.
    pub operation: OperationId,
    /// What is known of it; its arguments are without their secrets.
    pub record: Record,
}

impl Escalation {
    /// Why it is here.
    #[must_use]
    pub fn cause(&self) -> String {
        match &self.record.state {
            State::Unknown(unknown) => unknown.cause.to_string(),
            _ if self.record.attempts < self.record.terms.max_total => {
                "it failed without effect, and for good".to_owned()
            }
            _ => format!("it failed without effect in all its {} attempts", self.record.attempts),
        }
    }
}

impl Escalations {
    /// The queue of a ledger.
    #[must_use]
    pub fn of(ledger: Arc<dyn Ledger>) -> Self {
        Self { ledger: Some(ledger) }
    }

    /// That of a runtime; without a ledger nothing ever waits.
    pub(crate) fn within(ledger: Option<&Arc<dyn Ledger>>) -> Self {
        Self { ledger: ledger.cloned() }
    }

    /// What waits of that which `query` asks for, in the order of the operations;
    /// the next page is [`after`](Query::after) the last of these.
    ///
    /// An operation whose holder vanished unseen is recorded as unknown first, so
    /// that it has a name.
    ///
    /// # Errors
    /// If the ledger cannot be asked.
    pub async fn list(&self, query: Query) -> Result<Vec<Escalation>, LedgerError> {
        let Some(ledger) = &self.ledger else { return Ok(Vec::new()) };
        let mut waiting = Vec::new();
        for (id, record) in ledger.list(Query { escalated: true, ..query }).await? {
            waiting.extend(named(&**ledger, id, record).await?);
        }
        Ok(waiting)
    }

    /// The one of this name, if it still waits. It looks through the queue.
    ///
    /// # Errors
    /// If the ledger cannot be asked.
    pub async fn find(&self, id: &EscalationId) -> Result<Option<Escalation>, LedgerError> {
        let Some(ledger) = &self.ledger else { return Ok(None) };
        let mut pages = Pages::of(&**ledger, Query { escalated: true, ..Query::default() });
        while let Some(page) = pages.next().await? {
            for (operation, record) in page {
                let found = named(&**ledger, operation, record).await?;
                if let Some(found) = found.filter(|found| found.id == *id) {
                    return Ok(Some(found));
                }
            }
        }
        Ok(None)
    }

    /// All that happened to it, oldest first; [`Event::attempts`] has each attempt
    /// with its time, class and error, what the policy decided, and why.
    ///
    /// # Errors
    /// If the ledger cannot be asked.
    pub async fn history(&self, escalation: &Escalation) -> Result<Vec<Event>, LedgerError> {
        let Some(ledger) = &self.ledger else { return Ok(Vec::new()) };
        ledger.history(escalation.operation.clone()).await
    }

    /// What a person has to see to before it can go on: of a saga, its steps and what
    /// undoes them, if it rests for one, and else nothing; of anything else, itself.
    ///
    /// # Errors
    /// If the ledger cannot be asked.
    pub async fn waits_for(
        &self,
        escalation: &Escalation,
    ) -> Result<Vec<OperationId>, LedgerError> {
        let Escalation { operation, record, .. } = escalation.clone();
        match &self.ledger {
            Some(ledger) if record.terms.saga => {
                Ok(Story::read(&**ledger, operation, record).await?.waits_for())
            }
            _ => Ok(vec![operation]),
        }
    }

    /// A person's word on it: who says what, and why. It counts only if the
    /// operation still waits under this very name; the answer says whether it
    /// does. Of a saga only what it came to can be said: its steps are what a person
    /// resolves, and [`waits_for`](Self::waits_for) names them.
    ///
    /// # Errors
    /// If the ledger cannot be asked. The word may then be on record, or not.
    pub async fn resolve(
        &self,
        escalation: &Escalation,
        resolved: Resolved,
        by: impl Into<Arc<str>>,
        why: impl Into<Arc<str>>,
    ) -> Result<Reconciled, LedgerError> {
        let Some(ledger) = &self.ledger else {
            return Ok(Reconciled::Superseded { state: None });
        };
        let (id, named) = (escalation.operation.clone(), Some(escalation.id.clone()));
        let (by, why) = (by.into(), why.into());
        ledger.resolve(Resolution { id, escalation: named, by, why, resolved }).await
    }
}

/// What was listed, under its name; `None` if it waits no more.
async fn named(
    ledger: &dyn Ledger,
    operation: OperationId,
    record: Record,
) -> Result<Option<Escalation>, LedgerError> {
    let record = if record.state.name().is_escalated() {
        Some(record)
    } else {
        // Its lease ran out, and nobody has looked since. To renew nobody's claim
        // changes nothing but that this is noticed.
        ledger.renew(operation.clone(), Fence::NONE, None).await?;
        ledger.find(operation.clone()).await?
    };
    let record = record.filter(|record| record.state.name().is_escalated());
    Ok(record
        .and_then(|record| Some(Escalation { id: record.escalation.clone()?, operation, record })))
}

impl fmt::Debug for Escalations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Escalations").finish_non_exhaustive()
    }
}
