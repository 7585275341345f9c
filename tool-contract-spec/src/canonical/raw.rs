//! JSON that is already text: `serde_json::value::RawValue`, and
//! `serde_json::Number` where another crate switched on `arbitrary_precision`.
//!
//! The text is taken apart level by level instead of through
//! `serde_json::Value`, which keeps the last of two equal names and turns an
//! integer beyond 64 bits into a float. Reading each level anew costs time in
//! proportion to the depth, which [`super::MAX_DEPTH`] bounds.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::number::push_json_number;
use super::object::Object;
use super::string::push_string;
use super::writer::Writer;
use super::{CanonicalError, Form};

impl Writer<'_> {
    /// Writes the canonical form of JSON text.
    pub(super) fn raw_json(&mut self, json: &str) -> Result<(), CanonicalError> {
        let start = self.out.len();
        let raw: &RawValue = read(json)?;
        self.raw_value(raw)?;
        if self.out[start..] != *json {
            // Who takes raw JSON may care for its spelling.
            self.note(Form::HashOnly);
        }
        Ok(())
    }

    fn raw_value(&mut self, raw: &RawValue) -> Result<(), CanonicalError> {
        let json = raw.get().trim();
        match json.as_bytes().first() {
            Some(b'{') => self.raw_object(json),
            Some(b'[') => self.raw_array(json),
            Some(b'"') => {
                push_string(self.out, &read::<String>(json)?);
                Ok(())
            }
            Some(b'-' | b'0'..=b'9') => {
                let form = push_json_number(self.out, json)?;
                self.note(form);
                Ok(())
            }
            // `RawValue` holds valid JSON: this is true, false or null.
            _ => {
                self.out.push_str(json);
                Ok(())
            }
        }
    }

    fn raw_object(&mut self, json: &str) -> Result<(), CanonicalError> {
        let mut object = Object::open(self)?;
        for (name, value) in read::<Members<'_>>(json)?.0 {
            object.name(&name)?;
            object.value_with(|writer| writer.raw_value(value))?;
        }
        object.close().map(drop)
    }

    fn raw_array(&mut self, json: &str) -> Result<(), CanonicalError> {
        let mut array = self.array()?;
        for item in read::<Vec<&RawValue>>(json)? {
            array.item_with(|writer| writer.raw_value(item))?;
        }
        array.close();
        Ok(())
    }
}

fn read<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, CanonicalError> {
    serde_json::from_str(json).map_err(CanonicalError::RawJson)
}

/// The members of an object, in the order and number in which they stand.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor).map(Self)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}
