//! The JSON Schemas of a tool (draft 2020-12).

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::tool::{Output as _, Tool};

/// The schema of the object of arguments.
pub(crate) fn arguments<T: Tool>() -> Value {
    let mut generator = settings().into_generator();
    let mut properties = Map::new();
    let mut required = Vec::new();
    for argument in T::ARGUMENTS {
        let mut schema = (argument.erased.schema)(&mut generator);
        if !argument.description.is_empty() {
            // Of this argument, so it says more than what is said of its type.
            schema.insert("description".to_owned(), argument.description.into());
        }
        properties.insert(argument.name.to_owned(), schema.to_value());
        // What reads from null may be left out.
        if (argument.erased.read)("null").is_err() {
            required.push(argument.name);
        }
    }
    let mut schema = json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    });
    let definitions = generator.take_definitions(true);
    if !definitions.is_empty() {
        schema["$defs"] = Value::Object(definitions);
    }
    schema
}

/// The schema of the output.
pub(crate) fn output<T: Tool>() -> Value {
    let mut schema = T::Output::schema(settings().for_serialize().into_generator());
    schema.remove("$schema");
    schema.remove("title");
    schema.to_value()
}

fn settings() -> SchemaSettings {
    SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true)
}
