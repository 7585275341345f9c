//! `arguments` and `output`: the schemas, and what they say of the arguments.

use serde_json::{Map, Value};

use super::Position;
use super::group::{Group, Reader, listed};
use super::node::{Kind, Name, Node};
use crate::draft::{ArgumentDraft, Field, Located};
use crate::policy::{Argument, ArgumentRole, Contract};
use crate::rulebook::suggest;

/// What an entry says of its arguments.
pub(super) struct Arguments {
    /// The arguments, where the schema names them.
    pub(super) drafts: Option<Vec<ArgumentDraft<Position>>>,
    pub(super) schema: Option<Value>,
    /// Those whose role is stated.
    roles: Vec<(Located<String, Position>, ArgumentRole)>,
}

impl Arguments {
    /// `contract` with the roles that are stated, where no schema named every
    /// argument to the rulebook.
    pub(super) fn fold_into(self, contract: Contract) -> Contract {
        if self.drafts.is_some() {
            return contract;
        }
        let named =
            self.roles.into_iter().map(|(name, role)| Argument { name: name.value.into(), role });
        Contract { arguments: named.collect(), ..contract }
    }
}

pub(super) fn read(reader: &mut Reader<'_>, fields: &Group<'_>) -> Arguments {
    let group = reader.group(fields, "arguments", &["ignored", "secret", "schema"]);
    let roles = roles(reader, &group);
    let Some(node) = schema_node(reader, &group, "arguments.schema") else {
        return Arguments { drafts: None, schema: None, roles };
    };
    let properties = properties(node);
    if let Some(properties) = properties {
        expect_named(reader, properties, &roles);
    }
    let schema = json(reader, "arguments.schema", node);
    let drafts = properties.map(|properties| drafts(properties, &schema, &roles));
    Arguments { drafts, schema: Some(schema), roles }
}

pub(super) fn output_schema(reader: &mut Reader<'_>, fields: &Group<'_>) -> Option<Value> {
    let group = reader.group(fields, "output", &["schema"]);
    schema_node(reader, &group, "output.schema").map(|node| json(reader, "output.schema", node))
}

/// The arguments whose role is stated, each once.
fn roles(
    reader: &mut Reader<'_>,
    group: &Group<'_>,
) -> Vec<(Located<String, Position>, ArgumentRole)> {
    let mut roles: Vec<(Located<String, Position>, ArgumentRole)> = Vec::new();
    for (name, role) in [("ignored", ArgumentRole::Ignored), ("secret", ArgumentRole::Secret)] {
        let Field::Given { value: words, .. } = reader.words(group, name) else { continue };
        for word in words.value {
            match roles.iter().find(|(earlier, _)| earlier.value == word.value) {
                Some((earlier, _)) => {
                    let first = earlier.at;
                    reader.repeated(&word.value, word.at, Some(first));
                }
                None => roles.push((word, role)),
            }
        }
    }
    roles
}

/// A schema is a map, or `true` where anything fits.
fn schema_node<'n>(reader: &mut Reader<'_>, group: &Group<'n>, path: &str) -> Option<&'n Node> {
    let Field::Given { value, .. } = group.slot("schema") else { return None };
    if matches!(value.value.kind, Kind::Map(_) | Kind::Bool(_)) {
        return Some(value.value);
    }
    let help = "a JSON Schema is a map, or `true` where anything fits";
    reader.wrong_kind(path, value.value, "a JSON Schema", help);
    None
}

/// The properties of the schema of an object; `None` where they are not named
/// in one place.
fn properties(schema: &Node) -> Option<&[(Name, Node)]> {
    const ELSEWHERE: [&str; 4] = ["$ref", "allOf", "anyOf", "oneOf"];
    match schema.kind.field("properties").map(|node| &node.kind) {
        Some(Kind::Map(properties)) => Some(properties),
        Some(_) => None,
        None if ELSEWHERE.iter().any(|keyword| schema.kind.field(keyword).is_some()) => None,
        // A function without arguments has a schema without properties.
        None => matches!(schema.kind, Kind::Map(_)).then_some(&[]),
    }
}

fn expect_named(
    reader: &mut Reader<'_>,
    properties: &[(Name, Node)],
    roles: &[(Located<String, Position>, ArgumentRole)],
) {
    let names: Vec<&str> = properties.iter().map(|(name, _)| name.text.as_str()).collect();
    for (word, _) in roles.iter().filter(|(word, _)| !names.contains(&word.value.as_str())) {
        let help = suggest::likely(&word.value, names.iter().copied()).map_or_else(
            || format!("the arguments of its schema are {}", listed(&names)),
            |meant| format!("did you mean `{meant}`?"),
        );
        reader.wrong(word.at, &format!("`{}` is no argument of it", word.value), help);
    }
}

fn drafts(
    properties: &[(Name, Node)],
    schema: &Value,
    roles: &[(Located<String, Position>, ArgumentRole)],
) -> Vec<ArgumentDraft<Position>> {
    let draft = |(name, _): &(Name, Node)| {
        let role = roles.iter().find(|(word, _)| word.value == name.text);
        let schema = &schema["properties"][&name.text];
        ArgumentDraft {
            name: Located::new(name.text.clone(), name.at),
            role: role.map_or(ArgumentRole::Hashed, |(_, role)| *role),
            is_text: is_text(schema),
            has_float: has_float(schema),
        }
    };
    properties.iter().map(draft).collect()
}

/// Whether a schema is that of a `String`, or of an optional one: text that
/// nothing else restricts.
fn is_text(schema: &Value) -> bool {
    const RESTRICTED: [&str; 5] = ["format", "enum", "const", "pattern", "contentEncoding"];
    is_of_type(schema, "string") && RESTRICTED.iter().all(|keyword| schema.get(keyword).is_none())
}

/// Whether a float stands anywhere in a schema.
fn has_float(schema: &Value) -> bool {
    is_of_type(schema, "number")
        || match schema {
            Value::Array(items) => items.iter().any(has_float),
            Value::Object(fields) => fields.values().any(has_float),
            _ => false,
        }
}

/// Whether a schema's `type` is this one, or names it beside others.
fn is_of_type(schema: &Value, wanted: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(only)) => only == wanted,
        Some(Value::Array(several)) => several.iter().any(|one| one == wanted),
        _ => false,
    }
}

/// A node as JSON; keys that are given twice are reported, and the first stands.
fn json(reader: &mut Reader<'_>, path: &str, node: &Node) -> Value {
    match &node.kind {
        Kind::Null => Value::Null,
        Kind::Bool(flag) => Value::Bool(*flag),
        Kind::Number(number) => Value::Number(number.clone()),
        Kind::Text(text) => Value::String(text.clone()),
        Kind::List(items) => items.iter().map(|item| json(reader, path, item)).collect(),
        Kind::Map(fields) => {
            let mut object = Map::new();
            for (name, node) in fields {
                let path = format!("{path}.{}", name.text);
                let value = json(reader, &path, node);
                if object.contains_key(&name.text) {
                    reader.repeated(&path, name.at, None);
                } else {
                    object.insert(name.text.clone(), value);
                }
            }
            Value::Object(object)
        }
    }
}
