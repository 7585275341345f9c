//! Whether a result is what its tool returns, by the output schema in the
//! contract file.

use std::cell::Cell;
use std::path::Path;

use serde_json::Value;

use crate::file;
use crate::operator::{Kind, Problem};

/// How deep schemas are followed.
const DEEPEST: usize = 64;

/// How many schemas are looked at in all: those that refer to themselves could
/// keep us forever.
const MOST: u32 = 100_000;

/// Fails if the result does not fit. A file without that tool or its schema
/// cannot say, and fails too.
pub(super) fn fits(contract: &Path, tool: &str, result: &str) -> Result<(), Problem> {
    let text = file::text(contract).map_err(|stop| unusable(&stop))?;
    let document = file::parse(&text, contract).map_err(|stop| unusable(&stop))?;
    let shown = contract.display();
    let entry =
        document.entry(tool).ok_or_else(|| unusable(&format!("{shown} has no tool `{tool}`")))?;
    let schema = entry.schemas.output.as_ref().ok_or_else(|| {
        unusable(&format!("{shown} has no output schema for `{tool}`; `emit` writes one"))
    })?;
    let value: Value =
        serde_json::from_str(result).map_err(|error| unusable(&error.to_string()))?;
    Checker::of(schema).check(schema, &value, "the result", DEEPEST).map_err(|misfit| {
        let message =
            format!("{misfit}, by the output schema of `{tool}` in {shown}; nothing was changed");
        Problem::new(Kind::Usage, message)
    })
}

fn unusable(stop: &str) -> Problem {
    let message = stop.strip_prefix("error: ").unwrap_or(stop);
    Problem::new(Kind::Usage, format!("{message}; nothing was changed"))
}

/// Checks the words of JSON Schema that say what a value is made of: `type`,
/// `enum`, `const`, `properties`, `required`, `additionalProperties`, `items`,
/// `prefixItems`, `anyOf`, `oneOf`, `allOf`, `$ref` and the bounds of numbers.
/// Other words are not checked: it catches mistakes, and is no validator.
struct Checker<'s> {
    root: &'s Value,
    left: Cell<u32>,
}

impl<'s> Checker<'s> {
    const fn of(root: &'s Value) -> Self {
        Self { root, left: Cell::new(MOST) }
    }

    fn check(&self, schema: &Value, value: &Value, at: &str, deep: usize) -> Result<(), String> {
        let left = self.left.get().checked_sub(1);
        let (Some(deeper), Some(left)) = (deep.checked_sub(1), left) else {
            return Err(format!("{at} has a schema that goes too deep"));
        };
        self.left.set(left);
        if schema == &Value::Bool(false) {
            return Err(format!("{at} may not be there"));
        }
        kind(schema, value, at)?;
        listed(schema, value, at)?;
        bounds(schema, value, at)?;
        self.combined(schema, value, at, deeper)?;
        self.object(schema, value, at, deeper)?;
        self.array(schema, value, at, deeper)
    }

    fn combined(&self, schema: &Value, value: &Value, at: &str, deep: usize) -> Result<(), String> {
        if let Some(reference) = schema["$ref"].as_str() {
            let found = reference.strip_prefix('#').and_then(|path| self.root.pointer(path));
            let found = found.ok_or_else(|| format!("{at} has a schema that is not there"))?;
            self.check(found, value, at, deep)?;
        }
        for each in schema["allOf"].as_array().into_iter().flatten() {
            self.check(each, value, at, deep)?;
        }
        for word in ["anyOf", "oneOf"] {
            let Some(any) = schema[word].as_array() else { continue };
            let fitting =
                any.iter().filter(|each| self.check(each, value, at, deep).is_ok()).count();
            if fitting == 0 || word == "oneOf" && fitting > 1 {
                return Err(format!(
                    "{at} fits {fitting} of the {} forms that it may have",
                    any.len()
                ));
            }
        }
        Ok(())
    }

    fn object(&self, schema: &Value, value: &Value, at: &str, deep: usize) -> Result<(), String> {
        let Some(fields) = value.as_object() else { return Ok(()) };
        let required = schema["required"].as_array().into_iter().flatten();
        for name in required.filter_map(Value::as_str) {
            if !fields.contains_key(name) {
                return Err(format!("{at} lacks `{name}`"));
            }
        }
        for (name, field) in fields {
            let named = schema["properties"].get(name);
            if let Some(schema) = named.or_else(|| schema.get("additionalProperties")) {
                self.check(schema, field, &format!("{at}.{name}"), deep)?;
            }
        }
        Ok(())
    }

    fn array(&self, schema: &Value, value: &Value, at: &str, deep: usize) -> Result<(), String> {
        let Some(items) = value.as_array() else { return Ok(()) };
        let prefix = schema["prefixItems"].as_array().map_or(&[][..], Vec::as_slice);
        for (index, item) in items.iter().enumerate() {
            if let Some(schema) = prefix.get(index).or_else(|| schema.get("items")) {
                self.check(schema, item, &format!("{at}[{index}]"), deep)?;
            }
        }
        Ok(())
    }
}

fn kind(schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => return Ok(()),
    };
    if kinds.iter().any(|kind| is(kind, value)) {
        return Ok(());
    }
    Err(format!("{at} is not of the type {}", kinds.join(" or ")))
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "number" => value.is_number(),
        "integer" => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|n| n.fract() == 0.0)
        }
        _ => true,
    }
}

fn listed(schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let is_listed = schema["enum"].as_array().is_none_or(|listed| listed.contains(value));
    let is_constant = schema.get("const").is_none_or(|constant| constant == value);
    if is_listed && is_constant {
        Ok(())
    } else {
        Err(format!("{at} is none of the values that it may have"))
    }
}

fn bounds(schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let Some(number) = value.as_f64() else { return Ok(()) };
    let low = schema["minimum"].as_f64().filter(|low| number < *low);
    let high = schema["maximum"].as_f64().filter(|high| number > *high);
    match (low, high) {
        (Some(low), _) => Err(format!("{at} is less than {low}")),
        (_, Some(high)) => Err(format!("{at} is more than {high}")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(schema: &Value, value: &Value) -> Result<(), String> {
        Checker::of(schema).check(schema, value, "the result", DEEPEST)
    }

    #[test]
    fn what_does_not_fit_is_named_where_it_stands() {
        let schema = json!({
            "type": "object",
            "required": ["charge"],
            "additionalProperties": false,
            "properties": {
                "charge": { "type": "string" },
                "cents": { "type": ["integer", "null"], "minimum": 0 },
                "state": { "enum": ["paid", "open"] },
                "pair": { "prefixItems": [{ "const": 1 }], "items": { "$ref": "#/$defs/name" } },
                "either": { "anyOf": [{ "type": "null" }, { "$ref": "#/$defs/name" }] },
            },
            "$defs": { "name": { "type": "string" } },
        });
        for fitting in [
            json!({ "charge": "ch_1" }),
            json!({ "charge": "", "cents": 3.0, "state": "paid", "pair": [1, "a"], "either": "x" }),
            json!({ "charge": "", "cents": null, "either": null }),
        ] {
            assert_eq!(check(&schema, &fitting), Ok(()), "{fitting}");
        }
        for (value, misfit) in [
            (json!("ch_1"), "the result is not of the type object"),
            (json!({}), "the result lacks `charge`"),
            (json!({ "charge": 1 }), "the result.charge is not of the type string"),
            (
                json!({ "charge": "", "cents": 1.5 }),
                "the result.cents is not of the type integer or null",
            ),
            (json!({ "charge": "", "cents": -1 }), "the result.cents is less than 0"),
            (
                json!({ "charge": "", "state": "x" }),
                "the result.state is none of the values that it may have",
            ),
            (
                json!({ "charge": "", "pair": [1, 2] }),
                "the result.pair[1] is not of the type string",
            ),
            (
                json!({ "charge": "", "pair": [2] }),
                "the result.pair[0] is none of the values that it may have",
            ),
            (
                json!({ "charge": "", "either": 1 }),
                "the result.either fits 0 of the 2 forms that it may have",
            ),
            (json!({ "charge": "", "more": 1 }), "the result.more may not be there"),
        ] {
            assert_eq!(check(&schema, &value), Err(misfit.to_owned()), "{value}");
        }
    }

    #[test]
    fn a_schema_without_an_end_is_given_up() {
        let schema = json!({ "$ref": "#" });
        assert_eq!(
            check(&schema, &json!(1)),
            Err("the result has a schema that goes too deep".to_owned())
        );
        let schema = json!({ "anyOf": [{ "$ref": "#" }, { "$ref": "#" }, { "type": "null" }] });
        assert!(check(&schema, &json!(1)).is_err());
        let schema = json!({ "$ref": "#/nowhere" });
        assert!(check(&schema, &json!(1)).is_err());
    }
}
