//! Items to values of serde.

use serde_core::de::value::{BorrowedBytesDeserializer, StrDeserializer, U32Deserializer};
use serde_core::de::{self, Deserialize, IntoDeserializer, Visitor};

use super::{ITEM, SerdeError};
use crate::item::{Format, ItemRef, Items};

/// Reads a value from an item.
///
/// # Errors
/// If the item is not what the value expects.
pub fn from_item<'de, T: Deserialize<'de>>(item: ItemRef<'de>) -> Result<T, SerdeError> {
    T::deserialize(Deserializer(item))
}

struct Deserializer<'de>(ItemRef<'de>);

impl<'de> Deserializer<'de> {
    /// One value of a leaf.
    fn value<V: Visitor<'de>>(self, index: usize, visitor: V) -> Result<V::Value, SerdeError> {
        let item = self.0;
        if let Some(number) = item.integer(index) {
            return match (u64::try_from(number), i64::try_from(number)) {
                (Ok(number), _) => visitor.visit_u64(number),
                (_, Ok(number)) => visitor.visit_i64(number),
                _ => visitor.visit_i128(number),
            };
        }
        match (item.format(), item.float(index), item.data().get(index)) {
            (Format::F4, Some(_), _) => {
                let bytes = item.data().get(index * 4..).and_then(|rest| rest.first_chunk());
                visitor.visit_f32(bytes.map_or(0.0, |bytes| f32::from_be_bytes(*bytes)))
            }
            (_, Some(number), _) => visitor.visit_f64(number),
            (Format::Boolean, _, Some(byte)) => visitor.visit_bool(*byte != 0),
            _ => Err(self.unexpected("a value")),
        }
    }

    fn unexpected(&self, expected: &str) -> SerdeError {
        SerdeError(format!(
            "expected {expected}, found {}[{}]",
            self.0.format(),
            self.0.len()
        ))
    }
}

impl<'de> de::Deserializer<'de> for Deserializer<'de> {
    type Error = SerdeError;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        let item = self.0;
        match item.format() {
            Format::List => self.deserialize_seq(visitor),
            Format::Binary => visitor.visit_borrowed_bytes(item.data()),
            Format::Ascii => match std::str::from_utf8(item.data()) {
                Ok(text) => visitor.visit_borrowed_str(text),
                Err(_) => visitor.visit_borrowed_bytes(item.data()),
            },
            format if format.is_text() => match item.text() {
                Some(Ok(text)) => visitor.visit_str(&text),
                _ => visitor.visit_borrowed_bytes(item.data()),
            },
            _ if item.len() == 1 => self.value(0, visitor),
            _ => self.deserialize_seq(visitor),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        match self.0.format() {
            Format::Binary | Format::Ascii | Format::Jis8 => visitor.visit_borrowed_bytes(self.0.data()),
            _ => Err(self.unexpected("bytes (B, A or J)")),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        if self.0.is_empty() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        if self.0.is_empty() {
            visitor.visit_unit()
        } else {
            Err(self.unexpected("nothing"))
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, SerdeError> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, SerdeError> {
        if name == ITEM {
            return visitor.visit_newtype_struct(BorrowedBytesDeserializer::new(self.0.as_bytes()));
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        let item = self.0;
        if item.format().is_text() {
            return Err(self.unexpected("a list"));
        }
        let mut sequence = Sequence {
            item,
            items: item.items(),
            next: 0,
        };
        let value = visitor.visit_seq(&mut sequence)?;
        if sequence.next < item.len() {
            return Err(SerdeError(format!(
                "expected {} items or values, found {}",
                sequence.next,
                item.len()
            )));
        }
        Ok(value)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, SerdeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, SerdeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        if !self.0.is_list() {
            return Err(self.unexpected("a list of keys and values"));
        }
        visitor.visit_map(Pairs {
            items: self.0.items(),
            value: None,
        })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, SerdeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, SerdeError> {
        visitor.visit_enum(Variant(self.0))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        visitor.visit_unit()
    }

    serde_core::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string identifier
    }
}

/// The items of a list, or the values of an array.
struct Sequence<'de> {
    item: ItemRef<'de>,
    items: Items<'de>,
    next: usize,
}

impl<'de> de::SeqAccess<'de> for &mut Sequence<'de> {
    type Error = SerdeError;

    fn next_element_seed<T: de::DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, SerdeError> {
        if self.next >= self.item.len() {
            return Ok(None);
        }
        let index = self.next;
        self.next += 1;
        let value = match self.items.next() {
            Some(inner) => seed.deserialize(Deserializer(inner)),
            None => seed.deserialize(Value(self.item, index)),
        };
        value
            .map(Some)
            .map_err(|error| SerdeError(format!("[{index}] {}", error.0)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.item.len() - self.next)
    }
}

/// One value of an array.
struct Value<'de>(ItemRef<'de>, usize);

impl<'de> de::Deserializer<'de> for Value<'de> {
    type Error = SerdeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        Deserializer(self.0).value(self.1, visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, SerdeError> {
        visitor.visit_newtype_struct(self)
    }

    serde_core::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

/// A list of lists of key and value.
struct Pairs<'de> {
    items: Items<'de>,
    value: Option<ItemRef<'de>>,
}

impl<'de> de::MapAccess<'de> for Pairs<'de> {
    type Error = SerdeError;

    fn next_key_seed<K: de::DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, SerdeError> {
        let Some(pair) = self.items.next() else {
            return Ok(None);
        };
        let mut both = pair.items();
        let (Some(key), Some(value), None) = (both.next(), both.next(), both.next()) else {
            return Err(Deserializer(pair).unexpected("a list of a key and a value"));
        };
        self.value = Some(value);
        seed.deserialize(Deserializer(key)).map(Some)
    }

    fn next_value_seed<V: de::DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, SerdeError> {
        match self.value.take() {
            Some(value) => seed.deserialize(Deserializer(value)),
            None => Err(SerdeError("a map's value was asked for before its key".into())),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// A variant: its name, its number, or a list of its name and its content.
struct Variant<'de>(ItemRef<'de>);

impl<'de> de::EnumAccess<'de> for Variant<'de> {
    type Error = SerdeError;
    type Variant = Content<'de>;

    fn variant_seed<V: de::DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Content<'de>), SerdeError> {
        let (name, content) = if self.0.is_list() {
            let mut both = self.0.items();
            match (both.next(), both.next(), both.next()) {
                (Some(name), Some(content), None) => (name, Some(content)),
                _ => return Err(Deserializer(self.0).unexpected("a list of a variant's name and its content")),
            }
        } else {
            (self.0, None)
        };
        let variant = match (name.read::<&str>(), name.read::<u32>()) {
            (Ok(text), _) => {
                let text: StrDeserializer<'_, SerdeError> = text.into_deserializer();
                seed.deserialize(text)?
            }
            (_, Ok(number)) => {
                let number: U32Deserializer<SerdeError> = number.into_deserializer();
                seed.deserialize(number)?
            }
            _ => return Err(Deserializer(name).unexpected("a variant's name (A) or number")),
        };
        Ok((variant, Content(content)))
    }
}

/// What a variant holds.
struct Content<'de>(Option<ItemRef<'de>>);

impl<'de> Content<'de> {
    fn inner(self) -> Result<Deserializer<'de>, SerdeError> {
        self.0
            .map(Deserializer)
            .ok_or_else(|| SerdeError("the variant's content is missing".into()))
    }
}

impl<'de> de::VariantAccess<'de> for Content<'de> {
    type Error = SerdeError;

    fn unit_variant(self) -> Result<(), SerdeError> {
        match self.0 {
            None => Ok(()),
            Some(_) => Err(SerdeError("content with a variant that has none".into())),
        }
    }

    fn newtype_variant_seed<T: de::DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, SerdeError> {
        seed.deserialize(self.inner()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, SerdeError> {
        de::Deserializer::deserialize_seq(self.inner()?, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, SerdeError> {
        de::Deserializer::deserialize_seq(self.inner()?, visitor)
    }
}
