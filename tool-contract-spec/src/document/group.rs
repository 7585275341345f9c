//! The fields of one map of the tree, each taken once and by name.

use std::collections::BTreeMap;

use super::Position;
use super::node::{Kind, Name, Node};
use crate::draft::{Field, Located};
use crate::rulebook::{Code, Finding, suggest};

/// A tool while it is read: what is found out about it, and where things stand.
pub(super) struct Reader<'t> {
    /// How findings name it.
    pub(super) tool: &'t str,
    pub(super) findings: Vec<Finding<Position>>,
    /// Each field that is written, by its path.
    pub(super) stated: BTreeMap<String, Position>,
}

/// A map of named fields.
pub(super) struct Group<'n> {
    /// What stands before its fields' names, as in `retry.`.
    prefix: String,
    /// Itself, as a field of what encloses it.
    pub(super) itself: Field<(), Position>,
    /// The fields that are usable, and those that are not.
    slots: Vec<(&'n str, Slot<'n>)>,
}

#[derive(Clone, Copy)]
enum Slot<'n> {
    Refused,
    Given { key: Position, node: &'n Node },
}

impl<'n> Group<'n> {
    /// A group that is not written, or that already has a finding: its fields
    /// are what it is.
    fn without_fields(prefix: String, itself: Field<(), Position>) -> Self {
        Self { prefix, itself, slots: Vec::new() }
    }

    /// A field, whatever stands there.
    pub(super) fn slot(&self, name: &str) -> Field<&'n Node, Position> {
        let found = self.slots.iter().find(|(slot, _)| *slot == name);
        match (found, &self.itself) {
            (Some((_, Slot::Given { key, node })), _) => {
                Field::Given { key: *key, value: Located::new(*node, node.at) }
            }
            (Some((_, Slot::Refused)), _) | (None, Field::Refused) => Field::Refused,
            (None, _) => Field::Absent,
        }
    }

    /// `value` as what the group says, if the group is there.
    pub(super) fn wrap<T>(&self, value: T) -> Field<T, Position> {
        match &self.itself {
            Field::Absent => Field::Absent,
            Field::Refused => Field::Refused,
            Field::Given { key, value: at } => {
                Field::Given { key: *key, value: Located::new(value, at.at) }
            }
        }
    }

    /// Whether a field of it is written but refused.
    pub(super) fn has_refused(&self) -> bool {
        self.slots.iter().any(|(_, slot)| matches!(slot, Slot::Refused))
    }

    /// The names of the fields that are written and usable, in their order.
    pub(super) fn names(&self) -> impl Iterator<Item = &'n str> {
        self.slots
            .iter()
            .filter(|(_, slot)| matches!(slot, Slot::Given { .. }))
            .map(|(name, _)| *name)
    }

    fn path(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

impl<'t> Reader<'t> {
    pub(super) const fn new(tool: &'t str) -> Self {
        Self { tool, findings: Vec::new(), stated: BTreeMap::new() }
    }

    /// A finding that names the tool.
    pub(super) fn report(
        &mut self,
        code: Code,
        at: Position,
        message: &str,
        help: impl Into<String>,
    ) {
        self.findings.push(Finding::new(code, at, format!("`{}`: {message}", self.tool), help));
    }

    /// A field that is unknown, given twice or of the wrong kind.
    pub(super) fn wrong(&mut self, at: Position, message: &str, help: impl Into<String>) {
        self.report(Code::MALFORMED_FIELD, at, message, help);
    }

    /// The fields of a tool's entry.
    pub(super) fn entry<'n>(
        &mut self,
        at: Position,
        node: &'n Node,
        known: &[&'n str],
    ) -> Group<'n> {
        let itself = Field::Given { key: at, value: Located::new((), node.at) };
        match &node.kind {
            Kind::Map(fields) => self.fields(String::new(), itself, fields, known),
            other => {
                let message =
                    format!("its entry must be a map of fields, not {}", other.describe());
                self.wrong(
                    node.at,
                    &message,
                    "write at least `mode: read`, `write` or `destructive`",
                );
                Group::without_fields(String::new(), Field::Refused)
            }
        }
    }

    /// The fields of the map that is a field of another.
    pub(super) fn group<'n>(
        &mut self,
        parent: &Group<'n>,
        name: &str,
        known: &[&'n str],
    ) -> Group<'n> {
        let path = parent.path(name);
        let prefix = format!("{path}.");
        let (key, value) = match parent.slot(name) {
            Field::Given { key, value } => (key, value),
            Field::Absent => return Group::without_fields(prefix, Field::Absent),
            Field::Refused => return Group::without_fields(prefix, Field::Refused),
        };
        if let Kind::Map(fields) = &value.value.kind {
            let itself = Field::Given { key, value: Located::new((), value.at) };
            return self.fields(prefix, itself, fields, known);
        }
        let help = match (&value.value.kind, known.first()) {
            (Kind::Text(text), Some(first)) if known.len() == 2 => {
                format!("write `{name}: {{ {first}: {text} }}`")
            }
            _ => format!("its fields are {}", listed(known)),
        };
        self.wrong_kind(&path, value.value, "a map of fields", &help);
        Group::without_fields(prefix, Field::Refused)
    }

    fn fields<'n>(
        &mut self,
        prefix: String,
        itself: Field<(), Position>,
        fields: &'n [(Name, Node)],
        known: &[&'n str],
    ) -> Group<'n> {
        let mut group = Group { prefix, itself, slots: Vec::new() };
        for (name, node) in fields {
            if let Some((_, slot)) = group.slots.iter().find(|(slot, _)| *slot == name.text) {
                let first = if let Slot::Given { key, .. } = slot { Some(*key) } else { None };
                self.repeated(&group.path(&name.text), name.at, first);
            } else if known.contains(&name.text.as_str()) {
                self.stated.insert(group.path(&name.text), name.at);
                group.slots.push((&name.text, Slot::Given { key: name.at, node }));
            } else if let Some(meant) = self.unknown(&group, name, known) {
                // A field that is there under its right name keeps its value.
                if !fields.iter().any(|(other, _)| other.text == meant) {
                    group.slots.push((meant, Slot::Refused));
                }
            }
        }
        group
    }

    /// Reports a field that does not exist; answers the one that was meant.
    fn unknown<'n>(
        &mut self,
        group: &Group<'n>,
        name: &Name,
        known: &[&'n str],
    ) -> Option<&'n str> {
        let meant = suggest::likely(&name.text, known.iter().copied());
        let help = match meant {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if name.text == "<<" => {
                "merge keys are not read here: write the fields out".to_owned()
            }
            None => format!("the fields here are {}", listed(known)),
        };
        let message = format!("there is no field `{}`", group.path(&name.text));
        self.wrong(name.at, &message, help);
        meant
    }

    /// A field that is given again.
    pub(super) fn repeated(&mut self, path: &str, at: Position, first: Option<Position>) {
        let help = first
            .map_or_else(String::new, |first| format!("the first one stands at {first}; keep one"));
        self.wrong(at, &format!("`{path}` is given twice"), help);
    }

    pub(super) fn wrong_kind(&mut self, path: &str, node: &Node, wanted: &str, help: &str) {
        let message = format!("`{path}` must be {wanted}, not {}", node.kind.describe());
        self.wrong(node.at, &message, help);
    }

    /// A field of one kind: `take` reads it, or the field is refused.
    fn take<'n, T>(
        &mut self,
        group: &Group<'n>,
        name: &str,
        (wanted, help): (&str, &str),
        take: impl FnOnce(&'n Node) -> Option<T>,
    ) -> Field<T, Position> {
        let (key, node) = match group.slot(name) {
            Field::Given { key, value } => (key, value.value),
            Field::Absent => return Field::Absent,
            Field::Refused => return Field::Refused,
        };
        let Some(value) = take(node) else {
            self.wrong_kind(&group.path(name), node, wanted, help);
            return Field::Refused;
        };
        Field::Given { key, value: Located::new(value, node.at) }
    }

    /// A text; `example` is what somebody might write.
    pub(super) fn text(
        &mut self,
        group: &Group<'_>,
        name: &str,
        example: &str,
    ) -> Field<String, Position> {
        let help = format!("write for instance `{name}: {example}`");
        self.take(group, name, ("text", &help), |node| match &node.kind {
            Kind::Text(text) => Some(text.clone()),
            _ => None,
        })
    }

    /// A time span, as written.
    pub(super) fn span(&mut self, group: &Group<'_>, name: &str) -> Field<String, Position> {
        let help = format!("write an integer and a unit, as in `{name}: 30s`");
        self.take(group, name, ("a time span", &help), |node| match &node.kind {
            Kind::Text(text) => Some(text.clone()),
            _ => None,
        })
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, group: &Group<'_>, name: &str) -> Field<bool, Position> {
        let help = "`yes`, `no`, `on` and `off` are text in YAML 1.2";
        self.take(group, name, ("`true` or `false`", help), |node| match node.kind {
            Kind::Bool(flag) => Some(flag),
            _ => None,
        })
    }

    /// A whole number from 0; `u64::MAX` stands for all that are greater.
    pub(super) fn count(&mut self, group: &Group<'_>, name: &str) -> Field<u64, Position> {
        self.take(group, name, ("a whole number", "write it without quotes, as in `3`"), |node| {
            node.kind.count()
        })
    }

    /// A list of words, each with its place.
    pub(super) fn words(
        &mut self,
        group: &Group<'_>,
        name: &str,
    ) -> Field<Vec<Located<String, Position>>, Position> {
        let Field::Given { value, .. } = group.slot(name) else {
            return self.take(group, name, ("", ""), |_| None);
        };
        let items = match &value.value.kind {
            Kind::List(items) => items,
            Kind::Text(text) => {
                let help = format!("write `{name}: [{text}]`");
                return self.take(group, name, ("a list of words", &help), |_| None);
            }
            _ => return self.take(group, name, ("a list of words", ""), |_| None),
        };
        if let Some(other) = items.iter().find(|item| item.word().is_none()) {
            self.wrong_kind(
                &group.path(name),
                other,
                "a list of words",
                "quote what is meant as text",
            );
            return Field::Refused;
        }
        self.take(group, name, ("", ""), |_| items.iter().map(Node::word).collect())
    }
}

/// `a, b and c`, each as code.
pub(super) fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        None => "none".to_owned(),
        Some((only, [])) => only.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}
