//! A script with its keys and arguments, written as they are sent.

use std::fmt;

use ::redis::{Cmd, Script, ToRedisArgs};

use crate::ledger::LedgerError;

/// Most calls have fewer arguments, and are shorter.
const ARGUMENTS: usize = 20;
const BYTES: usize = 2_048;

/// A script, its keys and its arguments.
pub(super) struct ScriptCall<'a> {
    pub(super) script: &'a Script,
    pub(super) command: Cmd,
}

impl<'a> ScriptCall<'a> {
    pub(super) fn new(script: &'a Script, keys: &[String]) -> Self {
        let mut command = Cmd::with_capacity(ARGUMENTS, BYTES);
        command.arg("EVALSHA").arg(script.get_hash()).arg(keys.len()).arg(keys);
        Self { script, command }
    }

    /// Adds an argument, or several.
    pub(super) fn arg(mut self, argument: impl ToRedisArgs) -> Self {
        self.command.arg(argument);
        self
    }

    /// Adds a text.
    pub(super) fn text(self, text: impl fmt::Display) -> Self {
        self.arg(text.to_string())
    }

    /// Adds a value as JSON.
    pub(super) fn json(self, value: &impl serde::Serialize) -> Result<Self, LedgerError> {
        // Not straight into the command, which takes many small pieces slowly.
        let mut json = Vec::with_capacity(BYTES);
        match serde_json::to_writer(&mut json, value) {
            Ok(()) => Ok(self.arg(json)),
            Err(error) => Err(LedgerError::Corrupt(format!(
                "a record cannot be written as JSON: {error}; nothing was written"
            ))),
        }
    }
}
