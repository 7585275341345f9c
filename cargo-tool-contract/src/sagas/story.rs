//! A saga with its steps, in words.

use std::ops::Deref;

use tool_contract_runtime::ledger::{EventKind, Ledger, Record, State, Timestamp};
use tool_contract_runtime::saga::{StepStory, Story};
use tool_contract_spec::key::OperationId;
use tool_contract_spec::saga::{Noted, Stepped, Undoing};

use crate::ledger::stand;
use crate::operator::Problem;

/// A saga, and where it stands now.
pub(super) struct Told {
    story: Story,
    /// The record as the next step will find it.
    stands: Record,
}

impl Deref for Told {
    type Target = Story;

    fn deref(&self) -> &Story {
        &self.story
    }
}

impl Told {
    /// Reads a saga, and all that it did.
    pub(super) async fn read(
        ledger: &dyn Ledger,
        id: OperationId,
        record: Record,
        now: Timestamp,
    ) -> Result<Self, Problem> {
        let stands = stand::at(&record, now);
        Ok(Self { story: Story::read(ledger, id, record).await?, stands })
    }

    /// Where it stands, in a word.
    pub(super) fn word(&self) -> &'static str {
        match &self.stands.state {
            State::Running { .. } if self.journal.unwinding.is_some() => "undoing",
            _ => stand::name(&self.stands),
        }
    }

    /// Why it rests.
    pub(super) fn cause(&self) -> Option<&str> {
        match &self.stands.state {
            State::Unknown(unknown) => Some(&unknown.cause),
            _ => None,
        }
    }

    /// When it gave up, and why.
    pub(super) fn gave_up(&self) -> Option<(Timestamp, &str)> {
        let noted = self.history.iter().find(|event| event.kind == EventKind::Unwinding)?;
        Some((noted.at, noted.detail.as_deref().unwrap_or_default()))
    }

    /// How many of its steps were undone.
    pub(super) fn undone(&self) -> usize {
        self.steps.iter().filter(|step| step.undone == Undoing::Done).count()
    }

    /// When a step was noted first.
    pub(super) fn noted_at(&self, step: &StepStory) -> Timestamp {
        let mut notes = self.history.iter().filter(|event| event.kind == EventKind::Stepped);
        let is_of = |detail: &str| {
            serde_json::from_str(detail).is_ok_and(|noted: Stepped| noted.step == step.stepped.step)
        };
        let first = notes.find(|event| event.detail.as_deref().is_some_and(is_of));
        first.map_or(Timestamp::ZERO, |event| event.at)
    }
}

/// Where a step stands, in a word or two.
pub(super) fn word(step: &StepStory, now: Timestamp) -> String {
    match (&step.record, &step.stepped.noted) {
        (None, Some(Noted::Read(_))) => "read".to_owned(),
        (_, Some(Noted::Failed(_))) => "failed".to_owned(),
        (Some(record), _) => stand::word(record, now),
        (None, _) => "not begun".to_owned(),
    }
}

/// The error with which a step failed.
pub(super) fn error(step: &StepStory) -> Option<&str> {
    match &step.stepped.noted {
        Some(Noted::Failed(error)) => Some(error),
        _ => None,
    }
}
