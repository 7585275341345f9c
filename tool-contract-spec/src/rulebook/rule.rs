//! What a rule is, and how its page reads.

use super::{Code, Level};

/// What a rule judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A declaration; a finding weighs so much unless a project raises it.
    Policy(Level),
    /// A call, while the program runs: it is refused, and nothing runs.
    Refusal,
}

/// A declaration that breaks a rule, and the one that keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    /// It breaks this rule and no other.
    pub wrong: &'static str,
    /// It breaks none.
    pub right: &'static str,
}

/// A rule of the rulebook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Its stable code.
    pub code: Code,
    /// What it judges.
    pub kind: Kind,
    /// Its short name.
    pub name: &'static str,
    /// What it says, in one sentence.
    pub title: &'static str,
    /// What to write, or to do, instead.
    pub help: &'static str,
    /// Why it is there: the incident that it prevents. Of a refusal: what was
    /// executed and what was not.
    pub page: &'static str,
    /// In code: complete items, for a file that has [`PRELUDE`](super::PRELUDE).
    pub attribute: Option<Example>,
    /// In YAML: complete contract files.
    pub contract: Option<Example>,
}
