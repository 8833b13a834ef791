//! Giving arguments to parameters, as Python does when it calls a function.

use serde::de::value::UnitDeserializer;
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};

use super::Arguments;
use crate::codec::CodecError;
use crate::codec::python::parts;

type Result<T, E = CodecError> = std::result::Result<T, E>;

pub(super) struct Bind<'a>(pub(super) &'a Arguments);

impl Bind<'_> {
    fn none_named(&self) -> Result<()> {
        match self.0.named.first() {
            Some((name, _)) => Err(CodecError::new(format_args!("unexpected argument `{name}`"))),
            None => Ok(()),
        }
    }

    fn at_most(&self, most: usize) -> Result<()> {
        match self.0.ordered.len() {
            given if given > most => Err(CodecError::new(format_args!("{given} arguments, {most} are the most"))),
            _ => Ok(()),
        }
    }
}

macro_rules! the_only_one {
    ($($name:ident)*) => {
        $(fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            self.none_named()?;
            let [only] = &self.0.ordered[..] else {
                return Err(CodecError::new(format_args!("{} arguments, one is wanted", self.0.ordered.len())));
            };
            struct Only<V>(V);
            impl<'de, V: Visitor<'de>> DeserializeSeed<'de> for Only<V> {
                type Value = V::Value;
                fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
                    deserializer.$name(self.0)
                }
            }
            parts::read(self.0.text(only), self.0.message.codec().types(), Only(visitor))
        })*
    };
}

impl<'de> Deserializer<'de> for Bind<'de> {
    type Error = CodecError;

    the_only_one! {
        deserialize_any deserialize_bool
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64 deserialize_char deserialize_str deserialize_string
        deserialize_bytes deserialize_byte_buf deserialize_identifier deserialize_seq deserialize_map
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.0.is_empty() {
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.none_named()?;
        self.at_most(0)?;
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value> {
        self.none_named()?;
        let [only] = &self.0.ordered[..] else {
            return Err(CodecError::new(format_args!(
                "{} arguments, one is wanted",
                self.0.ordered.len()
            )));
        };
        struct Only<V>(&'static str, V);
        impl<'de, V: Visitor<'de>> DeserializeSeed<'de> for Only<V> {
            type Value = V::Value;
            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
                deserializer.deserialize_newtype_struct(self.0, self.1)
            }
        }
        parts::read(self.0.text(only), self.0.message.codec().types(), Only(name, visitor))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.none_named()?;
        let [only] = &self.0.ordered[..] else {
            return Err(CodecError::new(format_args!(
                "{} arguments, one is wanted",
                self.0.ordered.len()
            )));
        };
        struct Only<V>(&'static str, &'static [&'static str], V);
        impl<'de, V: Visitor<'de>> DeserializeSeed<'de> for Only<V> {
            type Value = V::Value;
            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
                deserializer.deserialize_enum(self.0, self.1, self.2)
            }
        }
        parts::read(
            self.0.text(only),
            self.0.message.codec().types(),
            Only(name, variants, visitor),
        )
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value> {
        self.none_named()?;
        self.at_most(length)?;
        visitor.visit_seq(Ordered {
            arguments: self.0,
            next: 0,
            length,
        })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, length: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.at_most(fields.len())?;
        for (name, _) in &self.0.named {
            match fields.iter().position(|field| field == name) {
                None => return Err(CodecError::new(format_args!("unexpected argument `{name}`"))),
                Some(place) if place < self.0.ordered.len() => {
                    return Err(CodecError::new(format_args!("two values for the argument `{name}`")));
                }
                Some(_) => {}
            }
        }
        visitor.visit_map(Fields {
            arguments: self.0,
            fields,
            next: 0,
        })
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_unit()
    }
}

/// In their order; those that are missing are null.
struct Ordered<'a> {
    arguments: &'a Arguments,
    next: usize,
    length: usize,
}

impl<'de> SeqAccess<'de> for Ordered<'de> {
    type Error = CodecError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        let place = self.next;
        if place >= self.length {
            return Ok(None);
        }
        self.next += 1;
        let value = match self.arguments.ordered.get(place) {
            Some(range) => {
                let types = self.arguments.message.codec().types();
                let value = parts::read(self.arguments.text(range), types, seed);
                value.map_err(|error| CodecError::new(format_args!("argument {}: {error}", place + 1)))
            }
            None => {
                let null: UnitDeserializer<CodecError> = ().into_deserializer();
                let value = seed.deserialize(Null(null));
                value.map_err(|_| CodecError::new(format_args!("argument {} is missing", place + 1)))
            }
        };
        value.map(Some)
    }
}

/// No argument, which only an `Option` takes.
struct Null(UnitDeserializer<CodecError>);

impl<'de> Deserializer<'de> for Null {
    type Error = CodecError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.0.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_none()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// By the names of a struct's fields.
struct Fields<'a> {
    arguments: &'a Arguments,
    fields: &'static [&'static str],
    next: usize,
}

impl<'a> Fields<'a> {
    fn given(&self, place: usize) -> Option<&'a str> {
        let arguments = self.arguments;
        let ordered = arguments.ordered.get(place);
        let named = || {
            let name = self.fields.get(place)?;
            let (_, range) = arguments.named.iter().find(|(known, _)| known == name)?;
            Some(range)
        };
        Some(arguments.text(ordered.or_else(named)?))
    }
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = CodecError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        while let Some(field) = self.fields.get(self.next) {
            if self.given(self.next).is_some() {
                let key: serde::de::value::StrDeserializer<'_, CodecError> = (*field).into_deserializer();
                return seed.deserialize(key).map(Some);
            }
            self.next += 1;
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        let place = self.next;
        self.next += 1;
        let text = self.given(place).unwrap_or_default();
        parts::read(text, self.arguments.message.codec().types(), seed).map_err(|error| {
            let name = self.fields.get(place).copied().unwrap_or_default();
            CodecError::new(format_args!("argument `{name}`: {error}"))
        })
    }
}
