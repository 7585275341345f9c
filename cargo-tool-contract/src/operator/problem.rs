//! What went wrong, for people and for programs.

use std::time::Duration;

use serde::Serialize;
use tool_contract_runtime::ledger::{LedgerError, StateName};

use super::text;
use crate::report::{complain, json};
use crate::{End, Stop};

/// What kind of problem it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// The command was not meant so.
    Usage,
    /// The ledger cannot be used.
    Ledger,
    /// What there is to say cannot be written.
    Output,
    /// The ledger does not know the operation.
    NotFound,
    /// Several operations have the key.
    Ambiguous,
    /// "It did not happen" is not believed yet.
    TooEarly,
    /// The operation is not in a state of which this can be said.
    WrongState,
    /// Nobody confirmed.
    Unconfirmed,
}

/// Why a command did not do what it was asked; nothing was changed.
#[derive(Debug, Serialize)]
pub(crate) struct Problem {
    kind: Kind,
    message: String,
    help: Option<String>,
    state: Option<StateName>,
    wait_ms: Option<u64>,
}

/// A problem, for programs.
#[derive(Debug, Serialize)]
struct Document<'p> {
    error: &'p Problem,
}

impl Problem {
    pub(crate) const fn new(kind: Kind, message: String) -> Self {
        Self { kind, message, help: None, state: None, wait_ms: None }
    }

    /// What to do about it.
    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// Where the operation stands.
    pub(crate) const fn state(mut self, state: StateName) -> Self {
        self.state = Some(state);
        self
    }

    /// How long to wait.
    pub(crate) fn wait(self, wait: Option<Duration>) -> Self {
        let millis = |wait: Duration| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        Self { wait_ms: wait.map(millis), ..self }
    }

    /// Says so on standard error.
    pub(crate) fn tell(&self, as_json: bool) -> End {
        if as_json {
            complain(&text::safe_json(&json(&Document { error: self })));
        } else {
            complain(&format!("error: {}", text::plain_lines(&self.message)));
            if let Some(help) = &self.help {
                complain(&format!("  = help: {}", text::plain_lines(help)));
            }
        }
        match self.kind {
            Kind::NotFound | Kind::TooEarly | Kind::WrongState => End::Broken,
            Kind::Usage | Kind::Ledger | Kind::Output | Kind::Ambiguous | Kind::Unconfirmed => {
                End::Unreadable
            }
        }
    }
}

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Self {
        Self::new(Kind::Ledger, error.to_string())
    }
}

/// What the other commands stop with.
impl From<Stop> for Problem {
    fn from(stop: Stop) -> Self {
        let message = stop.strip_prefix("error: ").unwrap_or(&stop);
        Self::new(Kind::Output, message.to_owned())
    }
}
