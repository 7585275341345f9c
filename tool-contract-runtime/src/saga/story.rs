//! A saga with its steps, as a ledger has them.

use std::collections::BTreeMap;

use tool_contract_spec::key::OperationId;
use tool_contract_spec::ledger::{Event, Record, State};
use tool_contract_spec::saga::{
    Journal, Noted, Place, Stand, Stepped, Undoing, rests_for, step_id, undoing_id,
};

use crate::ledger::{Ledger, LedgerError};

/// A saga, and all that it did.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Story {
    /// Which saga.
    pub id: OperationId,
    /// What is known of it as a whole.
    pub record: Record,
    /// What happened to it, oldest first.
    pub history: Vec<Event>,
    /// What its history says of its steps.
    pub journal: Journal,
    /// Its steps, in the order in which they were made.
    pub steps: Vec<StepStory>,
}

/// A step of a saga, and what undoes it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StepStory {
    /// What the saga noted of it.
    pub stepped: Stepped,
    /// Its operation.
    pub id: OperationId,
    /// What is known of that; nothing of a read.
    pub record: Option<Record>,
    /// The operation that undoes it, once that was begun.
    pub undoing: Option<(OperationId, Record)>,
    /// Where that stands.
    pub undone: Undoing,
}

impl Story {
    /// Reads the saga `id`, of which `record` is known.
    ///
    /// # Errors
    /// If the ledger cannot be asked, or the history is no saga's.
    pub async fn read(
        ledger: &dyn Ledger,
        id: OperationId,
        record: Record,
    ) -> Result<Self, LedgerError> {
        let history = ledger.history(id.clone()).await?;
        let corrupt = |why: String| LedgerError::Corrupt(format!("the saga {id}: {why}"));
        let journal = Journal::read(&history).map_err(|why| corrupt(why.to_string()))?;
        let mut steps = Vec::with_capacity(journal.steps.len());
        for stepped in journal.steps.values() {
            let of = step_id(&id, stepped).map_err(|why| corrupt(why.to_string()))?;
            steps.push(StepStory::read(ledger, of, stepped.clone()).await?);
        }
        Ok(Self { id, record, history, journal, steps })
    }

    /// What a person has to see to before it can go on: steps, among them those that wait
    /// for a yes, and what undoes steps. If it rests for nothing of that kind, it goes on
    /// when it is called again.
    #[must_use]
    pub fn waits_for(&self) -> Vec<OperationId> {
        self.waits_unless(|_| false)
    }

    /// The same, where it is no person's affair if calling the saga again
    /// `may_move` a step on: find out what came of it, or use the yes that it has.
    pub(super) fn waits_unless(&self, may_move: impl Fn(&StepStory) -> bool) -> Vec<OperationId> {
        // Whoever vanished at it had more to do, whatever else of it waits.
        if !self.record.state.name().is_escalated() || self.record.reserved > 0 {
            return Vec::new();
        }
        let leaves_nothing = |step: &&StepStory| matches!(step.stepped.noted, Some(Noted::Read(_)));
        let place = |step: &StepStory| {
            let (stand, may_move) = (Stand::of(step.record.as_ref()), may_move(step));
            let asked = stand != Stand::Moving && !may_move;
            let stand = if stand == Stand::Waits && may_move { Stand::NotDone } else { stand };
            (step.stepped.step, Place { stand, asked, undoing: step.undone })
        };
        let places: BTreeMap<_, _> =
            self.steps.iter().filter(|step| !leaves_nothing(step)).map(place).collect();
        let why = rests_for(&self.journal, &places);
        why.map(|why| why.operations(&self.id, &self.journal)).unwrap_or_default()
    }
}

impl StepStory {
    async fn read(
        ledger: &dyn Ledger,
        id: OperationId,
        stepped: Stepped,
    ) -> Result<Self, LedgerError> {
        let record = stepped.own(ledger.find(id.clone()).await?);
        let of = undoing_id(&id);
        let undoing = ledger.find(of.clone()).await?.map(|record| (of.clone(), record));
        let record_of_undoing = undoing.as_ref().map(|(_, record)| record);
        let history = match record_of_undoing.map(|record| &record.state) {
            Some(State::Expired) => ledger.history(of).await?,
            _ => Vec::new(),
        };
        let undone = Undoing::of(record_of_undoing, &history);
        Ok(Self { stepped, id, record, undoing, undone })
    }
}
