//! The `serde` serializers: of values and arrays.

use serde::Serialize;
use serde::ser::{
    SerializeSeq, SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::number::{push_f64, push_i64, push_i128, push_u64, push_u128};
use super::object::{Member, Object, Struct};
use super::string::push_string;
use super::{CanonicalError, Form, MAX_DEPTH};

/// The names of the structs by which `serde_json` passes JSON text through
/// `serde`. They are private to it, but part of no value: a serializer that does
/// not know them would write them as members.
const RAW_VALUE: &str = "$serde_json::private::RawValue";
const RAW_NUMBER: &str = "$serde_json::private::Number";

/// The state of one text that is being written.
pub(super) struct Writer<'o> {
    pub(super) out: &'o mut String,
    /// The members of all objects that are open, those of the innermost last.
    /// One stack, so that many small objects cost one allocation.
    pub(super) members: Vec<Member>,
    /// Where members are put in order.
    pub(super) scratch: String,
    depth: u8,
    form: Form,
}

impl<'o> Writer<'o> {
    pub(super) fn new(out: &'o mut String) -> Self {
        Self { out, members: Vec::new(), scratch: String::new(), depth: 0, form: Form::Json }
    }

    pub(super) fn form(&self) -> Form {
        self.form
    }

    pub(super) fn note(&mut self, form: Form) {
        self.form = self.form.and(form);
    }

    pub(super) fn enter(&mut self) -> Result<(), CanonicalError> {
        if self.depth == MAX_DEPTH {
            return Err(CanonicalError::TooDeep);
        }
        self.depth += 1;
        Ok(())
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    pub(super) fn array(&mut self) -> Result<Array<'_, 'o>, CanonicalError> {
        self.enter()?;
        self.out.push('[');
        Ok(Array { writer: self, empty: true })
    }

    /// Begins the object of one member that stands for an enum's variant.
    fn open_variant(&mut self, variant: &str) -> Result<(), CanonicalError> {
        self.enter()?;
        self.out.push('{');
        push_string(self.out, variant);
        self.out.push(':');
        Ok(())
    }

    pub(super) fn close_variant(&mut self) {
        self.out.push('}');
        self.leave();
    }
}

/// Numbers of one type, handed to the function that writes them.
macro_rules! numbers {
    ($($method:ident: $type:ty => $push:ident;)*) => {$(
        fn $method(self, value: $type) -> Result<(), CanonicalError> {
            let form = $push(self.out, value.into());
            self.note(form);
            Ok(())
        }
    )*};
}

impl<'w, 'o> Serializer for &'w mut Writer<'o> {
    type Ok = ();
    type Error = CanonicalError;
    type SerializeSeq = Array<'w, 'o>;
    type SerializeTuple = Array<'w, 'o>;
    type SerializeTupleStruct = Array<'w, 'o>;
    type SerializeTupleVariant = Array<'w, 'o>;
    type SerializeMap = Object<'w, 'o>;
    type SerializeStruct = Struct<'w, 'o>;
    type SerializeStructVariant = Object<'w, 'o>;

    numbers! {
        serialize_i8: i8 => push_i64;
        serialize_i16: i16 => push_i64;
        serialize_i32: i32 => push_i64;
        serialize_i64: i64 => push_i64;
        serialize_i128: i128 => push_i128;
        serialize_u8: u8 => push_u64;
        serialize_u16: u16 => push_u64;
        serialize_u32: u32 => push_u64;
        serialize_u64: u64 => push_u64;
        serialize_u128: u128 => push_u128;
    }

    fn serialize_f32(self, value: f32) -> Result<(), CanonicalError> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<(), CanonicalError> {
        let form = push_f64(self.out, value)?;
        self.note(form);
        Ok(())
    }

    fn serialize_bool(self, value: bool) -> Result<(), CanonicalError> {
        self.out.push_str(if value { "true" } else { "false" });
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), CanonicalError> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), CanonicalError> {
        push_string(self.out, value);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), CanonicalError> {
        self.collect_seq(value)
    }

    fn serialize_none(self) -> Result<(), CanonicalError> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), CanonicalError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), CanonicalError> {
        self.out.push_str("null");
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), CanonicalError> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), CanonicalError> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), CanonicalError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), CanonicalError> {
        self.open_variant(variant)?;
        value.serialize(&mut *self)?;
        self.close_variant();
        Ok(())
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Array<'w, 'o>, CanonicalError> {
        self.array()
    }

    fn serialize_tuple(self, _len: usize) -> Result<Array<'w, 'o>, CanonicalError> {
        self.array()
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        _len: usize,
    ) -> Result<Array<'w, 'o>, CanonicalError> {
        self.array()
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Array<'w, 'o>, CanonicalError> {
        self.open_variant(variant)?;
        self.array()
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Object<'w, 'o>, CanonicalError> {
        Object::open(self)
    }

    fn serialize_struct(
        self,
        name: &'static str,
        _len: usize,
    ) -> Result<Struct<'w, 'o>, CanonicalError> {
        match name {
            RAW_VALUE | RAW_NUMBER => Ok(Struct::Raw(self)),
            _ => Object::open(self).map(Struct::Object),
        }
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Object<'w, 'o>, CanonicalError> {
        self.open_variant(variant)?;
        Object::open(self)
    }
}

/// An array that is being written.
pub(super) struct Array<'w, 'o> {
    writer: &'w mut Writer<'o>,
    empty: bool,
}

impl<'w, 'o> Array<'w, 'o> {
    pub(super) fn item_with(
        &mut self,
        write: impl FnOnce(&mut Writer<'o>) -> Result<(), CanonicalError>,
    ) -> Result<(), CanonicalError> {
        if !self.empty {
            self.writer.out.push(',');
        }
        self.empty = false;
        write(self.writer)
    }

    pub(super) fn close(self) -> &'w mut Writer<'o> {
        self.writer.out.push(']');
        self.writer.leave();
        self.writer
    }
}

/// The four ways in which `serde` says array.
macro_rules! arrays {
    ($($trait:ident::$method:ident, $close:expr;)*) => {$(
        impl $trait for Array<'_, '_> {
            type Ok = ();
            type Error = CanonicalError;

            fn $method<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), CanonicalError> {
                self.item_with(|writer| item.serialize(writer))
            }

            fn end(self) -> Result<(), CanonicalError> {
                let close: fn(&mut Writer<'_>) = $close;
                close(self.close());
                Ok(())
            }
        }
    )*};
}

arrays! {
    SerializeSeq::serialize_element, |_| ();
    SerializeTuple::serialize_element, |_| ();
    SerializeTupleStruct::serialize_field, |_| ();
    SerializeTupleVariant::serialize_field, |writer| writer.close_variant();
}
