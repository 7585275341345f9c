//! Which data this process has seen: that they are gone must not go unnoticed.
//!
//! The ledger as a whole and each tool have an incarnation, a random name that
//! is given once. It is remembered here, and each script compares it with the one
//! that is there; so does it compare how many steps were made.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use ::redis::Script;

use super::answer::{Parts, strange};
use super::call::ScriptCall;
use super::fault::Loss;
use super::keys::{Keys, ToolKeys};
use super::line::Line;
use super::scripts::Scripts;
use crate::ledger::LedgerError;

/// How what is stored is written. A ledger of another format is not touched.
const FORMAT: &str = "1";

/// What is known of one tool.
pub(super) struct KnownTool {
    pub(super) name: String,
    pub(super) keys: ToolKeys,
    incarnation: String,
    /// How many steps the server has said were made.
    steps: AtomicU64,
    /// That the newest were lost. Others make new ones, so it is remembered.
    lost: OnceLock<LedgerError>,
}

impl KnownTool {
    /// A call of a script on the tool, which is given first what is known of it.
    pub(super) fn call<'a>(&self, script: &'a Script, keys: &[String]) -> ScriptCall<'a> {
        let steps = self.steps.load(Ordering::SeqCst);
        ScriptCall::new(script, keys).arg(&self.incarnation).arg(steps)
    }

    /// What an answer says was lost of it.
    pub(super) fn lost(&self, line: &Line, answer: &mut Parts) -> LedgerError {
        match loss(answer) {
            Ok(loss) => {
                let error = loss.explain(line.place(), &self.name);
                tracing::error!(target: "tool_contract", %error, tool = self.name, "data lost");
                if loss == Loss::Steps {
                    let _ = self.lost.set(error.clone());
                }
                error
            }
            Err(error) => error,
        }
    }

    /// Takes note of how many steps were made.
    pub(super) fn made(&self, steps: u64) {
        self.steps.fetch_max(steps, Ordering::SeqCst);
    }
}

/// The tools that this process has used.
pub(super) struct Tools {
    /// The ledger's incarnation.
    pub(super) ledger: String,
    known: Mutex<HashMap<String, Arc<KnownTool>>>,
}

impl Tools {
    /// Finds the ledger at the other end of the line, or begins one.
    pub(super) async fn open(
        line: &Line,
        scripts: &Scripts,
        keys: &Keys,
        must_exist: bool,
    ) -> Result<Self, LedgerError> {
        let name = if must_exist { String::new() } else { new_name() };
        let call = ScriptCall::new(&scripts.begin_ledger, &[keys.ledger()]).arg(name).arg(FORMAT);
        let mut answer = line.run(call).await?;
        let Some(ledger) = answer.maybe_text()? else {
            return Err(LedgerError::Lost(format!(
                "Redis at {} has no ledger under `{}`, and it must exist: restore its data, or open it without \
                 `must_exist` to begin anew",
                line.place(),
                keys.ledger()
            )));
        };
        let format = answer.maybe_text()?.unwrap_or_default();
        if format != FORMAT {
            return Err(LedgerError::Corrupt(format!(
                "the ledger in Redis at {} has format `{format}`, and this version reads `{FORMAT}`: use the version \
                 that wrote it, or another prefix",
                line.place()
            )));
        }
        Ok(Self { ledger, known: Mutex::default() })
    }

    /// What is known of a tool; the first time the ledger is asked.
    pub(super) async fn get(
        &self,
        line: &Line,
        scripts: &Scripts,
        keys: &Keys,
        tool: &str,
    ) -> Result<Arc<KnownTool>, LedgerError> {
        if let Some(known) = self.known().get(tool) {
            return match known.lost.get() {
                Some(lost) => Err(lost.clone()),
                None => Ok(Arc::clone(known)),
            };
        }
        let incarnation = self.incarnation(line, scripts, keys, tool).await?;
        let known = KnownTool {
            name: tool.to_owned(),
            keys: keys.of(tool),
            incarnation,
            steps: AtomicU64::new(0),
            lost: OnceLock::new(),
        };
        Ok(Arc::clone(self.known().entry(tool.to_owned()).or_insert_with(|| Arc::new(known))))
    }

    async fn incarnation(
        &self,
        line: &Line,
        scripts: &Scripts,
        keys: &Keys,
        tool: &str,
    ) -> Result<String, LedgerError> {
        let noted = self.register(line, scripts, keys, [tool, &new_name(), "?"]).await?;
        if let Some(confirmed) = noted.strip_prefix('!') {
            return Ok(confirmed.to_owned());
        }
        let noted = noted.strip_prefix('?').unwrap_or(&noted).to_owned();
        let meta = keys.of(tool).meta();
        let call = ScriptCall::new(&scripts.begin_tool, &[meta]).arg(noted);
        let mut answer = line.run(call).await?;
        answer.text()?;
        let begun = answer.text()?;
        self.register(line, scripts, keys, [tool, &begun, "!"]).await?;
        Ok(begun)
    }

    async fn register(
        &self,
        line: &Line,
        scripts: &Scripts,
        keys: &Keys,
        [tool, incarnation, sure]: [&str; 3],
    ) -> Result<String, LedgerError> {
        let call = ScriptCall::new(&scripts.register, &[keys.ledger(), keys.tools()]).arg(&[
            &*self.ledger,
            tool,
            incarnation,
            sure,
        ]);
        let mut answer = line.run(call).await?;
        match &*answer.text()? {
            "known" => answer.text(),
            "lost" => Err(loss(&mut answer)?.explain(line.place(), tool)),
            other => Err(strange(&format!("`{other}`"))),
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Arc<KnownTool>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A name that nobody else gives.
fn new_name() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// What an answer says was lost.
pub(super) fn loss(answer: &mut Parts) -> Result<Loss, LedgerError> {
    let word = answer.text()?;
    let found = Loss::ALL.iter().find(|(name, _)| *name == word);
    found.map(|(_, loss)| *loss).ok_or_else(|| strange(&format!("that `{word}` is lost")))
}
