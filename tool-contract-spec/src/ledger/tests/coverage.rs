//! What random histories came across: a test that never gets anywhere proves
//! nothing.

use std::collections::BTreeSet;

use super::*;

/// The situations that were met, by name.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Coverage(BTreeSet<String>);

impl Coverage {
    fn met(&mut self, what: &str, value: &impl std::fmt::Debug) {
        let value = format!("{value:?}");
        // The name of the variant, without what is in it.
        let name = value.split([' ', '(', '{']).next().unwrap_or_default();
        self.0.insert(format!("{what} {name}"));
    }

    fn met_word(&mut self, words: &str) {
        self.0.insert(words.to_owned());
    }

    pub(super) fn state(&mut self, state: StateName) {
        self.met("state", &state);
    }

    pub(super) fn events(&mut self, events: &[Event]) {
        if let Some(event) = events.last() {
            self.met("event", &event.kind);
        }
    }

    pub(super) fn admitted(&mut self, answer: &Admitted) {
        match answer {
            Admitted::Refused(refusal) => self.met("refused", refusal),
            Admitted::Claimed(claim) if claim.in_doubt => self.met_word("admitted in doubt"),
            answer => self.met("admitted", answer),
        }
    }

    pub(super) fn found_again(&mut self) {
        self.met_word("admitted again");
    }

    pub(super) fn settled(&mut self, answer: &Settled) {
        self.met("settled", answer);
    }

    pub(super) fn reconciling(&mut self, answer: &ReconcileClaim) {
        self.met("reconciling", answer);
    }

    pub(super) fn reconciled(&mut self, answer: &Reconciled) {
        self.met("reconciled", answer);
    }

    pub(super) fn resolved(&mut self, answer: &Reconciled) {
        self.met("resolved", answer);
    }

    pub(super) fn decided(&mut self, answer: &Decided) {
        match answer {
            Decided::Refused(undecided) => self.met("undecided", undecided),
            answer => self.met("decided", answer),
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.0.extend(other.0.iter().cloned());
    }

    pub(super) fn names(&self) -> Vec<&str> {
        self.0.iter().map(String::as_str).collect()
    }
}
