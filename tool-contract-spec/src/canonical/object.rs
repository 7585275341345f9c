//! Objects, RFC 8785 section 3.2.3: members in the order of their names.

use std::cmp::Ordering;
use std::ops::Range;

use serde::Serialize;
use serde::ser::{SerializeMap, SerializeStruct, SerializeStructVariant};

use super::CanonicalError;
use super::string::push_string;
use super::text::Text;
use super::writer::Writer;

/// One member of an object that is being written: where it stands in the
/// output, from the quote of its name to the end of its value.
#[derive(Debug)]
pub(super) struct Member {
    span: Range<usize>,
    name: Name,
}

/// A member's name without escapes, as its order is that of the characters
/// themselves.
#[derive(Debug)]
enum Name {
    Written(Range<usize>),
    Escaped(Box<str>),
}

impl Member {
    fn name<'a>(&'a self, out: &'a str) -> &'a str {
        match &self.name {
            Name::Written(range) => &out[range.clone()],
            Name::Escaped(name) => name,
        }
    }
}

/// An object that is being written. Members are written as they come, and put
/// in order at the end if they did not come in order.
pub(super) struct Object<'w, 'o> {
    writer: &'w mut Writer<'o>,
    /// Where this object's members begin in the writer's stack of members.
    first: usize,
    /// Where they begin in the output.
    start: usize,
    in_order: bool,
    awaits_value: bool,
}

impl<'w, 'o> Object<'w, 'o> {
    pub(super) fn open(writer: &'w mut Writer<'o>) -> Result<Self, CanonicalError> {
        writer.enter()?;
        writer.out.push('{');
        Ok(Self {
            first: writer.members.len(),
            start: writer.out.len(),
            writer,
            in_order: true,
            awaits_value: false,
        })
    }

    pub(super) fn name(&mut self, name: &str) -> Result<(), CanonicalError> {
        if self.awaits_value {
            return Err(CanonicalError::MapProtocol);
        }
        self.awaits_value = true;
        self.check_order(name)?;
        let writer = &mut *self.writer;
        if writer.members.len() > self.first {
            writer.out.push(',');
        }
        let start = writer.out.len();
        push_string(writer.out, name);
        let written = start + 1..writer.out.len() - 1;
        let name = if written.len() == name.len() {
            Name::Written(written)
        } else {
            Name::Escaped(name.into())
        };
        writer.out.push(':');
        writer.members.push(Member { span: start..start, name });
        Ok(())
    }

    fn check_order(&mut self, name: &str) -> Result<(), CanonicalError> {
        let Some(last) = self.writer.members[self.first..].last() else {
            return Ok(());
        };
        match name_order(last.name(self.writer.out), name) {
            Ordering::Less => Ok(()),
            Ordering::Equal => Err(CanonicalError::DuplicateMember(name.into())),
            Ordering::Greater => {
                self.in_order = false;
                Ok(())
            }
        }
    }

    pub(super) fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CanonicalError> {
        self.value_with(|writer| value.serialize(writer))
    }

    pub(super) fn value_with(
        &mut self,
        write: impl FnOnce(&mut Writer<'o>) -> Result<(), CanonicalError>,
    ) -> Result<(), CanonicalError> {
        if !self.awaits_value {
            return Err(CanonicalError::MapProtocol);
        }
        self.awaits_value = false;
        write(self.writer)?;
        let end = self.writer.out.len();
        if let Some(member) = self.writer.members.last_mut() {
            member.span.end = end;
        }
        Ok(())
    }

    pub(super) fn close(mut self) -> Result<&'w mut Writer<'o>, CanonicalError> {
        if self.awaits_value {
            return Err(CanonicalError::MapProtocol);
        }
        if !self.in_order {
            self.put_in_order()?;
        }
        self.writer.members.truncate(self.first);
        self.writer.out.push('}');
        self.writer.leave();
        Ok(self.writer)
    }

    fn put_in_order(&mut self) -> Result<(), CanonicalError> {
        let Writer { out, members, scratch, .. } = &mut *self.writer;
        let members = &mut members[self.first..];
        members.sort_by(|a, b| name_order(a.name(out), b.name(out)));
        if let Some(pair) = members.windows(2).find(|pair| pair[0].name(out) == pair[1].name(out)) {
            return Err(CanonicalError::DuplicateMember(pair[0].name(out).into()));
        }
        scratch.clear();
        for member in members {
            if !scratch.is_empty() {
                scratch.push(',');
            }
            scratch.push_str(&out[member.span.clone()]);
        }
        out.truncate(self.start);
        out.push_str(scratch);
        Ok(())
    }
}

/// The order of names by their UTF-16 code units, without leaving UTF-8.
///
/// Both encodings order characters alike, except that those above U+FFFF, being
/// surrogates D800 to DFFF in UTF-16, come before U+E000 to U+FFFF. In UTF-8
/// these start with the bytes EE and EF, so moving the two bytes to the end of
/// the range does it. The macro sorts arguments by this, too.
#[must_use]
pub fn name_order(a: &str, b: &str) -> Ordering {
    let rank = |byte: u8| {
        if byte == 0xEE || byte == 0xEF { byte | 0xF8 } else { byte }
    };
    a.bytes().map(rank).cmp(b.bytes().map(rank))
}

impl SerializeMap for Object<'_, '_> {
    type Ok = ();
    type Error = CanonicalError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), CanonicalError> {
        key.serialize(Text(|name: &str| self.name(name)))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CanonicalError> {
        self.value(value)
    }

    fn end(self) -> Result<(), CanonicalError> {
        self.close().map(drop)
    }
}

impl SerializeStructVariant for Object<'_, '_> {
    type Ok = ();
    type Error = CanonicalError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), CanonicalError> {
        self.name(name)?;
        self.value(value)
    }

    fn end(self) -> Result<(), CanonicalError> {
        self.close()?.close_variant();
        Ok(())
    }
}

/// A struct: an object, or one of the structs by which `serde_json` smuggles
/// JSON text through `serde`.
pub(super) enum Struct<'w, 'o> {
    Object(Object<'w, 'o>),
    Raw(&'w mut Writer<'o>),
}

impl SerializeStruct for Struct<'_, '_> {
    type Ok = ();
    type Error = CanonicalError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), CanonicalError> {
        match self {
            Self::Object(object) => SerializeStructVariant::serialize_field(object, name, value),
            Self::Raw(writer) => value.serialize(Text(|json: &str| writer.raw_json(json))),
        }
    }

    fn end(self) -> Result<(), CanonicalError> {
        match self {
            Self::Object(object) => object.close().map(drop),
            Self::Raw(_) => Ok(()),
        }
    }
}
