//! Lists and dictionaries.

use serde::ser::{self, Serialize};

use super::key::Key;
use super::{Result, Writer, string};
use crate::codec::CodecError;

/// A list or a dictionary that is being written.
pub(super) struct Compound<'a, 'w> {
    writer: &'w mut Writer<'a>,
    start: usize,
    first: bool,
    end: &'static str,
    wrapped: bool,
    /// Where keys and values begin, if a custom type could be mistaken for this map.
    pairs: Vec<(usize, usize)>,
    /// It has the key that marks custom types.
    marked: bool,
}

impl<'a, 'w> Compound<'a, 'w> {
    pub(super) fn begin(writer: &'w mut Writer<'a>, open: u8, end: &'static str, wrapped: bool) -> Result<Self> {
        writer.enter()?;
        let start = writer.out.len();
        writer.out.push(open);
        Ok(Self {
            writer,
            start,
            first: true,
            end,
            wrapped,
            pairs: Vec::new(),
            marked: false,
        })
    }

    fn next(&mut self) {
        if !std::mem::take(&mut self.first) {
            self.writer.word(", ");
        }
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.next();
        value.serialize(&mut *self.writer)
    }

    fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        self.next();
        let start = self.writer.out.len();
        key.serialize(Key(&mut *self.writer))?;
        if self.writer.types.any() {
            self.pairs.push((start, self.writer.out.len() + 2));
            let mut marker = Vec::new();
            string(self.writer.types.key_text(), &mut marker);
            self.marked |= self.writer.out[start..] == marker;
        }
        self.writer.word(": ");
        Ok(())
    }

    fn field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<()> {
        self.key(key)?;
        value.serialize(&mut *self.writer)
    }

    fn finish(mut self) -> Result<()> {
        if self.marked {
            self.escape()?;
        } else {
            self.writer.word(self.end);
        }
        self.writer.depth -= 1;
        self.writer.unwrap(self.wrapped);
        Ok(())
    }

    /// A map of plain data that a peer would take for a custom type becomes a list of pairs under the escape's index.
    #[cold]
    fn escape(&mut self) -> Result<()> {
        let types = self.writer.types;
        let Some(index) = types.escape_index() else {
            return Err(CodecError::new(format_args!(
                "a map with the key {:?} would be taken for a custom type: rename the key, or use CustomTypes::escaped",
                types.key_text()
            )));
        };
        let plain = self.writer.out.split_off(self.start);
        self.writer.wrap(index)?;
        self.writer.out.push(b'[');
        let ends = self
            .pairs
            .iter()
            .skip(1)
            .map(|(key, _)| key - 2)
            .chain([self.start + plain.len()]);
        for (number, ((key, value), end)) in self.pairs.iter().zip(ends).enumerate() {
            let part = |from: usize, to: usize| plain.get(from - self.start..to - self.start).unwrap_or_default();
            let out = &mut *self.writer.out;
            out.extend_from_slice(if number > 0 { b", [" } else { b"[" });
            out.extend_from_slice(part(*key, value - 2));
            out.extend_from_slice(b", ");
            out.extend_from_slice(part(*value, end));
            out.push(b']');
        }
        self.writer.out.push(b']');
        self.writer.unwrap(true);
        // A variant's own bracket.
        self.writer.word(&self.end[1..]);
        Ok(())
    }
}

/// serde has a trait for each kind of them, which all do the same.
macro_rules! compound {
    ($($kind:ident: $method:ident($($key:ident: $type:ty)?) by $own:ident;)*) => {$(
        impl ser::$kind for Compound<'_, '_> {
            type Ok = ();
            type Error = CodecError;

            fn $method<T: Serialize + ?Sized>(&mut self, $($key: $type,)? value: &T) -> Result<()> {
                self.$own($($key,)? value)
            }

            fn end(self) -> Result<()> {
                self.finish()
            }
        }
    )*};
}

compound! {
    SerializeSeq: serialize_element() by element;
    SerializeTuple: serialize_element() by element;
    SerializeTupleStruct: serialize_field() by element;
    SerializeTupleVariant: serialize_field() by element;
    SerializeStruct: serialize_field(key: &'static str) by field;
    SerializeStructVariant: serialize_field(key: &'static str) by field;
}

impl ser::SerializeMap for Compound<'_, '_> {
    type Ok = ();
    type Error = CodecError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        self.key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        value.serialize(&mut *self.writer)
    }

    fn end(self) -> Result<()> {
        self.finish()
    }
}
