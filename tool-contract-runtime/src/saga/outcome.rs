//! How a saga ends.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_contract_spec::ledger::ApprovalId;
use tool_contract_spec::outcome::{self, OutcomeClass};
use tool_contract_spec::rulebook::Code;

use crate::error::UnknownOutcome;
use crate::tool::ToolError;

/// How a saga ended. It is on record, and the answer to each repetition of its
/// key: who wants to try again what was undone takes a new key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome<O> {
    /// All of it happened.
    Finished(O),
    /// None of it stands: it failed, and what had happened was undone.
    Undone(Undone),
}

impl<O> Outcome<O> {
    /// What it came to, if it finished.
    ///
    /// # Errors
    /// Why it was undone.
    pub fn finished(self) -> Result<O, Undone> {
        match self {
            Self::Finished(output) => Ok(output),
            Self::Undone(undone) => Err(undone),
        }
    }
}

/// A saga that was undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Undone {
    /// The error of its body.
    pub error: String,
    /// The steps that had happened and were undone, or that a person gave up, newest
    /// first.
    pub steps: Vec<UndoneStep>,
}

/// A step that was undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct UndoneStep {
    /// Its number in the saga, from 0.
    pub step: u32,
    /// Its tool.
    pub tool: String,
    /// Whether it stands after all: undoing it failed, and a person gave that up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub given_up: bool,
}

impl fmt::Display for Undone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let given_up = self.steps.iter().filter(|step| step.given_up).count();
        let count = self.steps.len() - given_up;
        let plural = if count == 1 { "" } else { "s" };
        write!(f, "it failed: {}; {count} step{plural} undone", self.error)?;
        if given_up == 0 { Ok(()) } else { write!(f, ", {given_up} given up by a person") }
    }
}

impl std::error::Error for Undone {}

/// How long a saga waits within its call until it goes on: for longer, who calls it is
/// told when it is worth calling again.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// A saga that goes no further for now. What it did stands, and is on record.
///
/// Calling it again with the same key goes on where it stands, and so does
/// [`Runtime::recover`](crate::Runtime::recover).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rests {
    reason: String,
    /// When it is worth trying again; `None` if that takes a person.
    again_in: Option<Duration>,
    /// The request for a yes that it waits for.
    request: Option<ApprovalId>,
}

impl Rests {
    /// It takes a person.
    pub(super) fn for_a_person(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), again_in: None, request: None }
    }

    /// It takes a yes to this request, or a no.
    pub(super) fn for_a_yes(reason: impl Into<String>, request: Option<ApprovalId>) -> Self {
        Self { request, ..Self::for_a_person(reason) }
    }

    /// It takes a person, for its code is not the code that began it.
    pub(super) fn changed(how: &str) -> Self {
        Self::for_a_person(format!(
            "[{}] the saga's code changed under it: {how}; run it with the code that began it, or let a person finish or undo what `sagas show` lists, and say what it came to",
            Code::SAGA_CHANGED
        ))
    }

    /// Running again may help.
    pub(super) fn again(reason: impl Into<String>, after: Option<Duration>) -> Self {
        Self { again_in: Some(after.unwrap_or_default()), ..Self::for_a_person(reason) }
    }

    /// What the saga's caller is told.
    pub(crate) fn tell(&self, unknown: UnknownOutcome) -> UnknownOutcome {
        let UnknownOutcome { about, cause, escalation, .. } = unknown;
        let about = about.not_before(self.again_in.unwrap_or_default());
        let request = self.request.clone();
        UnknownOutcome { about, cause, escalation, may_repeat: true, rests: true, request }
    }
}

impl fmt::Display for Rests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Rests {}

impl ToolError for Rests {
    fn outcome(&self) -> outcome::Outcome {
        let after = self.again_in.filter(|wait| *wait <= LONGEST_WAIT);
        let after = after.unwrap_or(outcome::Outcome::NEVER);
        outcome::Outcome::new(OutcomeClass::SideEffectUnknown).with_retry_after(Some(after))
    }

    fn as_rest(&self) -> Option<&Self> {
        Some(self)
    }
}
