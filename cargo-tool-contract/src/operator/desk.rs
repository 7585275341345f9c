//! What a command works at: a ledger that is open, the time, and how to speak.

use std::env;
use std::future::Future;
use std::io::{IsTerminal as _, Write as _, stderr};
use std::sync::Arc;

use serde::Serialize;
use tool_contract_runtime::ledger::{Ledger, Timestamp};
use tool_contract_spec::key::OperationId;

use super::{Kind, Problem, open, text, time};
use crate::args::Access;
use crate::report::{json, say};
use crate::{End, called};

/// Names the ledger where the command line does not.
const VARIABLE: &str = "TOOL_CONTRACT_LEDGER";

/// What a command works at.
pub(crate) struct Desk {
    pub(crate) ledger: Arc<dyn Ledger>,
    /// The time of this machine, for people; what is decided by time, the ledger
    /// decides.
    pub(crate) now: Timestamp,
    json: bool,
    /// The ledger, as arguments for the commands that are proposed.
    named: String,
}

impl Desk {
    /// Opens the ledger and does the work; what goes wrong is told.
    pub(crate) fn open<W, F>(access: &Access, work: W) -> End
    where
        W: FnOnce(Desk) -> F,
        F: Future<Output = Result<End, Problem>>,
    {
        let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let done = tokio
            .map_err(|error| no_runtime(&error))
            .and_then(|tokio| tokio.block_on(async { work(Self::at(access).await?).await }));
        done.unwrap_or_else(|problem| problem.tell(access.json))
    }

    async fn at(access: &Access) -> Result<Self, Problem> {
        let url = match &access.ledger {
            Some(url) => url.clone(),
            None => env::var(VARIABLE).map_err(|_| {
                Problem::new(Kind::Usage, "no ledger is named".to_owned()).help(format!(
                    "write `--ledger sqlite:PATH`, or set {VARIABLE} in the environment"
                ))
            })?,
        };
        let mut named = String::new();
        let shown = access.ledger.as_deref().map(open::shown);
        for (flag, value) in [("ledger", &shown), ("namespace", &access.namespace)] {
            if let Some(value) = value {
                named = format!("{named} --{flag} {}", text::quoted(value));
            }
        }
        let ledger = open::open(&url, access.namespace.as_deref()).await?;
        Ok(Self { ledger, now: time::now(), json: access.json, named })
    }

    /// Prints what a command found: a document for programs, or a text for
    /// people.
    pub(crate) fn say(
        &self,
        document: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), Problem> {
        let said = if self.json { text::safe_json(&json(document)) } else { text() };
        Ok(say(&said)?)
    }

    /// Whether a program reads what is said.
    pub(crate) const fn is_for_programs(&self) -> bool {
        self.json
    }

    /// Says how far it is, where somebody looks on.
    pub(crate) fn progress(&self, done: &str, count: usize) {
        if !self.json && stderr().is_terminal() {
            let _ = write!(stderr(), "\r{done} {count}\r");
        }
    }

    /// A command on an operation, ready to be copied.
    pub(crate) fn command(&self, verb: &str, id: &OperationId, more: &str) -> String {
        self.command_in("ledger", verb, id, more)
    }

    /// A command of this group on an operation.
    pub(crate) fn command_in(
        &self,
        group: &str,
        verb: &str,
        id: &OperationId,
        more: &str,
    ) -> String {
        let key = text::quoted(id.key.as_str());
        let (first, last) = if key.starts_with('-') {
            (String::new(), format!(" -- {key}"))
        } else {
            (format!(" {key}"), String::new())
        };
        let whose =
            id.tenant.as_ref().map(|tenant| format!(" --tenant {}", text::quoted(tenant.as_str())));
        let whose = whose.unwrap_or_default();
        let tool = text::quoted(&id.tool);
        let more = if more.is_empty() { String::new() } else { format!(" {more}") };
        format!("{}{first} --tool {tool}{whose}{more}{last}", self.begin_in(group, verb))
    }

    /// How a command on an operation of this ledger begins.
    pub(crate) fn begin(&self, verb: &str) -> String {
        self.begin_in("ledger", verb)
    }

    /// How a command of this group on this ledger begins.
    pub(crate) fn begin_in(&self, group: &str, verb: &str) -> String {
        format!("{} {group}{} {verb}", called(), self.named)
    }
}

fn no_runtime(error: &std::io::Error) -> Problem {
    Problem::new(Kind::Ledger, format!("no thread for the ledger: {error}"))
}
