//! Which drafts become policies, and what to say of the others.
//!
//! Every rule has one [`Rule`] here, one page that [`explain`] prints, and one
//! place where it is evaluated. The macro, the contract reader and the runtime
//! only differ in where they put the finding.

mod check;
mod code;
mod levels;
mod rule;
pub mod suggest;

pub use check::{Checked, check};
pub use code::{Code, MalformedCode};
pub use levels::Levels;
pub use rule::{Example, Kind, Rule};

/// What the attribute examples of the pages presuppose.
pub const PRELUDE: &str = "";

/// Every rule, by code.
pub static RULES: &[Rule] = &[];

/// The rule of a code.
#[must_use]
pub fn rule(code: Code) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.code == code)
}

/// The page of a rule.
#[must_use]
pub fn explain(code: Code) -> Option<String> {
    rule(code).map(|rule| rule.page.to_owned())
}

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// A policy worth having; `check` shows it.
    Advise,
    /// A likely mistake; the compiler warns.
    Warn,
    /// It does not compile and does not pass `check`.
    Deny,
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
