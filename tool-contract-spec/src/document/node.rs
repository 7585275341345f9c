//! YAML as a small tree of values with their places.
//!
//! Everything here is the parser's; nothing knows what a contract is. The tree
//! keeps keys that are written twice, so that the reader can say so and go on.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::budget::BudgetBreach;
use serde_yaml::{
    DuplicateKeyPolicy, Error, Location, MergeKeyPolicy, MessageFormatter, NonFiniteFloatPolicy,
    Options, Spanned, UserMessageFormatter,
};

use super::{DEEPEST_NESTING, LARGEST_FILE, MOST_ALIASES, MOST_NODES, Position, Unreadable};
use crate::draft::Located;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) at: Position,
}

/// A key and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) at: Position,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    /// Numbers beyond `u64` and `i64` are floats, as in JSON.
    Number(serde_json::Number),
    Text(String),
    List(Vec<Node>),
    /// In the order of the file, with repetitions.
    Map(Vec<(Name, Node)>),
}

impl Node {
    /// The text, with its place.
    pub(super) fn word(&self) -> Option<Located<String, Position>> {
        match &self.kind {
            Kind::Text(text) => Some(Located::new(text.clone(), self.at)),
            _ => None,
        }
    }
}

impl Kind {
    /// What it is, for a sentence that says what it should have been.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Null => "nothing".to_owned(),
            Self::Bool(flag) => format!("`{flag}`"),
            Self::Number(number) => format!("the number `{number}`"),
            Self::Text(text) if text.chars().count() <= LONGEST_QUOTE => {
                format!("the text `{}`", text.escape_debug())
            }
            Self::Text(_) => "a text".to_owned(),
            Self::List(_) => "a list".to_owned(),
            Self::Map(_) => "a map".to_owned(),
        }
    }

    /// The first value under a key.
    pub(super) fn field(&self, name: &str) -> Option<&Node> {
        let Self::Map(fields) = self else { return None };
        fields.iter().find(|(key, _)| key.text == name).map(|(_, node)| node)
    }

    /// A whole number from 0; all that exceed `u64` are its greatest.
    pub(super) fn count(&self) -> Option<u64> {
        let Self::Number(number) = self else { return None };
        // The parser hands integers beyond `u64` over as floats.
        let beyond = || number.as_f64().filter(|float| *float >= BEYOND_U64).map(|_| u64::MAX);
        number.as_u64().or_else(beyond)
    }
}

/// How much of a text is repeated in a sentence about it.
const LONGEST_QUOTE: usize = 40;

/// 2^64.
const BEYOND_U64: f64 = 18_446_744_073_709_551_616.0;

/// Parses one YAML document, within the limits of [`super`].
pub(super) fn parse(text: &str) -> Result<Node, Unreadable> {
    if text.len() > LARGEST_FILE {
        return Err(Unreadable {
            at: None,
            message: format!(
                "the file has {} bytes; a contract has at most {LARGEST_FILE}",
                text.len()
            ),
            help: String::new(),
        });
    }
    serde_yaml::from_str_with_options(text, options()).map_err(|error| unreadable(&error))
}

/// The one way in which this crate reads YAML.
///
/// Strict, because a reviewer and every other reader must see what we see:
/// only `true` and `false` are booleans, `0755` and `1_000` are text, `<<` is a
/// key like any other, and tags that change a meaning are refused. Keys that
/// are written twice are passed through, for the tree to keep.
fn options() -> Options {
    serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_depth: DEEPEST_NESTING,
            flow_nesting_limit: 2 * DEEPEST_NESTING, // so that `max_depth` speaks first
            max_nodes: MOST_NODES,
            max_events: 3 * MOST_NODES,
            max_aliases: MOST_ALIASES,
            max_anchors: MOST_ALIASES,
            max_recorded_anchor_events: MOST_NODES,
            max_recorded_anchor_bytes: LARGEST_FILE,
            max_documents: 1,
            max_total_scalar_bytes: LARGEST_FILE,
        },
        alias_limits: serde_yaml::alias_limits! {
            max_total_replayed_events: MOST_NODES,
            max_replay_stack_depth: 8,
        },
        emit_comments: false,
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::AsOrdinary,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        non_finite_float_policy: NonFiniteFloatPolicy::Reject,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

fn unreadable(error: &Error) -> Unreadable {
    let (message, help) = explain(innermost(error));
    Unreadable { at: error.location().and_then(position), message, help: help.to_owned() }
}

/// The error itself, without the wrappers that tell of aliases.
fn innermost(mut error: &Error) -> &Error {
    while let Error::AliasError { error: inner, .. } | Error::WithSnippet { error: inner, .. } =
        error
    {
        error = inner;
    }
    error
}

/// The parser's error in words for somebody who wrote a contract.
fn explain(error: &Error) -> (String, &'static str) {
    match error {
        Error::Budget { breach, .. } => explain_limit(breach),
        Error::AliasReplayLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. } => {
            ("the aliases (`*name`) repeat too much".to_owned(), "write the values out")
        }
        Error::RecursiveReferencesRequireWeakTypes { .. } => {
            ("an anchor contains an alias of itself".to_owned(), "write the value out")
        }
        Error::NullIntoString { .. } | Error::Unexpected { .. } => {
            ("a key is a word, not a list, a map or nothing".to_owned(), "")
        }
        Error::NonFiniteFloat { value, .. } => {
            (format!("`{value}` is no number that a contract can hold"), "quote it if it is text")
        }
        Error::UnknownAnchor { .. } => ("the alias names no anchor of this file".to_owned(), ""),
        other => explain_syntax(&UserMessageFormatter.format_message(other)),
    }
}

/// The parser's own words, and a hint for the mistakes that hands make most.
fn explain_syntax(words: &str) -> (String, &'static str) {
    let help = if words.starts_with("tabs") {
        "indent with spaces"
    } else if words.starts_with("mapping values") {
        "check the indentation, and quote a text that has `: ` in it"
    } else {
        ""
    };
    let visible = words
        .chars()
        .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] });
    (format!("this is not YAML: {}", visible.collect::<String>()), help)
}

fn explain_limit(breach: &BudgetBreach) -> (String, &'static str) {
    match breach {
        BudgetBreach::Depth { .. } => {
            (format!("maps and lists stand deeper in one another than {DEEPEST_NESTING}"), "")
        }
        BudgetBreach::Documents { .. } => {
            ("a second document begins".to_owned(), "a contract is one document: remove the `---`")
        }
        BudgetBreach::Nodes { .. } | BudgetBreach::Events { .. } => {
            (format!("the file has more than {MOST_NODES} values"), "")
        }
        BudgetBreach::Aliases { .. } | BudgetBreach::Anchors { .. } => (
            format!("the file has more than {MOST_ALIASES} anchors or aliases"),
            "write the values out",
        ),
        BudgetBreach::RecordedAnchorEvents { .. }
        | BudgetBreach::RecordedAnchorBytes { .. }
        | BudgetBreach::AliasAnchorRatio { .. } => {
            ("the aliases (`*name`) repeat too much".to_owned(), "write the values out")
        }
        other => (format!("a limit of the YAML reader is passed ({other:?})"), ""),
    }
}

/// The parser's place as ours; it has 0 where it does not know.
fn position(location: Location) -> Option<Position> {
    let line = usize::try_from(location.line()).ok().filter(|line| *line > 0)?;
    let column = usize::try_from(location.column()).ok().filter(|column| *column > 0)?;
    Some(Position { line, column })
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Kind>::deserialize(deserializer)?;
        let at = position(spanned.referenced).unwrap_or(Position::START);
        Ok(Self { kind: spanned.value, at })
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<String>::deserialize(deserializer)?;
        let at = position(spanned.referenced).unwrap_or(Position::START);
        Ok(Self { text: spanned.value, at })
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KindVisitor)
    }
}

struct KindVisitor;

impl<'de> Visitor<'de> for KindVisitor {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Kind, E> {
        Ok(Kind::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Kind, E> {
        Ok(Kind::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Kind, E> {
        Ok(Kind::Number(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Kind, E> {
        serde_json::Number::from_f64(value)
            .map(Kind::Number)
            .ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Kind, E> {
        Ok(Kind::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Kind, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Kind::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Kind, A::Error> {
        let mut map = Vec::new();
        while let Some(field) = fields.next_entry()? {
            map.push(field);
        }
        Ok(Kind::Map(map))
    }
}
