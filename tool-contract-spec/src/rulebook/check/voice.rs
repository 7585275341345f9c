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

/// What somebody wrote, between backticks: cut where it is long, and without
/// anything that a terminal would act on.
pub(super) fn quoted(text: &str) -> String {
    const MOST: usize = 60;
    let shown: String = text.chars().take(MOST).flat_map(char::escape_debug).collect();
    let cut = if text.chars().nth(MOST).is_some() { "…" } else { "" };
    // `escape_debug` is made for string literals; here quotes end nothing.
    format!("`{}{cut}`", shown.replace("\\\"", "\"").replace("\\'", "'"))
}

/// `a`, `b` or `c`, each between backticks.
pub(super) fn one_of<S: AsRef<str>>(choices: &[S]) -> String {
    let quoted: Vec<String> =
        choices.iter().map(|choice| format!("`{}`", choice.as_ref())).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_listed() {
        assert_eq!(one_of::<&str>(&[]), "");
        assert_eq!(one_of(&["a"]), "`a`");
        assert_eq!(one_of(&["a", "b", "c"]), "`a`, `b` or `c`");
    }

    #[test]
    fn what_somebody_wrote_is_shown_harmlessly() {
        assert_eq!(quoted("it's \"ü\""), "`it's \"ü\"`");
        assert_eq!(quoted("\u{1b}[31m"), "`\\u{1b}[31m`");
        assert_eq!(quoted(&"x".repeat(61)), format!("`{}…`", "x".repeat(60)));
    }
}
