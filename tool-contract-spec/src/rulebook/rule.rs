//! What a rule is, and how its page reads.

use std::fmt;

use super::{Code, Level};

/// What a rule judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A declaration; a finding weighs so much unless a project raises it.
    Policy(Level),
    /// A call, while the program runs: it is refused, and nothing runs.
    Refusal,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policy(level) => level.fmt(f),
            Self::Refusal => f.write_str("refusal"),
        }
    }
}

/// A rule of the rulebook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Its stable code.
    pub code: Code,
    /// What it judges.
    pub kind: Kind,
    /// Its short name, `snake_case`.
    pub name: &'static str,
    /// What it says, in one sentence.
    pub title: &'static str,
    /// What to write, or to do, instead.
    pub help: &'static str,
    /// Its page, in Markdown: why it is there, with the incident that it
    /// prevents, and examples. Of a refusal: what was executed, and what to do
    /// next.
    pub page: &'static str,
}

/// A declaration that breaks a rule, and one that does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    /// It breaks this rule and no other.
    pub wrong: &'static str,
    /// It breaks none.
    pub right: &'static str,
}

impl Rule {
    /// The page's example in code: items for a file that begins with
    /// [`PRELUDE`](super::PRELUDE).
    #[must_use]
    pub fn attribute(&self) -> Option<Example> {
        self.example("rust")
    }

    /// The page's example in YAML: whole contract files.
    #[must_use]
    pub fn contract(&self) -> Option<Example> {
        self.example("yaml")
    }

    /// The page as `explain` prints it.
    #[must_use]
    pub fn explain(&self) -> String {
        let Self { code, kind, name, title, help, page } = self;
        format!("# {code} {name} ({kind})\n\n{title}.\n\n{page}\nIn short: {help}.\n")
    }

    fn example(&self, language: &str) -> Option<Example> {
        let fenced = |verdict| self.fenced(&format!("```{language} {verdict}\n"));
        Some(Example { wrong: fenced("wrong")?, right: fenced("right")? })
    }

    /// The text of the page between a fence and its end.
    fn fenced(&self, fence: &str) -> Option<&'static str> {
        let (_, text) = self.page.split_once(fence)?;
        text.split_once("```").map(|(text, _)| text)
    }
}
