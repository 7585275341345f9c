//! A broken rule, at its place.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Code, Kind, rule};

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// A policy worth having; `check` shows it.
    Advise,
    /// A likely mistake; the compiler warns.
    Warn,
    /// It does not compile and does not pass `check`.
    Deny,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Advise => "advise",
            Self::Warn => "warn",
            Self::Deny => "deny",
        })
    }
}

/// A broken rule, at its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding<At> {
    /// Which rule.
    pub code: Code,
    /// How much it weighs.
    pub level: Level,
    /// Where.
    pub at: At,
    /// What is wrong, in one sentence that names the tool.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

impl<At> Finding<At> {
    /// A broken rule at its own level.
    pub fn new(code: Code, at: At, message: impl Into<String>, help: impl Into<String>) -> Self {
        let level = match rule(code).map(|rule| rule.kind) {
            Some(Kind::Policy(level)) => level,
            Some(Kind::Refusal) | None => Level::Deny,
        };
        Self { code, level, at, message: message.into(), help: help.into() }
    }
}
