//! Items in other formats: readable in those for people, the bytes of the wire in those for machines.

use std::fmt;

use serde_core::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_core::ser::{Error as _, Serialize, SerializeMap, SerializeSeq, Serializer};

use super::{ARRAY, DEPTH, ITEM};
use crate::item::{Array, Encoding, Format, Item, ItemRef, Number};

/// For people, a map of type and values; for machines, the bytes of the wire.
impl Serialize for Item {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.view().serialize(serializer)
    }
}

/// For people, a map of type and values; for machines, the bytes of the wire.
impl Serialize for ItemRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            Readable(*self, DEPTH).serialize(serializer)
        } else {
            serializer.serialize_newtype_struct(ITEM, &Wire(self.as_bytes()))
        }
    }
}

struct Wire<'a>(&'a [u8]);

impl Serialize for Wire<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

/// An item, and how much deeper it may go.
struct Readable<'a>(ItemRef<'a>, u8);

impl Serialize for Readable<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(self.0.format().name(), &Values(self.0, self.1))?;
        map.end()
    }
}

struct Values<'a>(ItemRef<'a>, u8);

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let item = self.0;
        if let Some((Encoding(code), bytes)) = item.localized() {
            return match std::str::from_utf8(bytes) {
                Ok(text) if code == Encoding::UTF_8.0 || bytes.is_ascii() => (code, text).serialize(serializer),
                _ => (code, bytes).serialize(serializer),
            };
        }
        match (item.format(), std::str::from_utf8(item.data())) {
            (Format::Ascii, Ok(text)) => return serializer.serialize_str(text),
            (Format::Jis8, Ok(text)) if text.is_ascii() => return serializer.serialize_str(text),
            (Format::Ascii | Format::Jis8 | Format::Binary, _) => return item.data().serialize(serializer),
            _ => {}
        }
        let mut values = serializer.serialize_seq(Some(item.len()))?;
        if item.is_list() {
            let Some(depth) = self.1.checked_sub(1) else {
                return Err(S::Error::custom(format!("more than {DEPTH} lists inside each other")));
            };
            for inner in item.items() {
                values.serialize_element(&Readable(inner, depth))?;
            }
            return values.end();
        }
        for index in 0..item.len() {
            match item.format() {
                Format::Boolean => match item.data().get(index) {
                    Some(byte @ 2..) => values.serialize_element(byte)?,
                    byte => values.serialize_element(&(byte != Some(&0)))?,
                },
                Format::F4 => {
                    let bytes = item.data().get(index * 4..).and_then(|rest| rest.first_chunk());
                    let number = bytes.map_or(0.0, |bytes| f32::from_be_bytes(*bytes));
                    if number.is_finite() {
                        values.serialize_element(&number)?;
                    } else {
                        values.serialize_element(&number.to_string())?;
                    }
                }
                Format::F8 => match item.float(index).unwrap_or_default() {
                    number if number.is_finite() => values.serialize_element(&number)?,
                    number => values.serialize_element(&number.to_string())?,
                },
                _ => match item.integer(index).unwrap_or_default() {
                    number if let Ok(number) = u64::try_from(number) => values.serialize_element(&number)?,
                    number => values.serialize_element(&i64::try_from(number).unwrap_or_default())?,
                },
            }
        }
        values.end()
    }
}

/// From either form.
impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_map(ItemVisitor(DEPTH))
        } else {
            deserializer.deserialize_newtype_struct(ITEM, WireVisitor)
        }
    }
}

struct WireVisitor;

impl<'de> Visitor<'de> for WireVisitor {
    type Value = Item;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes of a SECS-II item")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Item, D::Error> {
        deserializer.deserialize_bytes(self)
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Item, E> {
        Item::parse(bytes.to_vec()).map_err(E::custom)
    }
}

/// An item of a readable form, and how much deeper it may go.
struct ItemVisitor(u8);

impl<'de> de::DeserializeSeed<'de> for ItemVisitor {
    type Value = Item;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Item, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ItemVisitor {
    type Value = Item;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an item: a map of its type and its values, like {\"U4\": [1]}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Item, A::Error> {
        use de::Error;
        let Some(name) = map.next_key::<String>()? else {
            return Err(A::Error::invalid_length(0, &self));
        };
        let Some(format) = Format::ALL.into_iter().find(|format| format.name() == name) else {
            return Err(A::Error::custom(format!("`{name}` is no item type")));
        };
        let fits = |item: Result<Item, crate::item::EncodeError>| item.map_err(A::Error::custom);
        let item = match format {
            Format::List => {
                let Some(depth) = self.0.checked_sub(1) else {
                    return Err(A::Error::custom(format!("more than {DEPTH} lists inside each other")));
                };
                fits(Item::of(&map.next_value_seed(ListVisitor(depth))?))?
            }
            Format::Ascii => fits(leaf(Format::Ascii, &map.next_value::<TextOrBytes>()?.0))?,
            Format::Jis8 => fits(leaf(Format::Jis8, &map.next_value::<TextOrBytes>()?.0))?,
            Format::Localized => {
                let (code, TextOrBytes(text)) = map.next_value::<(u16, TextOrBytes)>()?;
                fits(leaf(Format::Localized, &[&code.to_be_bytes(), &*text].concat()))?
            }
            Format::Binary => fits(leaf(Format::Binary, &map.next_value::<Vec<u8>>()?))?,
            Format::Boolean => {
                let bytes: Vec<u8> = map.next_value::<Vec<Truth>>()?.iter().map(|truth| truth.0).collect();
                fits(leaf(Format::Boolean, &bytes))?
            }
            Format::I1 => fits(numbers(&map.next_value::<Vec<i8>>()?))?,
            Format::I2 => fits(numbers(&map.next_value::<Vec<i16>>()?))?,
            Format::I4 => fits(numbers(&map.next_value::<Vec<i32>>()?))?,
            Format::I8 => fits(numbers(&map.next_value::<Vec<i64>>()?))?,
            Format::U1 => fits(numbers(&map.next_value::<Vec<u8>>()?))?,
            Format::U2 => fits(numbers(&map.next_value::<Vec<u16>>()?))?,
            Format::U4 => fits(numbers(&map.next_value::<Vec<u32>>()?))?,
            Format::U8 => fits(numbers(&map.next_value::<Vec<u64>>()?))?,
            Format::F4 => {
                #[expect(clippy::cast_possible_truncation, reason = "an F4 holds no more digits")]
                let narrow = |float: &Float| float.0 as f32;
                fits(numbers(
                    &map.next_value::<Vec<Float>>()?.iter().map(narrow).collect::<Vec<_>>(),
                ))?
            }
            Format::F8 => {
                let floats: Vec<f64> = map.next_value::<Vec<Float>>()?.iter().map(|float| float.0).collect();
                fits(numbers(&floats))?
            }
        };
        match map.next_key::<String>()? {
            None => Ok(item),
            Some(second) => Err(A::Error::custom(format!(
                "`{second}` after `{name}`: an item has one type"
            ))),
        }
    }
}

fn leaf(format: Format, data: &[u8]) -> Result<Item, crate::item::EncodeError> {
    let mut bytes = Vec::with_capacity(4 + data.len());
    if data.len() > 0x00FF_FFFF {
        return Err(crate::item::EncodeError::TooLong(format, data.len()));
    }
    crate::item::put_head(format, data.len(), &mut bytes);
    bytes.extend_from_slice(data);
    Ok(Item::checked(bytes.into()))
}

fn numbers<T: Number>(values: &[T]) -> Result<Item, crate::item::EncodeError> {
    let mut writer = crate::item::Writer::new();
    writer.numbers(values);
    writer.finish()
}

struct ListVisitor(u8);

impl<'de> de::DeserializeSeed<'de> for ListVisitor {
    type Value = Vec<Item>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Item>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for ListVisitor {
    type Value = Vec<Item>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of items")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<Item>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(ItemVisitor(self.0))? {
            items.push(item);
        }
        Ok(items)
    }
}

/// A type that one of several forms of a value can be read into.
macro_rules! either {
    ($(#[$about:meta])* $name:ident($inner:ty), $expecting:literal, $($visit:ident($value:ident: $type:ty) $body:expr;)*) => {
        $(#[$about])*
        struct $name($inner);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Either;
                impl<'de> Visitor<'de> for Either {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expecting)
                    }

                    $(fn $visit<E: de::Error>(self, $value: $type) -> Result<$name, E> {
                        ($body).map($name).ok_or_else(|| E::custom(concat!("expected ", $expecting)))
                    })*

                    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<$name, A::Error> {
                        let mut bytes = Vec::new();
                        while let Some(byte) = seq.next_element::<u8>()? {
                            bytes.push(byte);
                        }
                        <$name>::of_bytes(bytes).ok_or_else(|| de::Error::custom(concat!("expected ", $expecting)))
                    }
                }
                deserializer.deserialize_any(Either)
            }
        }
    };
}

either! {
    TextOrBytes(Vec<u8>), "a text or a list of bytes",
    visit_str(text: &str) Some(text.as_bytes().to_vec());
}

impl TextOrBytes {
    fn of_bytes(bytes: Vec<u8>) -> Option<Self> {
        Some(Self(bytes))
    }
}

either! {
    /// A byte of a BOOLEAN.
    Truth(u8), "true, false or a byte",
    visit_bool(value: bool) Some(u8::from(value));
    visit_u64(value: u64) u8::try_from(value).ok();
}

impl Truth {
    fn of_bytes(_: Vec<u8>) -> Option<Self> {
        None
    }
}

either! {
    Float(f64), "a number, \"NaN\", \"inf\" or \"-inf\"",
    visit_f64(value: f64) Some(value);
    visit_u64(value: u64) value.to_string().parse().ok();
    visit_i64(value: i64) value.to_string().parse().ok();
    visit_str(value: &str) value.parse::<f64>().ok().filter(|value| !value.is_finite());
}

impl Float {
    fn of_bytes(_: Vec<u8>) -> Option<Self> {
        None
    }
}

/// As one item by [`to_item`](super::to_item); elsewhere a sequence.
impl<T: Serialize> Serialize for Array<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(ARRAY, &self.0)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Array<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self)
    }
}
