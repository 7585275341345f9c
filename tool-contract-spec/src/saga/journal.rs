//! What the history of a saga says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ledger::{Event, EventKind, Record};
use crate::operation::OperationHash;

/// One note of a saga on one of its steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stepped {
    /// The step's number, from 0, in the order in which steps were made.
    pub step: u32,
    /// Its tool.
    pub tool: String,
    /// What it does.
    pub hash: OperationHash,
    /// Whether it is the point of no return.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pivot: bool,
    /// What is known of it that no record of its own says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noted: Option<Noted>,
}

/// What is known of a step that no record of its own says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Noted {
    /// It is a read, and this its result, as JSON: the saga goes by what it read
    /// first.
    Read(String),
    /// It failed for good, and this is its error: the saga goes by that, and does
    /// not try it again.
    Failed(String),
}

impl Stepped {
    /// As it stands in the history.
    #[must_use]
    pub fn to_detail(&self) -> String {
        // Texts, numbers and truth values are always written.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The record of this step, if it is one: a key that was released may be bound to
    /// another's call, and what that did is not for the saga to undo.
    #[must_use]
    pub fn own(&self, record: Option<Record>) -> Option<Record> {
        record.filter(|record| record.hash == self.hash)
    }

    /// Whether both are of the same step.
    fn is_same_step(&self, other: &Self) -> bool {
        (self.step, &self.tool, self.hash, self.pivot)
            == (other.step, &other.tool, other.hash, other.pivot)
    }
}

/// All that a saga noted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Journal {
    /// Its steps that may have begun, by number.
    pub steps: BTreeMap<u32, Stepped>,
    /// The error with which it gave up.
    pub unwinding: Option<String>,
}

/// Why a history is not that of a saga of this version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// A note that cannot be read.
    #[error("event {seq} of its history cannot be read: {why}")]
    Unreadable {
        /// The event.
        seq: u32,
        /// Why.
        why: String,
    },
    /// Two notes on one step that cannot both be true.
    #[error("event {seq} of its history says something else of step {step} than one before it")]
    Contradiction {
        /// The later event.
        seq: u32,
        /// The step.
        step: u32,
    },
}

impl Journal {
    /// Reads a history. A note may stand there twice.
    ///
    /// # Errors
    /// What of it makes no sense.
    pub fn read<'a>(history: impl IntoIterator<Item = &'a Event>) -> Result<Self, JournalError> {
        let mut journal = Self::default();
        for event in history {
            let detail = event.detail.as_deref().unwrap_or_default();
            match event.kind {
                EventKind::Stepped => {
                    let stepped: Stepped = serde_json::from_str(detail).map_err(|why| {
                        JournalError::Unreadable { seq: event.seq, why: why.to_string() }
                    })?;
                    let step = stepped.step;
                    if !journal.note(stepped) {
                        return Err(JournalError::Contradiction { seq: event.seq, step });
                    }
                }
                // The first error is what it gave up for.
                EventKind::Unwinding if journal.unwinding.is_none() => {
                    journal.unwinding = Some(detail.to_owned());
                }
                _ => {}
            }
        }
        Ok(journal)
    }

    /// Adds a note; `false` if it contradicts an earlier one, which then stands.
    pub fn note(&mut self, stepped: Stepped) -> bool {
        let known = self.steps.entry(stepped.step).or_insert_with(|| stepped.clone());
        if !known.is_same_step(&stepped) {
            return false;
        }
        if known.noted.is_none() {
            known.noted = stepped.noted;
            return true;
        }
        stepped.noted.is_none() || known.noted == stepped.noted
    }
}
