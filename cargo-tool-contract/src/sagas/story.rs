//! A saga with its steps, as the ledger has them.

use tool_contract_runtime::ledger::{
    Event, EventKind, Ledger, Record, State, StateName, Timestamp,
};
use tool_contract_spec::key::OperationId;
use tool_contract_spec::saga::{Journal, Noted, Stepped, child_key, rollback_name};

use crate::ledger::stand;
use crate::operator::{Kind, Problem};

/// A saga.
pub(super) struct Story {
    pub(super) id: OperationId,
    pub(super) record: Record,
    /// The record as the next step will find it.
    pub(super) stands: Record,
    pub(super) steps: Vec<Told>,
    /// When it gave up, and why.
    pub(super) gave_up: Option<(Timestamp, String)>,
}

/// A step.
pub(super) struct Told {
    pub(super) stepped: Stepped,
    pub(super) noted_at: Timestamp,
    pub(super) id: OperationId,
    pub(super) record: Option<Record>,
    /// What undoes it, once that was begun.
    pub(super) undoing: Option<(OperationId, Record)>,
}

impl Story {
    /// Reads a saga, and all that it did.
    pub(super) async fn read(
        ledger: &dyn Ledger,
        id: OperationId,
        record: Record,
        now: Timestamp,
    ) -> Result<Self, Problem> {
        let history = ledger.history(id.clone()).await?;
        let journal = Journal::read(&history)
            .map_err(|why| Problem::new(Kind::Ledger, format!("the saga {id}: {why}")))?;
        let mut steps = Vec::with_capacity(journal.steps.len());
        for stepped in journal.steps.into_values() {
            steps.push(Told::read(ledger, &id, stepped, &history).await?);
        }
        let stands = stand::at(&record, now);
        let gave_up = history.iter().find(|event| event.kind == EventKind::Unwinding);
        let gave_up = gave_up.map(|event| (event.at, event.detail.clone().unwrap_or_default()));
        Ok(Self { id, record, stands, steps, gave_up })
    }

    /// Where it stands, in a word.
    pub(super) fn word(&self) -> &'static str {
        match &self.stands.state {
            State::Succeeded { result, .. } if is_undone(result) => "undone",
            State::Succeeded { .. } => "finished",
            State::Unknown(_) => "rests",
            State::Running { .. } if self.gave_up.is_some() => "undoing",
            state => state.name().as_str(),
        }
    }

    /// Why it rests.
    pub(super) fn cause(&self) -> Option<&str> {
        match &self.stands.state {
            State::Unknown(unknown) => Some(&unknown.cause),
            _ => None,
        }
    }

    /// How many of its steps were undone.
    pub(super) fn undone(&self) -> usize {
        let is_undone = |(_, record): &(OperationId, Record)| {
            matches!(record.state.name(), StateName::Succeeded | StateName::Expired)
        };
        self.steps.iter().filter(|step| step.undoing.as_ref().is_some_and(is_undone)).count()
    }

    /// The operations of it that wait for a person.
    pub(super) fn waits_for(&self, now: Timestamp) -> Vec<&OperationId> {
        let mut waits = Vec::new();
        for step in &self.steps {
            let own = step.record.as_ref().map(|record| (&step.id, record));
            let undoing = step.undoing.as_ref().map(|(id, record)| (id, record));
            let both = [own, undoing].into_iter().flatten();
            waits.extend(both.filter(|(_, record)| stand::waits(record, now)).map(|(id, _)| id));
        }
        waits
    }
}

fn is_undone(result: &str) -> bool {
    let result: Option<serde_json::Value> = serde_json::from_str(result).ok();
    result.is_some_and(|result| result.get("undone").is_some())
}

impl Told {
    async fn read(
        ledger: &dyn Ledger,
        saga: &OperationId,
        stepped: Stepped,
        history: &[Event],
    ) -> Result<Self, Problem> {
        let key = child_key(&saga.key, stepped.step)
            .map_err(|why| Problem::new(Kind::Ledger, format!("a step of {saga}: {why}")))?;
        let id = OperationId { tool: stepped.tool.clone().into(), key, ..saga.clone() };
        let record = ledger.find(id.clone()).await?;
        let undoing = OperationId { tool: rollback_name(&stepped.tool).into(), ..id.clone() };
        let undoing = ledger.find(undoing.clone()).await?.map(|record| (undoing, record));
        let is_first = |event: &&Event| {
            let noted: Option<Stepped> =
                event.detail.as_deref().and_then(|detail| serde_json::from_str(detail).ok());
            event.kind == EventKind::Stepped
                && noted.is_some_and(|noted| noted.step == stepped.step)
        };
        let noted_at = history.iter().find(is_first).map_or(Timestamp::ZERO, |event| event.at);
        Ok(Self { stepped, noted_at, id, record, undoing })
    }

    /// Where it stands, in a word or two.
    pub(super) fn word(&self, now: Timestamp) -> String {
        match (&self.record, &self.stepped.noted) {
            (None, Some(Noted::Read(_))) => "read".to_owned(),
            (_, Some(Noted::Failed(_))) => "failed".to_owned(),
            (Some(record), _) => stand::word(record, now),
            (None, _) => "not begun".to_owned(),
        }
    }

    /// The error with which it failed.
    pub(super) fn error(&self) -> Option<&str> {
        match &self.stepped.noted {
            Some(Noted::Failed(error)) => Some(error),
            _ => None,
        }
    }
}
