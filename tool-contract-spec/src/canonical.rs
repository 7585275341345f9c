//! The canonical form of a value: RFC 8785, the JSON Canonicalization Scheme
//! (JCS), written straight from `serde`.
//!
//! Two values that are the same JSON have the same text, whatever the order of
//! fields in the source, of entries in a hash map or the spelling of a number.
//! That makes the text fit to be hashed.
//!
//! Where RFC 8785 would merge what must stay apart, or is silent, this is the
//! rule:
//!
//! | value | text |
//! |---|---|
//! | integer within ±(2^53 − 1) | its digits |
//! | integer beyond | its digits and `n`, as a JavaScript `BigInt` literal: `9007199254740993n` |
//! | `f64` | the shortest text of ECMAScript; `-0.0` is `0` |
//! | `f32` | as the `f64` of equal value |
//! | `NaN`, infinity | refused; `null` would equal a missing value |
//! | bytes | an array of numbers, as `serde_json` |
//! | map key | string; integer, `bool`, `char` and unit variant as `serde_json`; others refused |
//! | two members of one name | refused; readers disagree on which one counts |
//! | more than [`MAX_DEPTH`] arrays and objects in each other | refused |
//!
//! JCS reads every number as an IEEE 754 double, so that the identifiers
//! 2^53 and 2^53 + 1 have one canonical form, and one hash. Here the second
//! customer would get the first one's result. The `n` keeps integers apart from
//! each other and from every float, whose text never ends in it. Text that has
//! one is no JSON; [`Form`] says so.

mod number;
mod object;
mod raw;
mod string;
mod text;
mod writer;

use std::fmt::Display;

use serde::Serialize;

pub use self::object::name_order;
pub(crate) use self::string::push_string;

/// How many arrays and objects may be nested in each other.
///
/// `serde_json` reads 127 levels. One less leaves room for the object of
/// arguments, so that whatever is written can be read again.
pub const MAX_DEPTH: u8 = 126;

/// What the canonical text is good for besides hashing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The text is JSON from which `serde_json` reads an equal value, of any
    /// type. It may be stored as it is.
    Json,
    /// The text stands for the value but does not carry all of it: an integer
    /// beyond ±(2^53 − 1) is followed by `n`, a float without a fraction looks
    /// like an integer, a raw JSON text lost its own spelling. To store the
    /// value, serialise it.
    HashOnly,
}

impl Form {
    /// The form of a text made of a text of this form and of `other`.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Json, Self::Json) => Self::Json,
            _ => Self::HashOnly,
        }
    }
}

/// Why a value has no canonical form.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CanonicalError {
    /// A float that JSON cannot express.
    #[error("{0} is no JSON number, so it has no canonical form")]
    NotFinite(f64),

    /// One object, one name, two values.
    #[error(
        "the member {0:?} occurs twice in one object, and readers differ in which one they take"
    )]
    DuplicateMember(String),

    /// A map key that has no obvious text.
    #[error("a map key must be a string, an integer, a bool or a unit variant, not {0}")]
    MapKey(&'static str),

    /// A `Serialize` implementation broke the protocol of maps.
    #[error("a map must give each key one value, in this order; the type's Serialize does not")]
    MapProtocol,

    /// Nested beyond [`MAX_DEPTH`].
    #[error("arrays and objects are nested more than {MAX_DEPTH} deep")]
    TooDeep,

    /// A `serde_json::value::RawValue` that does not hold JSON.
    #[error("raw JSON that cannot be read: {0}")]
    RawJson(#[source] serde_json::Error),

    /// The value's own `Serialize` refused.
    #[error("the value refused to be serialised: {0}")]
    Serialize(String),
}

impl serde::ser::Error for CanonicalError {
    fn custom<T: Display>(message: T) -> Self {
        Self::Serialize(message.to_string())
    }
}

/// The canonical text of a value.
pub fn to_string<T: Serialize + ?Sized>(value: &T) -> Result<String, CanonicalError> {
    let mut text = String::with_capacity(128);
    write(value, &mut text)?;
    Ok(text)
}

/// Appends the canonical text of a value. After an error, `out` is as before.
pub fn write<T: Serialize + ?Sized>(value: &T, out: &mut String) -> Result<Form, CanonicalError> {
    let start = out.len();
    let mut writer = writer::Writer::new(out);
    match value.serialize(&mut writer) {
        Ok(()) => Ok(writer.form()),
        Err(error) => {
            out.truncate(start);
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests;
