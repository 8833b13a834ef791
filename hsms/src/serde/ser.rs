//! Values of serde to items.

use serde_core::ser::{self, Serialize};

use super::{ARRAY, DEPTH, ITEM, SerdeError};
use crate::item::{EncodeError, Format, Item, ItemRef, Writer, put_head};

/// Writes a value as an item.
///
/// # Errors
/// If the value refuses, is of 128 bits, nests more than 128 deep, or is longer than an item can be.
pub fn to_item<T: Serialize + ?Sized>(value: &T) -> Result<Item, SerdeError> {
    at_depth(value, DEPTH)
}

fn at_depth<T: Serialize + ?Sized>(value: &T, depth: u8) -> Result<Item, SerdeError> {
    let mut writer = Writer::new();
    value.serialize(Serializer {
        writer: &mut writer,
        depth,
    })?;
    Ok(writer.finish()?)
}

impl From<EncodeError> for SerdeError {
    fn from(error: EncodeError) -> Self {
        Self(error.to_string())
    }
}

struct Serializer<'w> {
    writer: &'w mut Writer,
    /// How much deeper it may go.
    depth: u8,
}

impl<'w> Serializer<'w> {
    fn list(self, len: Option<usize>) -> Result<List<'w>, SerdeError> {
        let Some(depth) = self.depth.checked_sub(1) else {
            return Err(SerdeError(format!("the value nests more than {DEPTH} deep")));
        };
        let unknown = match len {
            Some(len) => {
                self.writer.begin_list(len);
                None
            }
            None => Some(Vec::new()),
        };
        Ok(List {
            writer: self.writer,
            unknown,
            key: None,
            depth,
        })
    }

    /// A list of the variant's name and what is yet to come.
    fn variant(self, name: &str) -> Result<Self, SerdeError> {
        let Some(depth) = self.depth.checked_sub(1) else {
            return Err(SerdeError(format!("the value nests more than {DEPTH} deep")));
        };
        self.writer.begin_list(2);
        self.writer.ascii(name);
        Ok(Self { depth, ..self })
    }
}

macro_rules! numbers {
    ($($method:ident $type:ident),*) => {$(
        fn $method(self, value: $type) -> Result<(), SerdeError> {
            self.writer.numbers(&[value]);
            Ok(())
        }
    )*};
}

impl<'w> ser::Serializer for Serializer<'w> {
    type Ok = ();
    type Error = SerdeError;
    type SerializeSeq = List<'w>;
    type SerializeTuple = List<'w>;
    type SerializeTupleStruct = List<'w>;
    type SerializeTupleVariant = List<'w>;
    type SerializeMap = List<'w>;
    type SerializeStruct = List<'w>;
    type SerializeStructVariant = List<'w>;

    numbers!(
        serialize_u8 u8, serialize_u16 u16, serialize_u32 u32, serialize_u64 u64, serialize_i8 i8,
        serialize_i16 i16, serialize_i32 i32, serialize_i64 i64, serialize_f32 f32, serialize_f64 f64
    );

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_bool(self, value: bool) -> Result<(), SerdeError> {
        self.writer.booleans(&[value]);
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), SerdeError> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), SerdeError> {
        self.writer.ascii(value);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), SerdeError> {
        self.writer.binary(value);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), SerdeError> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), SerdeError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), SerdeError> {
        self.writer.begin_list(0);
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), SerdeError> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), SerdeError> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<(), SerdeError> {
        match name {
            // It comes as the bytes of the wire.
            ITEM => {
                let bytes = at_depth(value, self.depth)?;
                let item = ItemRef::parse(bytes.view().data()).map_err(|error| SerdeError(error.to_string()))?;
                self.writer.item(item);
                Ok(())
            }
            ARRAY => array(&at_depth(value, self.depth)?, self.writer),
            _ => value.serialize(self),
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), SerdeError> {
        value.serialize(self.variant(variant)?)
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<List<'w>, SerdeError> {
        self.list(len)
    }

    fn serialize_tuple(self, len: usize) -> Result<List<'w>, SerdeError> {
        self.list(Some(len))
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<List<'w>, SerdeError> {
        self.list(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<List<'w>, SerdeError> {
        self.variant(variant)?.list(Some(len))
    }

    fn serialize_map(self, len: Option<usize>) -> Result<List<'w>, SerdeError> {
        self.list(len)
    }

    fn serialize_struct(self, _: &'static str, len: usize) -> Result<List<'w>, SerdeError> {
        self.list(Some(len))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<List<'w>, SerdeError> {
        self.variant(variant)?.list(Some(len))
    }
}

/// Makes one item of a list of numbers.
fn array(list: &Item, writer: &mut Writer) -> Result<(), SerdeError> {
    let mut data = Vec::new();
    let mut format = None;
    for number in list.view().items() {
        if !number.format().is_number() || *format.get_or_insert(number.format()) != number.format() {
            return Err(SerdeError("an array holds numbers of one type".into()));
        }
        data.extend_from_slice(number.data());
    }
    // Without values nothing tells the type.
    let mut item = Vec::with_capacity(4 + data.len());
    let format = format.unwrap_or(Format::U4);
    if data.len() > 0x00FF_FFFF {
        return Err(EncodeError::TooLong(format, data.len()).into());
    }
    put_head(format, data.len(), &mut item);
    item.append(&mut data);
    writer.item(ItemRef::checked(&item));
    Ok(())
}

/// A list that is being written.
struct List<'w> {
    writer: &'w mut Writer,
    /// What has come, if nobody said how many there will be.
    unknown: Option<Vec<Item>>,
    /// Of a map, the key whose value is still to come.
    key: Option<Item>,
    depth: u8,
}

impl List<'_> {
    fn one<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), SerdeError> {
        match &mut self.unknown {
            Some(items) => {
                items.push(at_depth(value, self.depth)?);
                Ok(())
            }
            None => value.serialize(Serializer {
                writer: self.writer,
                depth: self.depth,
            }),
        }
    }

    fn close(self) {
        if let Some(items) = self.unknown {
            self.writer.list(items);
        }
    }
}

macro_rules! lists {
    ($($name:ident $method:ident $($key:ident)?),*) => {$(
        impl ser::$name for List<'_> {
            type Ok = ();
            type Error = SerdeError;

            fn $method<T: Serialize + ?Sized>(&mut self, $($key: &'static str,)? value: &T) -> Result<(), SerdeError> {
                $(let _ = $key;)?
                self.one(value)
            }

            fn end(self) -> Result<(), SerdeError> {
                self.close();
                Ok(())
            }
        }
    )*};
}

lists!(
    SerializeSeq serialize_element, SerializeTuple serialize_element, SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field, SerializeStruct serialize_field key,
    SerializeStructVariant serialize_field key
);

impl ser::SerializeMap for List<'_> {
    type Ok = ();
    type Error = SerdeError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), SerdeError> {
        self.key = Some(at_depth(key, self.depth)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), SerdeError> {
        let Some(key) = self.key.take() else {
            return Err(SerdeError("a map's value came before its key".into()));
        };
        let pair = Item::of(&(key, at_depth(value, self.depth)?))?;
        match &mut self.unknown {
            Some(items) => items.push(pair),
            None => self.writer.item(pair.view()),
        }
        Ok(())
    }

    fn end(self) -> Result<(), SerdeError> {
        self.close();
        Ok(())
    }
}
