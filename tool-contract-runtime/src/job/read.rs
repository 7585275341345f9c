//! Arguments from JSON, with errors that name the place.

use std::any::Any;

use serde_json::value::RawValue;
use tool_contract_spec::policy::ArgumentRole;
use tool_contract_spec::rulebook::suggest::likely;

use crate::argument::Values;
use crate::tool::Tool;

/// Why arguments do not fit a tool.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Misfit {
    #[error("they are {0} and not a JSON object")]
    NotAnObject(&'static str),
    #[error("they cannot be read: {0}")]
    Unreadable(String),
    #[error("`{name}` is no argument of the tool; {hint}")]
    Unknown { name: String, hint: String },
    #[error("`{0}` is given twice")]
    Twice(String),
    #[error("`{0}` is missing")]
    Missing(&'static str),
    #[error("`{name}`: {why}")]
    Wrong { name: &'static str, why: String },
}

/// Reads the arguments of `T` from a JSON object. Nothing may be missing,
/// unknown or given twice; what may be null may be left out.
pub(crate) fn arguments<T: Tool>(json: &str) -> Result<T, Misfit> {
    if let Some(kind) = other_than_object(json) {
        return Err(Misfit::NotAnObject(kind));
    }
    let Members(mut members) =
        serde_json::from_str(json).map_err(|error| Misfit::Unreadable(error.to_string()))?;
    let mut values = Vec::with_capacity(T::ARGUMENTS.len());
    for argument in T::ARGUMENTS {
        let given = members
            .iter()
            .position(|(name, _)| name == argument.name)
            .map(|at| members.swap_remove(at).1);
        if members.iter().any(|(name, _)| name == argument.name) {
            return Err(Misfit::Twice(argument.name.to_owned()));
        }
        let is_secret = argument.role == ArgumentRole::Secret;
        let value = read(argument.name, argument.erased.read, is_secret, given.as_deref())?;
        values.push(Some(value));
    }
    match members.into_iter().next() {
        Some((name, _)) => Err(unknown::<T>(name)),
        None => Ok(T::build(&mut Values(values))),
    }
}

/// What stands where an object should. It is named and never quoted: there may
/// be secrets in it.
fn other_than_object(json: &str) -> Option<&'static str> {
    Some(match json.trim_start().as_bytes().first()? {
        b'{' => return None,
        b'"' => "a text",
        b'[' => "an array",
        b'n' => "null",
        b't' | b'f' => "a boolean",
        _ => "a number",
    })
}

type Reader = fn(&str) -> Result<Box<dyn Any + Send>, serde_json::Error>;

fn read(
    name: &'static str,
    reader: Reader,
    is_secret: bool,
    given: Option<&RawValue>,
) -> Result<Box<dyn Any + Send>, Misfit> {
    match given {
        // What is wrong with it could quote it.
        Some(json) if is_secret => reader(json.get()).map_err(|_| Misfit::Wrong {
            name,
            why: "it is not of the argument's type; it is secret, and not shown".to_owned(),
        }),
        Some(json) => {
            reader(json.get()).map_err(|error| Misfit::Wrong { name, why: error.to_string() })
        }
        None => reader("null").map_err(|_| Misfit::Missing(name)),
    }
}

fn unknown<T: Tool>(name: String) -> Misfit {
    let names = || T::ARGUMENTS.iter().map(|argument| argument.name);
    let hint = match likely(&name, names()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("it takes {}", names().collect::<Vec<_>>().join(", ")),
    };
    Misfit::Unknown { name, hint }
}

/// The members of an object in their order, so that none given twice gets
/// lost.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> serde::Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Members;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON object of arguments")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}
