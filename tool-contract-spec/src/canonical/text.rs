//! The `serde` serializer of what must be text.

use std::fmt::Display;

use serde::Serialize;
use serde::ser::{Impossible, Serializer};

use super::CanonicalError;

/// Takes what has an obvious text, and refuses everything else: the serializer
/// of map keys.
pub(super) struct Text<F>(pub(super) F);

type Refused = Impossible<(), CanonicalError>;

fn refuse<T>(what: &'static str) -> Result<T, CanonicalError> {
    Err(CanonicalError::MapKey(what))
}

/// Integers, as text.
macro_rules! integer_texts {
    ($($method:ident: $type:ty;)*) => {$(
        fn $method(self, value: $type) -> Result<(), CanonicalError> {
            (self.0)(itoa::Buffer::new().format(value))
        }
    )*};
}

impl<F: FnOnce(&str) -> Result<(), CanonicalError>> Serializer for Text<F> {
    type Ok = ();
    type Error = CanonicalError;
    type SerializeSeq = Refused;
    type SerializeTuple = Refused;
    type SerializeTupleStruct = Refused;
    type SerializeTupleVariant = Refused;
    type SerializeMap = Refused;
    type SerializeStruct = Refused;
    type SerializeStructVariant = Refused;

    integer_texts! {
        serialize_i8: i8;
        serialize_i16: i16;
        serialize_i32: i32;
        serialize_i64: i64;
        serialize_i128: i128;
        serialize_u8: u8;
        serialize_u16: u16;
        serialize_u32: u32;
        serialize_u64: u64;
        serialize_u128: u128;
    }

    fn serialize_str(self, value: &str) -> Result<(), CanonicalError> {
        (self.0)(value)
    }

    fn serialize_bool(self, value: bool) -> Result<(), CanonicalError> {
        (self.0)(if value { "true" } else { "false" })
    }

    fn serialize_char(self, value: char) -> Result<(), CanonicalError> {
        (self.0)(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), CanonicalError> {
        (self.0)(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), CanonicalError> {
        value.serialize(self)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), CanonicalError> {
        value.serialize(self)
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), CanonicalError> {
        (self.0)(&value.to_string())
    }

    fn serialize_f32(self, _value: f32) -> Result<(), CanonicalError> {
        refuse("a float")
    }

    fn serialize_f64(self, _value: f64) -> Result<(), CanonicalError> {
        refuse("a float")
    }

    fn serialize_bytes(self, _value: &[u8]) -> Result<(), CanonicalError> {
        refuse("bytes")
    }

    fn serialize_none(self) -> Result<(), CanonicalError> {
        refuse("None")
    }

    fn serialize_unit(self) -> Result<(), CanonicalError> {
        refuse("()")
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), CanonicalError> {
        refuse("a unit struct")
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _value: &T,
    ) -> Result<(), CanonicalError> {
        refuse("a variant with a value")
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Refused, CanonicalError> {
        refuse("a sequence")
    }

    fn serialize_tuple(self, _len: usize) -> Result<Refused, CanonicalError> {
        refuse("a tuple")
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        _len: usize,
    ) -> Result<Refused, CanonicalError> {
        refuse("a tuple")
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _len: usize,
    ) -> Result<Refused, CanonicalError> {
        refuse("a variant with a value")
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Refused, CanonicalError> {
        refuse("a map")
    }

    fn serialize_struct(self, _name: &'static str, _len: usize) -> Result<Refused, CanonicalError> {
        refuse("a struct")
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _len: usize,
    ) -> Result<Refused, CanonicalError> {
        refuse("a variant with a value")
    }
}
