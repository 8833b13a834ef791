//! Reading.

use std::borrow::Cow;
use std::ops::Range;

use serde::de::{self, DeserializeOwned, DeserializeSeed, Error, IntoDeserializer, Visitor};

use super::text::push_surrogate;
use super::types::CustomTypes;
use crate::codec::CodecError;
use crate::codec::json_text::{Cursor, DEPTH, Scalar};

type Result<T, E = CodecError> = std::result::Result<T, E>;

pub(super) fn read<T: DeserializeOwned>(text: &str, types: &CustomTypes) -> Result<T> {
    read_seed(text, types, std::marker::PhantomData)
}

pub(super) fn read_seed<'de, S: DeserializeSeed<'de>>(
    text: &'de str,
    types: &CustomTypes,
    seed: S,
) -> Result<S::Value> {
    let mut reader = Reader {
        cursor: Cursor::new(text.as_bytes()),
        types,
        depth: 0,
    };
    let value = seed.deserialize(&mut reader)?;
    reader.cursor.finish()?;
    Ok(value)
}

struct Reader<'de, 't> {
    cursor: Cursor<'de>,
    types: &'t CustomTypes,
    depth: u32,
}

/// A string, without its escapes.
enum Str<'de> {
    Unicode(Cow<'de, str>),
    /// It has lone surrogates: generalized UTF-8.
    Surrogates(Vec<u8>),
}

impl<'de> Reader<'de, '_> {
    fn slice(&self, range: Range<usize>) -> Result<&'de str> {
        // The whole is text, and no part that is asked for begins or ends inside a character.
        let bytes = self.cursor.text.get(range).unwrap_or_default();
        std::str::from_utf8(bytes).map_err(CodecError::new)
    }

    fn enter(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(CodecError::new(format_args!("nested deeper than {DEPTH}")));
        }
        Ok(())
    }

    fn string(&self, text: Range<usize>, escaped: bool) -> Result<Str<'de>> {
        let text = self.slice(text)?;
        Ok(if escaped {
            unescape(text)
        } else {
            Str::Unicode(Cow::Borrowed(text))
        })
    }

    /// The index of a custom type whose wrapping begins here, and a place before its content. An object that has other
    /// keys too is plain data.
    fn wrapped(&mut self) -> Option<(u32, Cursor<'de>)> {
        if !self.types.any() || self.cursor.peek() != Some(b'{') {
            return None;
        }
        let mut ahead = self.cursor.clone();
        ahead.take(b'{');
        if ahead.peek() != Some(b'"') {
            return None;
        }
        let Ok(Scalar::String { text, escaped }) = ahead.scalar() else {
            return None;
        };
        match self.string(text, escaped) {
            Ok(Str::Unicode(key)) if key == self.types.key_text() => {}
            _ => return None,
        }
        if !(ahead.take(b':') && ahead.take(b'[')) {
            return None;
        }
        let Ok(Scalar::Integer(index)) = ahead.scalar() else {
            return None;
        };
        let index = self.slice(index).ok()?.parse().ok()?;
        if !ahead.take(b',') {
            return None;
        }
        let content = ahead.clone();
        ahead.value().ok()?;
        (ahead.take(b']') && ahead.take(b'}')).then_some((index, content))
    }

    /// Steps into a wrapping.
    fn unwrap(&mut self, (index, content): (u32, Cursor<'de>)) -> Result<u32> {
        self.enter()?;
        self.cursor = content;
        if index as usize >= self.types.count() {
            return Err(CodecError::new(format_args!("no custom type has the index {index}")));
        }
        Ok(index)
    }

    /// Steps out of it.
    fn rewrap(&mut self) -> Result<()> {
        self.depth -= 1;
        self.cursor.expect(b']', "`]`")?;
        self.cursor.expect(b'}', "`}`")
    }

    /// Steps into the wrapping of the type of this name, if that is registered.
    fn unwrap_named(&mut self, name: &str) -> Result<bool> {
        let Some(wanted) = self.types.index(name) else {
            return Ok(false);
        };
        let Some(wrapped) = self.wrapped() else {
            return Err(self.cursor.expected(&format!("a custom object of the type {name}")));
        };
        if wrapped.0 != wanted {
            return Err(CodecError::new(format_args!(
                "a custom object of the type {}, where {wanted} is {name}",
                wrapped.0
            )));
        }
        self.unwrap(wrapped).map(|_| true)
    }

    /// A map of plain data that was escaped: steps to its list of pairs.
    fn unescaped(&mut self) -> Result<bool> {
        match self.wrapped() {
            Some(wrapped) if Some(wrapped.0) == self.types.escape_index() => self.unwrap(wrapped).map(|_| true),
            _ => Ok(false),
        }
    }

    fn list<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value> {
        self.enter()?;
        self.cursor.expect(b'[', "a list")?;
        let mut list = List {
            reader: self,
            first: true,
        };
        let value = visitor.visit_seq(&mut list)?;
        // Whoever wants fewer than there are does not want this.
        self.cursor.expect(b']', "the end of the list")?;
        self.depth -= 1;
        Ok(value)
    }

    fn dict<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value> {
        self.enter()?;
        let escaped = self.unescaped()?;
        let (open, close) = if escaped { (b'[', b']') } else { (b'{', b'}') };
        self.cursor.expect(open, "an object")?;
        let mut dict = Dict {
            reader: self,
            first: true,
            pairs: escaped,
        };
        let value = visitor.visit_map(&mut dict)?;
        self.cursor.expect(close, "the end of the object")?;
        if escaped {
            self.rewrap()?;
        }
        self.depth -= 1;
        Ok(value)
    }

    fn scalar<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value> {
        match self.cursor.scalar()? {
            Scalar::Null => visitor.visit_unit(),
            Scalar::Bool(value) => visitor.visit_bool(value),
            Scalar::Special(value) => visitor.visit_f64(value),
            Scalar::Float(text) => visitor.visit_f64(self.slice(text)?.parse().map_err(CodecError::new)?),
            Scalar::Integer(text) => integer(self.slice(text)?, visitor),
            Scalar::String { text, escaped } => match self.string(text, escaped)? {
                Str::Unicode(Cow::Borrowed(text)) => visitor.visit_borrowed_str(text),
                Str::Unicode(Cow::Owned(text)) => visitor.visit_string(text),
                Str::Surrogates(bytes) => visitor.visit_bytes(&bytes),
            },
        }
    }
}

fn integer<'de, V: Visitor<'de>>(text: &str, visitor: V) -> Result<V::Value> {
    if let Ok(value) = text.parse::<u64>() {
        return visitor.visit_u64(value);
    }
    if let Ok(value) = text.parse::<i64>() {
        return visitor.visit_i64(value);
    }
    match text.parse::<i128>() {
        Ok(value) => visitor.visit_i128(value),
        Err(_) => Err(CodecError::new(format_args!(
            "an integer of {} digits; 38 are the most",
            text.len()
        ))),
    }
}

/// Resolves the escapes of a string, which have been checked.
fn unescape<'de>(text: &str) -> Str<'de> {
    let mut out = Vec::with_capacity(text.len());
    let mut lone = false;
    let mut rest = text.as_bytes();
    let hex = |rest: &[u8]| {
        let digits = rest.get(..6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    while let Some(at) = memchr(rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        if let Some(unit) = hex(rest) {
            rest = &rest[6..];
            let next = hex(rest);
            let units = [unit, next.unwrap_or(0)];
            let pair = char::decode_utf16(units).next();
            match pair {
                Some(Ok(c)) => {
                    if c.len_utf16() == 2 {
                        rest = &rest[6..];
                    }
                    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
                _ => {
                    lone = true;
                    push_surrogate(unit, &mut out);
                }
            }
            continue;
        }
        out.push(match rest.get(1) {
            Some(b'b') => 0x08,
            Some(b'f') => 0x0c,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(other) => *other,
            None => break,
        });
        rest = &rest[2..];
    }
    out.extend_from_slice(rest);
    if lone {
        return Str::Surrogates(out);
    }
    match String::from_utf8(out) {
        Ok(text) => Str::Unicode(Cow::Owned(text)),
        Err(error) => Str::Surrogates(error.into_bytes()),
    }
}

fn memchr(text: &[u8]) -> Option<usize> {
    text.iter().position(|byte| *byte == b'\\')
}

impl<'de> de::Deserializer<'de> for &mut Reader<'de, '_> {
    type Error = CodecError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.cursor.peek() {
            Some(b'[') => self.list(visitor),
            Some(b'{') => match self.wrapped() {
                Some(wrapped) if Some(wrapped.0) != self.types.escape_index() => {
                    let index = self.unwrap(wrapped)?;
                    let value = visitor.visit_enum(Custom { reader: self, index })?;
                    self.rewrap()?;
                    Ok(value)
                }
                _ => self.dict(visitor),
            },
            _ => self.scalar(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.cursor.peek() == Some(b'n') {
            self.cursor.scalar()?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value> {
        let wrapped = self.unwrap_named(name)?;
        let value = visitor.visit_newtype_struct(&mut *self)?;
        if wrapped {
            self.rewrap()?;
        }
        Ok(value)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value> {
        let wrapped = self.unwrap_named(name)?;
        let value = self.scalar(visitor)?;
        if wrapped {
            self.rewrap()?;
        }
        Ok(value)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, name: &'static str, _: usize, visitor: V) -> Result<V::Value> {
        let wrapped = self.unwrap_named(name)?;
        let value = self.list(visitor)?;
        if wrapped {
            self.rewrap()?;
        }
        Ok(value)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        let wrapped = self.unwrap_named(name)?;
        let value = match self.cursor.peek() {
            Some(b'[') => self.list(visitor)?,
            _ => self.dict(visitor)?,
        };
        if wrapped {
            self.rewrap()?;
        }
        Ok(value)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.dict(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        let wrapped = self.unwrap_named(name)?;
        let value = if self.cursor.peek() == Some(b'{') {
            self.enter()?;
            self.cursor.expect(b'{', "a variant")?;
            let value = visitor.visit_enum(Variant {
                reader: self,
                unit: false,
            })?;
            self.cursor.expect(b'}', "the end of the variant")?;
            self.depth -= 1;
            value
        } else {
            visitor.visit_enum(Variant {
                reader: self,
                unit: true,
            })?
        };
        if wrapped {
            self.rewrap()?;
        }
        Ok(value)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.cursor.value()?;
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit seq tuple identifier
    }
}

struct List<'r, 'de, 't> {
    reader: &'r mut Reader<'de, 't>,
    first: bool,
}

impl<'de> de::SeqAccess<'de> for &mut List<'_, 'de, '_> {
    type Error = CodecError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        let cursor = &mut self.reader.cursor;
        if cursor.peek() == Some(b']') {
            return Ok(None);
        }
        if !std::mem::take(&mut self.first) {
            cursor.expect(b',', "`,` or `]`")?;
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

struct Dict<'r, 'de, 't> {
    reader: &'r mut Reader<'de, 't>,
    first: bool,
    /// It is a list of pairs.
    pairs: bool,
}

impl<'de> de::MapAccess<'de> for &mut Dict<'_, 'de, '_> {
    type Error = CodecError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        let cursor = &mut self.reader.cursor;
        let close = if self.pairs { b']' } else { b'}' };
        if cursor.peek() == Some(close) {
            return Ok(None);
        }
        if !std::mem::take(&mut self.first) {
            cursor.expect(b',', "`,` or the end of the object")?;
        }
        if self.pairs {
            cursor.expect(b'[', "a pair")?;
        }
        if cursor.peek() != Some(b'"') {
            return Err(cursor.expected("a key in quotes"));
        }
        seed.deserialize(Key(self.reader)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        let between = if self.pairs { b',' } else { b':' };
        self.reader.cursor.expect(between, "a value")?;
        let value = seed.deserialize(&mut *self.reader)?;
        if self.pairs {
            self.reader.cursor.expect(b']', "the end of the pair")?;
        }
        Ok(value)
    }
}

/// A key: a string, or what Python made one of.
struct Key<'r, 'de, 't>(&'r mut Reader<'de, 't>);

macro_rules! from_text {
    ($($name:ident)*) => {
        $(fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            match self.0.cursor.scalar()? {
                // The number, or whatever it is, stands between the quotes.
                Scalar::String { text, escaped: false } => {
                    let mut inner = Reader {
                        cursor: Cursor::new(self.0.slice(text)?.as_bytes()),
                        types: self.0.types,
                        depth: 0,
                    };
                    let value = inner.scalar(visitor)?;
                    inner.cursor.finish()?;
                    Ok(value)
                }
                _ => Err(CodecError::new("expected a key that is a number or a boolean")),
            }
        })*
    };
}

impl<'de> de::Deserializer<'de> for Key<'_, 'de, '_> {
    type Error = CodecError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.0.scalar(visitor)
    }

    from_text! {
        deserialize_bool
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_enum(Variant {
            reader: self.0,
            unit: true,
        })
    }

    serde::forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// A variant of an enum: its name alone, or its name and content.
struct Variant<'r, 'de, 't> {
    reader: &'r mut Reader<'de, 't>,
    unit: bool,
}

impl<'de> de::EnumAccess<'de> for Variant<'_, 'de, '_> {
    type Error = CodecError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self)> {
        let variant = seed.deserialize(&mut *self.reader)?;
        if !self.unit {
            self.reader.cursor.expect(b':', "`:`")?;
        }
        Ok((variant, self))
    }
}

impl<'de> Variant<'_, 'de, '_> {
    fn content(self) -> Result<Self> {
        if self.unit {
            return Err(CodecError::new("expected a variant with content"));
        }
        Ok(self)
    }
}

impl<'de> de::VariantAccess<'de> for Variant<'_, 'de, '_> {
    type Error = CodecError;

    fn unit_variant(self) -> Result<()> {
        if self.unit {
            return Ok(());
        }
        de::Deserialize::deserialize(self.reader)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value> {
        seed.deserialize(self.content()?.reader)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        self.content()?.reader.list(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value> {
        self.content()?.reader.dict(visitor)
    }
}

/// A custom object whose type nobody asked for: an enum whose variants are the indices.
struct Custom<'r, 'de, 't> {
    reader: &'r mut Reader<'de, 't>,
    index: u32,
}

impl<'de> de::EnumAccess<'de> for Custom<'_, 'de, '_> {
    type Error = CodecError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self)> {
        let index: de::value::U32Deserializer<CodecError> = self.index.into_deserializer();
        Ok((seed.deserialize(index)?, self))
    }
}

impl<'de> de::VariantAccess<'de> for Custom<'_, 'de, '_> {
    type Error = CodecError;

    fn unit_variant(self) -> Result<()> {
        Err(Error::custom("a custom object has a content"))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value> {
        seed.deserialize(self.reader)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        self.reader.list(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value> {
        self.reader.dict(visitor)
    }
}
