//! Writing.

mod compound;
mod key;
mod scalar;

use serde::ser::{self, Serialize};

use compound::Compound;
use key::Surrogates;
pub(super) use scalar::string;
use scalar::{float, integer};

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

    /// Begins the dictionary of one that a variant with a content is.
    fn variant(&mut self, name: &str) {
        self.out.push(b'{');
        string(name, self.out);
        self.word(": ");
    }

    fn unwrap(&mut self, wrapped: bool) {
        if wrapped {
            self.word("]}");
            self.depth -= 1;
        }
    }
}

macro_rules! widened {
    ($($name:ident($value:ty) as $wide:ident;)*) => {
        $(fn $name(self, value: $value) -> Result<()> {
            self.$wide(value.into())
        })*
    };
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

    widened! {
        serialize_i8(i8) as serialize_i64;
        serialize_i16(i16) as serialize_i64;
        serialize_i32(i32) as serialize_i64;
        serialize_u8(u8) as serialize_u64;
        serialize_u16(u16) as serialize_u64;
        serialize_u32(u32) as serialize_u64;
        serialize_f32(f32) as serialize_f64;
    }

    fn serialize_bool(self, value: bool) -> Result<()> {
        self.word(if value { "true" } else { "false" });
        Ok(())
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

    #[inline]
    fn serialize_u64(self, value: u64) -> Result<()> {
        push_number(value, self.out);
        Ok(())
    }

    fn serialize_u128(self, value: u128) -> Result<()> {
        self.word(&value.to_string());
        Ok(())
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
        self.variant(variant);
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
        self.variant(variant);
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
        self.variant(variant);
        Compound::begin(self, b'{', "}}", wrapped)
    }
}
