//! Writing.

use serde::ser::{self, Serialize};

use super::text;
use super::types::{CUSTOM, CustomTypes, SURROGATES};
use crate::codec::CodecError;
use crate::codec::json_text::{DEPTH, push_number};

type Result<T, E = CodecError> = std::result::Result<T, E>;

pub(super) fn write<T: Serialize + ?Sized>(value: &T, types: &CustomTypes, out: &mut Vec<u8>) -> Result<()> {
    value.serialize(&mut Writer { out, types, depth: 0 })
}

struct Writer<'a> {
    out: &'a mut Vec<u8>,
    types: &'a CustomTypes,
    depth: u32,
}

impl Writer<'_> {
    fn enter(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(CodecError::new(format_args!("nested deeper than {DEPTH}")));
        }
        Ok(())
    }

    fn word(&mut self, word: &str) {
        self.out.extend_from_slice(word.as_bytes());
    }

    /// Begins the wrapping of a custom type.
    fn wrap(&mut self, index: u32) -> Result<()> {
        self.enter()?;
        self.out.push(b'{');
        string(self.types.key_text(), self.out);
        self.word(": [");
        push_number(index.into(), self.out);
        self.word(", ");
        Ok(())
    }

    /// Begins the wrapping, if the type of this name is registered.
    #[inline]
    fn wrap_named(&mut self, name: &str) -> Result<bool> {
        match self.types.index(name) {
            Some(index) => self.wrap(index).map(|()| true),
            None => Ok(false),
        }
    }

    fn unwrap(&mut self, wrapped: bool) {
        if wrapped {
            self.word("]}");
            self.depth -= 1;
        }
    }
}

/// A string with its quotes, in ASCII.
pub(super) fn string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut plain = 0;
    let bytes = text.as_bytes();
    for (at, c) in text.char_indices() {
        if matches!(c, ' '..='~') && c != '"' && c != '\\' {
            continue;
        }
        out.extend_from_slice(&bytes[plain..at]);
        plain = at + c.len_utf8();
        for unit in c.encode_utf16(&mut [0; 2]) {
            escape(*unit, out);
        }
    }
    out.extend_from_slice(&bytes[plain..]);
    out.push(b'"');
}

fn escape(unit: u16, out: &mut Vec<u8>) {
    let short = match unit {
        0x08 => b'b',
        0x09 => b't',
        0x0a => b'n',
        0x0c => b'f',
        0x0d => b'r',
        0x22 => b'"',
        0x5c => b'\\',
        _ => {
            let digit = |shift: u16| b"0123456789abcdef"[usize::from(unit >> shift & 0xf)];
            out.extend_from_slice(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// Generalized UTF-8 with its quotes.
fn surrogates(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for unit in text::units(bytes) {
        match unit {
            0x20..=0x7e if unit != 0x22 && unit != 0x5c => out.push(unit as u8),
            _ => escape(unit, out),
        }
    }
    out.push(b'"');
}

/// A float as Python's `repr` shows it, and as its `json` writes those that are no numbers.
fn float(value: f64, out: &mut Vec<u8>) {
    if !value.is_finite() {
        let word = match (value.is_nan(), value > 0.0) {
            (true, _) => "NaN",
            (_, true) => "Infinity",
            _ => "-Infinity",
        };
        out.extend_from_slice(word.as_bytes());
        return;
    }
    // The shortest digits that lead back to this value, as Python takes them.
    let shown = format!("{value:e}");
    let (digits, exponent) = shown.split_once('e').unwrap_or((&shown, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let plain = value.to_string();
        out.extend_from_slice(plain.as_bytes());
        if !plain.contains('.') {
            out.extend_from_slice(b".0");
        }
        return;
    }
    out.extend_from_slice(digits.as_bytes());
    out.push(b'e');
    out.push(if exponent < 0 { b'-' } else { b'+' });
    let exponent = exponent.unsigned_abs();
    if exponent < 10 {
        out.push(b'0');
    }
    push_number(exponent.into(), out);
}

fn integer(value: i64, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    push_number(value.unsigned_abs(), out);
}

impl<'a, 'w> ser::Serializer for &'w mut Writer<'a> {
    type Ok = ();
    type Error = CodecError;
    type SerializeSeq = Compound<'a, 'w>;
    type SerializeTuple = Compound<'a, 'w>;
    type SerializeTupleStruct = Compound<'a, 'w>;
    type SerializeTupleVariant = Compound<'a, 'w>;
    type SerializeMap = Compound<'a, 'w>;
    type SerializeStruct = Compound<'a, 'w>;
    type SerializeStructVariant = Compound<'a, 'w>;

    fn serialize_bool(self, value: bool) -> Result<()> {
        self.word(if value { "true" } else { "false" });
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Result<()> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<()> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<()> {
        self.serialize_i64(value.into())
    }

    #[inline]
    fn serialize_i64(self, value: i64) -> Result<()> {
        integer(value, self.out);
        Ok(())
    }

    fn serialize_i128(self, value: i128) -> Result<()> {
        self.word(&value.to_string());
        Ok(())
    }

    fn serialize_u8(self, value: u8) -> Result<()> {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<()> {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<()> {
        self.serialize_u64(value.into())
    }

    #[inline]
    fn serialize_u64(self, value: u64) -> Result<()> {
        push_number(value, self.out);
        Ok(())
    }

    fn serialize_u128(self, value: u128) -> Result<()> {
        self.word(&value.to_string());
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<()> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<()> {
        float(value, self.out);
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<()> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<()> {
        string(value, self.out);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_none(self) -> Result<()> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<()> {
        self.word("null");
        Ok(())
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<()> {
        let wrapped = self.wrap_named(name)?;
        self.word("null");
        self.unwrap(wrapped);
        Ok(())
    }

    fn serialize_unit_variant(self, name: &'static str, _: u32, variant: &'static str) -> Result<()> {
        let wrapped = self.wrap_named(name)?;
        string(variant, self.out);
        self.unwrap(wrapped);
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<()> {
        if name == SURROGATES {
            return value.serialize(Surrogates(self.out));
        }
        let wrapped = self.wrap_named(name)?;
        value.serialize(&mut *self)?;
        self.unwrap(wrapped);
        Ok(())
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<()> {
        if name == CUSTOM {
            if index as usize >= self.types.count() {
                return Err(CodecError::new(format_args!("no custom type has the index {index}")));
            }
            self.wrap(index)?;
            value.serialize(&mut *self)?;
            self.unwrap(true);
            return Ok(());
        }
        let wrapped = self.wrap_named(name)?;
        self.enter()?;
        self.out.push(b'{');
        string(variant, self.out);
        self.word(": ");
        value.serialize(&mut *self)?;
        self.out.push(b'}');
        self.depth -= 1;
        self.unwrap(wrapped);
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Compound<'a, 'w>> {
        Compound::begin(self, b'[', "]", false)
    }

    fn serialize_tuple(self, _: usize) -> Result<Compound<'a, 'w>> {
        Compound::begin(self, b'[', "]", false)
    }

    fn serialize_tuple_struct(self, name: &'static str, _: usize) -> Result<Compound<'a, 'w>> {
        let wrapped = self.wrap_named(name)?;
        Compound::begin(self, b'[', "]", wrapped)
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Compound<'a, 'w>> {
        let wrapped = self.wrap_named(name)?;
        self.out.push(b'{');
        string(variant, self.out);
        self.word(": ");
        Compound::begin(self, b'[', "]}", wrapped)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Compound<'a, 'w>> {
        Compound::begin(self, b'{', "}", false)
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Compound<'a, 'w>> {
        let wrapped = self.wrap_named(name)?;
        Compound::begin(self, b'{', "}", wrapped)
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Compound<'a, 'w>> {
        let wrapped = self.wrap_named(name)?;
        self.out.push(b'{');
        string(variant, self.out);
        self.word(": ");
        Compound::begin(self, b'{', "}}", wrapped)
    }
}

/// A list or a dictionary that is being written.
struct Compound<'a, 'w> {
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
    fn begin(writer: &'w mut Writer<'a>, open: u8, end: &'static str, wrapped: bool) -> Result<Self> {
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

impl ser::SerializeSeq for Compound<'_, '_> {
    type Ok = ();
    type Error = CodecError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.element(value)
    }

    fn end(self) -> Result<()> {
        self.finish()
    }
}

impl ser::SerializeTuple for Compound<'_, '_> {
    type Ok = ();
    type Error = CodecError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.element(value)
    }

    fn end(self) -> Result<()> {
        self.finish()
    }
}

impl ser::SerializeTupleStruct for Compound<'_, '_> {
    type Ok = ();
    type Error = CodecError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.element(value)
    }

    fn end(self) -> Result<()> {
        self.finish()
    }
}

impl ser::SerializeTupleVariant for Compound<'_, '_> {
    type Ok = ();
    type Error = CodecError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.element(value)
    }

    fn end(self) -> Result<()> {
        self.finish()
    }
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

impl ser::SerializeStruct for Compound<'_, '_> {
    type Ok = ();
    type Error = CodecError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<()> {
        self.field(key, value)
    }

    fn end(self) -> Result<()> {
        self.finish()
    }
}

impl ser::SerializeStructVariant for Compound<'_, '_> {
    type Ok = ();
    type Error = CodecError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<()> {
        self.field(key, value)
    }

    fn end(self) -> Result<()> {
        self.finish()
    }
}

/// Writes a key: a string, or what Python makes one of.
struct Key<'a, 'w>(&'w mut Writer<'a>);

fn bad_key() -> CodecError {
    CodecError::new("a key must be a string, a number, a boolean or null")
}

/// Nothing of these kinds can be a key or a text with surrogates.
type Never = ser::Impossible<(), CodecError>;

macro_rules! refuse {
    ($error:expr; $($name:ident($($arg:ty),*) -> $ok:ty;)*) => {
        $(fn $name(self $(, _: $arg)*) -> Result<$ok> {
            Err($error)
        })*
    };
}

macro_rules! quoted {
    ($($name:ident($value:ty);)*) => {
        $(fn $name(self, value: $value) -> Result<()> {
            self.0.out.push(b'"');
            value.serialize(&mut *self.0)?;
            self.0.out.push(b'"');
            Ok(())
        })*
    };
}

impl ser::Serializer for Key<'_, '_> {
    type Ok = ();
    type Error = CodecError;
    type SerializeSeq = Never;
    type SerializeTuple = Never;
    type SerializeTupleStruct = Never;
    type SerializeTupleVariant = Never;
    type SerializeMap = Never;
    type SerializeStruct = Never;
    type SerializeStructVariant = Never;

    quoted! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_i128(i128);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_u128(u128);
        serialize_f32(f32);
        serialize_f64(f64);
    }

    fn serialize_char(self, value: char) -> Result<()> {
        value.serialize(&mut *self.0)
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<()> {
        string(value, self.0.out);
        Ok(())
    }

    fn serialize_none(self) -> Result<()> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<()> {
        self.0.word("\"null\"");
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<()> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<()> {
        if name == SURROGATES {
            return value.serialize(Surrogates(self.0.out));
        }
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<()> {
        Err(bad_key())
    }

    refuse! { bad_key();
        serialize_bytes(&[u8]) -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_seq(Option<usize>) -> Never;
        serialize_tuple(usize) -> Never;
        serialize_tuple_struct(&'static str, usize) -> Never;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Never;
        serialize_map(Option<usize>) -> Never;
        serialize_struct(&'static str, usize) -> Never;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Never;
    }
}

/// Writes the bytes of a [`Text`](super::Text) with surrogates, and nothing else.
struct Surrogates<'a>(&'a mut Vec<u8>);

fn no_text() -> CodecError {
    CodecError::new("not a text")
}

impl ser::Serializer for Surrogates<'_> {
    type Ok = ();
    type Error = CodecError;
    type SerializeSeq = Never;
    type SerializeTuple = Never;
    type SerializeTupleStruct = Never;
    type SerializeTupleVariant = Never;
    type SerializeMap = Never;
    type SerializeStruct = Never;
    type SerializeStructVariant = Never;

    fn serialize_bytes(self, value: &[u8]) -> Result<()> {
        surrogates(value, self.0);
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<()> {
        Err(no_text())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, _: &T) -> Result<()> {
        Err(no_text())
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<()> {
        Err(no_text())
    }

    refuse! { no_text();
        serialize_bool(bool) -> ();
        serialize_i8(i8) -> ();
        serialize_i16(i16) -> ();
        serialize_i32(i32) -> ();
        serialize_i64(i64) -> ();
        serialize_u8(u8) -> ();
        serialize_u16(u16) -> ();
        serialize_u32(u32) -> ();
        serialize_u64(u64) -> ();
        serialize_f32(f32) -> ();
        serialize_f64(f64) -> ();
        serialize_char(char) -> ();
        serialize_str(&str) -> ();
        serialize_none() -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_unit_variant(&'static str, u32, &'static str) -> ();
        serialize_seq(Option<usize>) -> Never;
        serialize_tuple(usize) -> Never;
        serialize_tuple_struct(&'static str, usize) -> Never;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Never;
        serialize_map(Option<usize>) -> Never;
        serialize_struct(&'static str, usize) -> Never;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Never;
    }
}
