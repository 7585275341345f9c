//! What is wrong with a declaration, collected until all of it was read.

use proc_macro2::TokenStream;
use tool_contract_spec::rulebook::{Code, Finding, Level};

use crate::place::Place;

/// The broken rules of one tool or error type, in the order in which they
/// were found.
#[derive(Debug)]
pub(crate) struct Findings {
    /// The name that every message says.
    pub(crate) subject: String,
    list: Vec<Finding<Place>>,
}

impl Findings {
    /// No findings yet about `subject`.
    pub(crate) const fn new(subject: String) -> Self {
        Self { subject, list: Vec::new() }
    }

    /// Adds a broken rule at the rule's own level.
    pub(crate) fn add(
        &mut self,
        code: Code,
        at: impl Into<Place>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.list.push(Finding::new(code, at.into(), message, help));
    }

    /// Adds what the rulebook found.
    pub(crate) fn extend(&mut self, findings: impl IntoIterator<Item = Finding<Place>>) {
        self.list.extend(findings);
    }

    /// Whether something forbids that the declaration compiles.
    pub(crate) fn any_deny(&self) -> bool {
        self.at(Level::Deny).next().is_some()
    }

    /// What weighs exactly this much. Advice is for `check`, never for the
    /// compiler.
    pub(crate) fn at(&self, level: Level) -> impl Iterator<Item = &Finding<Place>> {
        self.list.iter().filter(move |finding| finding.level == level)
    }

    /// One compile error for each finding that forbids compiling.
    pub(crate) fn errors(&self) -> TokenStream {
        self.at(Level::Deny).map(|finding| finding.at.error(&text(finding))).collect()
    }
}

/// A finding as the compiler prints it: the reason in the headline, what to
/// write on the line below it.
pub(crate) fn text<At>(finding: &Finding<At>) -> String {
    let Finding { code, message, help, .. } = finding;
    format!("[{code}] {message}\nhelp: {help}")
}
