//! The keys of one level of the attribute, taken by name.

use proc_macro2::TokenStream;
use quote::ToTokens as _;
use syn::{ExprPath, Lit, LitInt};
use tool_contract_spec::draft::{Field, Located};
use tool_contract_spec::rulebook::{Code, suggest};

use super::meta::{self, Entry, Value};
use crate::findings::Findings;
use crate::place::Place;

/// A key that may be written, and what it looks like.
pub(super) struct Known {
    /// Its name.
    pub(super) name: &'static str,
    /// What to write.
    pub(super) example: &'static str,
}

/// Words that people bring along from contracts and from other libraries.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("mode", "side_effect"),
    ("idempotency", "idempotent"),
    ("retries", "retry"),
    ("confirmation", "confirm"),
    ("compensate", "rollback"),
    ("limits", "rate_limit"),
    ("max_attempts", "max"),
    ("retry_on", "on"),
    ("template", "key"),
];

/// The entries of one level: those of the attribute itself, or of a group.
pub(super) struct Keys<'f> {
    entries: Vec<Entry>,
    known: &'static [Known],
    /// Names that were, or may have been, meant by unknown keys: that these
    /// are missing is no finding.
    meant: Vec<&'static str>,
    has_unknown: bool,
    /// What went wrong so far.
    pub(super) findings: &'f mut Findings,
}

impl<'f> Keys<'f> {
    /// Reads a level on which `known` may stand.
    pub(super) fn read(
        tokens: TokenStream,
        known: &'static [Known],
        findings: &'f mut Findings,
    ) -> Self {
        let mut keys =
            Self { entries: Vec::new(), known, meant: Vec::new(), has_unknown: false, findings };
        for entry in meta::entries(tokens, keys.findings) {
            keys.add(entry);
        }
        keys
    }

    /// Reads the inside of a group, where few keys may stand: one that nobody
    /// knows may have been any of them.
    pub(super) fn read_group(
        tokens: TokenStream,
        known: &'static [Known],
        findings: &'f mut Findings,
    ) -> Self {
        let mut keys = Self::read(tokens, known, findings);
        if keys.has_unknown {
            keys.meant = known.iter().map(|known| known.name).collect();
        }
        keys
    }

    fn add(&mut self, entry: Entry) {
        if !self.known.iter().any(|known| entry.name == known.name) {
            self.refuse_unknown(&entry);
        } else if self.entries.iter().any(|earlier| earlier.name == entry.name) {
            let message = format!("`{}` is given `{}` twice", self.findings.subject, entry.name);
            self.findings.add(
                Code::MALFORMED_FIELD,
                entry.name.span(),
                message,
                "keep one of the two",
            );
        } else {
            self.entries.push(entry);
        }
    }

    fn refuse_unknown(&mut self, entry: &Entry) {
        let word = entry.name.to_string();
        let message =
            format!("`{}` is declared with the unknown key `{word}`", self.findings.subject);
        let meant = likely(&word, self.known);
        self.meant.extend(meant.map(|known| known.name));
        self.has_unknown |= meant.is_none();
        let help = match meant {
            Some(known) => format!("did you mean `{}`? write `{}`", known.name, known.example),
            None => format!("what may stand here: {}", names(self.known)),
        };
        self.findings.add(Code::MALFORMED_FIELD, entry.name.span(), message, help);
    }

    /// Takes the key `name`, and reads its value.
    pub(super) fn take<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&Entry, &mut Findings) -> Read<T>,
    ) -> Field<T, Place> {
        let Some(at) = self.entries.iter().position(|entry| entry.name == name) else {
            return if self.meant.contains(&name) { Field::Refused } else { Field::Absent };
        };
        let entry = self.entries.swap_remove(at);
        match read(&entry, self.findings) {
            Ok(value) => Field::Given { key: entry.name.span().into(), value },
            Err(Unread::Refused) => Field::Refused,
            Err(Unread::Expected(expected)) => {
                self.refuse_kind(&entry, expected);
                Field::Refused
            }
        }
    }

    /// Takes a text.
    pub(super) fn text(&mut self, name: &'static str) -> Field<String, Place> {
        self.take(name, |entry, _| text(&entry.value))
    }

    /// Takes a whole number.
    pub(super) fn number(&mut self, name: &'static str) -> Field<u64, Place> {
        self.take(name, |entry, _| number(&entry.value))
    }

    /// Takes a switch: `name`, `name = true`, `name = false`.
    pub(super) fn flag(&mut self, name: &'static str) -> Field<bool, Place> {
        self.take(name, |entry, _| flag(entry))
    }

    fn refuse_kind(&mut self, Entry { name, value }: &Entry, expected: &str) {
        let message = format!(
            "`{}` is given {} for `{name}`, which takes {expected}",
            self.findings.subject,
            kind(value)
        );
        let example =
            self.known.iter().find(|known| name == known.name).map_or("", |known| known.example);
        let help = match value {
            Value::Path(path) if expected == TEXT => {
                format!("write `{name} = \"{}\"`", path_text(path))
            }
            _ => format!("write for instance `{example}`"),
        };
        self.findings.add(
            Code::MALFORMED_FIELD,
            value.place().unwrap_or_else(|| name.span().into()),
            message,
            help,
        );
    }
}

/// A value, or why there is none.
pub(super) type Read<T> = Result<Located<T, Place>, Unread>;

/// Why a value was not read.
pub(super) enum Unread {
    /// It is of another kind than this.
    Expected(&'static str),
    /// Something in it has a finding of its own.
    Refused,
}

const TEXT: &str = "a text";

/// `name`, `name = true`, `name = false`.
pub(super) fn flag(entry: &Entry) -> Read<bool> {
    match &entry.value {
        Value::Bare => Ok(Located::new(true, entry.name.span().into())),
        Value::Literal(Lit::Bool(literal)) => Ok(Located::new(literal.value, literal.span.into())),
        _ => Err(Unread::Expected("`true` or `false`")),
    }
}

/// A text between quotes.
pub(super) fn text(value: &Value) -> Read<String> {
    match value {
        Value::Literal(Lit::Str(literal)) => {
            Ok(Located::new(literal.value(), literal.span().into()))
        }
        _ => Err(Unread::Expected(TEXT)),
    }
}

/// A whole number. One that is too large for any rule stays too large.
pub(super) fn number(value: &Value) -> Read<u64> {
    match value {
        Value::Literal(Lit::Int(literal)) if !is_negative(literal) => {
            Ok(Located::new(literal.base10_parse().unwrap_or(u64::MAX), literal.span().into()))
        }
        _ => Err(Unread::Expected("a whole number")),
    }
}

fn is_negative(literal: &LitInt) -> bool {
    literal.base10_digits().starts_with('-')
}

/// A path as people write it: without the spaces between its tokens.
pub(super) fn path_text(path: &ExprPath) -> String {
    path.to_token_stream().to_string().replace(' ', "")
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Bare | Value::Missing(_) => "nothing",
        Value::Literal(Lit::Str(_)) => "a text",
        Value::Literal(Lit::Int(literal)) if is_negative(literal) => "a negative number",
        Value::Literal(Lit::Int(_)) => "a number",
        Value::Literal(Lit::Float(_)) => "a fraction",
        Value::Literal(Lit::Bool(_)) => "a truth value",
        Value::Literal(_) | Value::Other(_) => "something unreadable",
        Value::Path(_) => "a name",
        Value::List(..) => "a list",
        Value::Group(..) => "a group",
    }
}

fn likely(word: &str, known: &'static [Known]) -> Option<&'static Known> {
    let brought = OTHER_NAMES.iter().find(|(other, _)| *other == word).map(|(_, name)| *name);
    let find = |name: &str| known.iter().find(|known| known.name == name);
    brought
        .and_then(find)
        .or_else(|| suggest::likely(word, known.iter().map(|known| known.name)).and_then(find))
}

fn names(known: &[Known]) -> String {
    known.iter().map(|known| format!("`{}`", known.name)).collect::<Vec<_>>().join(", ")
}
