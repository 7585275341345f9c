//! The classes that stand in `#[outcome(..)]`.

use proc_macro2::{TokenStream, TokenTree};
use syn::Attribute;
use tool_contract_spec::outcome::{Cause, OutcomeClass};
use tool_contract_spec::rulebook::{Code, suggest};

use crate::findings::Findings;
use crate::place::Place;

/// What stands in `#[outcome(..)]`, as one text: `retryable_failure(network)`.
pub(super) struct Word {
    /// All of it, without spaces.
    pub(super) text: String,
    /// Where it stands.
    pub(super) place: Place,
    /// The cause in its parentheses.
    cause: Option<(String, Place)>,
}

impl Word {
    /// Reads the attribute's tokens.
    pub(super) fn read(attribute: &Attribute) -> Self {
        let tokens = match &attribute.meta {
            syn::Meta::List(list) => list.tokens.clone(),
            _ => TokenStream::new(),
        };
        let place = if tokens.is_empty() { Place::of(attribute) } else { Place::of(&tokens) };
        let cause = tokens.clone().into_iter().nth(1).and_then(|token| match token {
            TokenTree::Group(group) => {
                Some((group.stream().to_string(), Place::of(group.stream())))
            }
            _ => None,
        });
        Self { text: tokens.to_string().replace(' ', ""), place, cause }
    }

    /// The class that it names; else a finding (TC0023).
    pub(super) fn class(&self, subject: &str, findings: &mut Findings) -> Option<OutcomeClass> {
        let mut refuse = |place: Place, message: String, help: String| {
            findings.add(Code::UNCLASSIFIED_ERROR, place, message, help);
            None
        };
        match self.text.parse() {
            Ok(OutcomeClass::Success) => {
                let help = format!("return it as `Ok(..)`; an error is one of: {}", listed());
                refuse(
                    self.place,
                    format!("`{subject}` is an error, and is classified as a success"),
                    help,
                )
            }
            Ok(class) => Some(class),
            Err(_) => {
                let (word, place, words) = match &self.cause {
                    Some((cause, place)) if self.text.starts_with("retryable_failure(") => {
                        (cause, *place, causes())
                    }
                    _ => (&self.text, self.place, classes()),
                };
                let help = match suggest::likely(word, words.iter().copied()) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!("write one of: {}", quoted(&words)),
                };
                refuse(
                    place,
                    format!("`{subject}` is classified as `{word}`, which is no outcome class"),
                    help,
                )
            }
        }
    }
}

fn classes() -> Vec<&'static str> {
    let classes =
        OutcomeClass::ALL.map(OutcomeClass::as_str).into_iter().filter(|class| *class != "success");
    let mut classes = classes.chain(["transparent"]).collect::<Vec<_>>();
    classes.dedup();
    classes
}

fn causes() -> Vec<&'static str> {
    Cause::ALL.map(Cause::as_str).to_vec()
}

/// Every class, for a person to choose from.
pub(super) fn listed() -> String {
    quoted(&classes())
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
