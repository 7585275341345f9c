//! Taking up what a dead process left.

use std::sync::Arc;

use serde_json::value::RawValue;
use tokio::task::JoinSet;
use tool_contract_spec::key::OperationId;
use tool_contract_spec::ledger::{Ballot, Event, EventKind, Record, State, StateName};
use tool_contract_spec::policy::ArgumentRole;
use tool_contract_spec::saga::Stand;

use super::engine::{began_for, newest};
use super::story::{StepStory, Story};
use crate::dispatch::{DynamicCall, Meta, Response};
use crate::ledger::{Ledger, LedgerError, Query};
use crate::registry::Entry;
use crate::runtime::Runtime;
use crate::tool::BoxFuture;

/// How many sagas are taken up at once.
const AT_ONCE: usize = 16;

/// What [`Runtime::recover`] did.
#[derive(Debug)]
#[non_exhaustive]
pub struct Recovery {
    /// The sagas that were taken up, and what came of each.
    pub recovered: Vec<Recovered>,
    /// Those that rest, each with what it waits for.
    pub waiting: Vec<(OperationId, String)>,
}

/// A saga that was taken up.
#[derive(Debug)]
#[non_exhaustive]
pub struct Recovered {
    /// The saga.
    pub saga: OperationId,
    /// What its call answered. Where another process took it up at the same time,
    /// this is that one's result, or that it is in flight.
    pub response: Response,
}

impl Runtime {
    /// Goes on with the sagas that dead processes left: of the registered tools,
    /// those whose claim ran out, and those that rested and have nothing more to wait
    /// for. Call it when a process starts, and now and then. A step that waits for
    /// people's yes goes on once they have said yes or no; where nobody has in time, it is
    /// left to the saga's caller, for whom people are asked anew.
    ///
    /// Each is called again with the arguments, under the key, on behalf of the user and
    /// in the workflow that are on record; so one process runs it, however many recover.
    /// A saga with secret arguments is on record without them, and is left to who knows
    /// them.
    ///
    /// Sagas are looked for page by page, and at most 16 go on at a time.
    ///
    /// # Errors
    /// If the ledger cannot be asked.
    pub async fn recover(&self) -> Result<Recovery, LedgerError> {
        let recovery = Recovery { recovered: Vec::new(), waiting: Vec::new() };
        let Some(ledger) = self.ledger() else { return Ok(recovery) };
        let mut round = Round { runtime: self, ledger, running: JoinSet::new(), recovery };
        for entry in self.entries().iter().filter(|entry| entry.tool.is_saga()) {
            round.take_up_all(entry).await?;
        }
        while round.one_ends().await {}
        Ok(round.recovery)
    }
}

/// One round of recovery.
struct Round<'r> {
    runtime: &'r Runtime,
    ledger: &'r Arc<dyn Ledger>,
    running: JoinSet<Recovered>,
    recovery: Recovery,
}

impl Round<'_> {
    /// Takes up what was left of one tool, page by page.
    async fn take_up_all(&mut self, entry: &Entry) -> Result<(), LedgerError> {
        let mut query = Query {
            tool: Some(entry.tool.contract().name.to_string()),
            state: Some(StateName::Unknown),
            ..Query::default()
        };
        loop {
            let page = self.ledger.list(query.clone()).await?;
            let is_last = page.len() < query.bound();
            query.after = page.last().map(|(id, _)| id.clone());
            for (id, record) in page {
                self.take_up(entry, id, &record).await?;
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// Takes up one saga, once there is room for it.
    async fn take_up(
        &mut self,
        entry: &Entry,
        id: OperationId,
        record: &Record,
    ) -> Result<(), LedgerError> {
        match prepare(self.runtime, self.ledger, entry, &id, record).await? {
            Err(why) => self.recovery.waiting.push((id, why)),
            Ok(call) => {
                let calling = entry.tool.dispatch(self.runtime, call);
                self.running.spawn(async move { Recovered { saga: id, response: calling.await } });
            }
        }
        if self.running.len() >= AT_ONCE {
            self.one_ends().await;
        }
        Ok(())
    }

    /// Waits until one of those that run has ended; `false` if none runs.
    async fn one_ends(&mut self) -> bool {
        let ended = self.running.join_next().await;
        let is_one = ended.is_some();
        self.recovery.recovered.extend(ended.and_then(Result::ok));
        is_one
    }
}

/// The call that goes on with a saga; or what it waits for.
async fn prepare(
    runtime: &Runtime,
    ledger: &Arc<dyn Ledger>,
    entry: &Entry,
    id: &OperationId,
    record: &Record,
) -> Result<Result<DynamicCall, String>, LedgerError> {
    let contract = entry.tool.contract();
    if contract.arguments.iter().any(|argument| argument.role == ArgumentRole::Secret) {
        return Ok(Err("its arguments are secret: call it again where they are known".to_owned()));
    }
    let story = match Story::read(&**ledger, id.clone(), record.clone()).await {
        Err(LedgerError::Corrupt(why)) => return Ok(Err(why)),
        story => story?,
    };
    let waits = match waits(runtime, &**ledger, &story).await {
        Err(LedgerError::Corrupt(why)) => return Ok(Err(why)),
        waits => waits?,
    };
    if !waits.is_empty() {
        return Ok(Err(waits.join("; ")));
    }
    let Ok(arguments) = RawValue::from_string(record.arguments.to_string()) else {
        return Ok(Err("its arguments cannot be read".to_owned()));
    };
    let meta = Meta {
        idempotency_key: Some(id.key.to_string()),
        correlation_id: record.correlation_id.as_deref().map(str::to_owned),
        tenant: id.tenant.as_ref().map(|tenant| tenant.as_str().to_owned()),
        user: began_for(&story.history).map(|user| user.as_str().to_owned()),
        workflow: newest(&story.history, EventKind::InWorkflow).or_else(|| alone(runtime, id)),
        fingerprint: bound(&story.history),
        ..Meta::default()
    };
    Ok(Ok(DynamicCall::new(arguments, meta)))
}

/// A saga that belongs to no workflow is an objective of its own, where these have a
/// budget.
fn alone(runtime: &Runtime, id: &OperationId) -> Option<String> {
    runtime.budget().map(|_| id.key.to_string())
}

/// What the saga's call bound besides its arguments.
fn bound(history: &[Event]) -> Option<serde_json::Value> {
    serde_json::from_str(&newest(history, EventKind::Bound)?).ok()
}

/// What keeps a saga from going on, in words; and what keeps those of its steps that
/// are sagas.
fn waits<'a>(
    runtime: &'a Runtime,
    ledger: &'a dyn Ledger,
    story: &'a Story,
) -> BoxFuture<'a, Result<Vec<String>, LedgerError>> {
    Box::pin(async move {
        let ids = story.waits_unless(|step| may_move(runtime, step));
        let step = |id: &OperationId| story.steps.iter().find(|step| step.id == *id);
        let mut said: Vec<String> = ids.iter().map(|id| wait(id, step(id))).collect();
        for step in &story.steps {
            let Some(record) = &step.record else { continue };
            if record.terms.saga && matches!(record.state, State::Unknown(_)) {
                let inner = Story::read(ledger, step.id.clone(), record.clone()).await?;
                said.extend(waits(runtime, ledger, &inner).await?);
            }
        }
        Ok(said)
    })
}

fn wait(id: &OperationId, step: Option<&StepStory>) -> String {
    let record = step.and_then(|step| step.record.as_ref());
    let asked = record.filter(|record| Stand::of(Some(record)) == Stand::Waits);
    match asked.map(|record| &record.approval) {
        None => format!("a person has to see to {id}"),
        Some(Some(approval)) => format!(
            "{id} waits for a person's yes to {}; if that has expired, people are asked anew when the saga is called again",
            approval.id
        ),
        Some(None) => format!(
            "nobody has approved {id} in time; people are asked anew when the saga is called again"
        ),
    }
}

/// Whether calling a saga again may move a step on: show what came of it, or use the
/// yes of people who count.
fn may_move(runtime: &Runtime, step: &StepStory) -> bool {
    let Some(record) = &step.record else { return false };
    if Stand::of(Some(record)) == Stand::Waits {
        return is_granted(runtime, &step.id, record);
    }
    let contract = runtime.contract(&step.stepped.tool);
    record.terms.repeatable || contract.is_some_and(|it| it.policy.reconcile.is_some())
}

/// Whether people who count for this process have said yes, though who recorded it did
/// not know them.
fn is_granted(runtime: &Runtime, id: &OperationId, record: &Record) -> bool {
    let Some(approval) = &record.approval else { return false };
    let (ignored, requested_by) = (approval.ignored(), approval.requested_by.as_deref());
    let (trust, now) = (runtime.trust(), runtime.clock().now());
    let ballot = Ballot { id, hash: &record.hash, ignored, requested_by, trust, now };
    approval.expires_at > now && ballot.is_granted(approval)
}
