//! Keys, and texts with surrogates: what has no parts.

use serde::ser::{self, Serialize};

use super::scalar::surrogates;
use super::{Result, Writer, string};
use crate::codec::CodecError;
use crate::codec::python::types::SURROGATES;

/// Writes a key: a string, or what Python makes one of.
pub(super) struct Key<'a, 'w>(pub(super) &'w mut Writer<'a>);

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

/// One that takes nothing which has parts.
macro_rules! no_parts {
    ($error:expr) => {
        type Ok = ();
        type Error = CodecError;
        type SerializeSeq = Never;
        type SerializeTuple = Never;
        type SerializeTupleStruct = Never;
        type SerializeTupleVariant = Never;
        type SerializeMap = Never;
        type SerializeStruct = Never;
        type SerializeStructVariant = Never;

        fn serialize_newtype_variant<T: Serialize + ?Sized>(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: &T,
        ) -> Result<()> {
            Err($error)
        }

        refuse! { $error;
            serialize_seq(Option<usize>) -> Never;
            serialize_tuple(usize) -> Never;
            serialize_tuple_struct(&'static str, usize) -> Never;
            serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Never;
            serialize_map(Option<usize>) -> Never;
            serialize_struct(&'static str, usize) -> Never;
            serialize_struct_variant(&'static str, u32, &'static str, usize) -> Never;
        }
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
    no_parts!(bad_key());

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

    refuse! { bad_key();
        serialize_bytes(&[u8]) -> ();
        serialize_unit_struct(&'static str) -> ();
    }
}

/// Writes the bytes of a [`Text`](super::super::Text) with surrogates, and nothing else.
pub(super) struct Surrogates<'a>(pub(super) &'a mut Vec<u8>);

fn no_text() -> CodecError {
    CodecError::new("not a text")
}

impl ser::Serializer for Surrogates<'_> {
    no_parts!(no_text());

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
    }
}
