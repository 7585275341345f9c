//! The language of a surface: findings speak as their reader writes.

use crate::draft::{Draft, Surface};

/// The tool's name, and how to name things to whoever wrote its draft.
#[derive(Debug, Clone, Copy)]
pub(super) struct Voice<'d> {
    /// The tool's name.
    pub(super) tool: &'d str,
    surface: Surface,
}

impl<'d> Voice<'d> {
    /// The voice in which to speak of a draft.
    pub(super) fn of<At>(draft: &'d Draft<At>) -> Self {
        Self { tool: &draft.name.value, surface: draft.surface }
    }

    /// What is said of an attribute, or of a contract file.
    pub(super) fn say<T>(self, attribute: T, contract: T) -> T {
        match self.surface {
            Surface::Attribute => attribute,
            Surface::Contract => contract,
        }
    }

    /// `name = "word"`, or `name: word`.
    pub(super) fn assign(self, name: &str, word: &str) -> String {
        self.say(format!("{name} = \"{word}\""), format!("{name}: {word}"))
    }

    /// `name = 3`, or `name: 3`.
    pub(super) fn assign_number(self, name: &str, number: &str) -> String {
        self.say(format!("{name} = {number}"), format!("{name}: {number}"))
    }
}

/// `a`, `b` or `c`, each between backticks.
pub(super) fn one_of<S: AsRef<str>>(choices: &[S]) -> String {
    let quoted: Vec<String> = choices.iter().map(|choice| format!("`{}`", choice.as_ref())).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}
