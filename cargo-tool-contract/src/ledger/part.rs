//! Which saga an operation is a step of: a person's word on the one may mean something
//! for the other.

use tool_contract_runtime::ledger::{LedgerError, Record, State};
use tool_contract_spec::key::{IdempotencyKey, OperationId};
use tool_contract_spec::saga::{Journal, child_key, rollback_name};

use super::stand;
use crate::args::Among;
use crate::operator::find::Owners;
use crate::operator::{Desk, Problem};

/// What an operation is in its saga.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// A step before there is no way back, or the pivot, or what undoes a step.
    Step,
    /// A step that its saga cannot do without: it comes after the pivot.
    CountedOn,
    /// A step of a saga that has ended: nobody calls it any more.
    Over,
}

impl Part {
    /// What the operation is in the saga whose child its key is; `None` if it is no step
    /// of one.
    pub(crate) async fn of(desk: &Desk, id: &OperationId) -> Result<Option<Self>, Problem> {
        let Some((root, number)) = parent(id) else { return Ok(None) };
        let among = Among { tool: None, tenant: id.tenant.clone(), no_tenant: id.tenant.is_none() };
        let mut owners = Owners::among(&among);
        while let Some((owner, _)) = owners.next(&*desk.ledger).await? {
            let saga = OperationId { key: root.clone(), ..owner };
            let Some(record) = desk.ledger.find(saga.clone()).await? else { continue };
            if !record.terms.saga {
                continue;
            }
            let history = match desk.ledger.history(saga).await {
                // `verify` says so of the saga.
                Err(LedgerError::Corrupt(_)) => continue,
                history => history?,
            };
            let Ok(journal) = Journal::read(&history) else { continue };
            if journal.steps.get(&number).is_some_and(|step| is_of(&id.tool, &step.tool)) {
                let stands = stand::at(&record, desk.now);
                return Ok(Some(Self::in_saga(&journal, &stands, id, number)));
            }
        }
        Ok(None)
    }

    fn in_saga(journal: &Journal, stands: &Record, id: &OperationId, number: u32) -> Self {
        if matches!(stands.state, State::Succeeded { .. } | State::Expired) {
            return Self::Over;
        }
        Self::of_step(journal, id, number)
    }

    /// What an operation of a saga that has not ended is there.
    pub(super) fn of_step(journal: &Journal, id: &OperationId, number: u32) -> Self {
        let is_call = journal.steps.get(&number).is_some_and(|step| step.tool == id.tool);
        let is_after = journal.steps.range(..number).any(|(_, before)| before.pivot);
        if is_call && is_after { Self::CountedOn } else { Self::Step }
    }
}

/// The key of the saga of which this would be a step, and its number.
pub(super) fn parent(id: &OperationId) -> Option<(IdempotencyKey, u32)> {
    let (root, number) = id.key.as_str().rsplit_once('/')?;
    let (root, number) = (IdempotencyKey::new(root).ok()?, number.parse().ok()?);
    (child_key(&root, number).as_ref() == Ok(&id.key)).then_some((root, number))
}

/// Whether `tool` is a step's, or what undoes it.
fn is_of(tool: &str, step: &str) -> bool {
    tool == step || tool == rollback_name(step)
}
