//! MessagePack by rmp-serde.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::CodecError;
use super::binary::{self, Items};

/// Messages in MessagePack, written and read by rmp-serde: an array of three. Structs are maps with their fields' names, so
/// that Python gets dictionaries. Contents may be nested 256 deep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessagePack;

/// How deep a content may be nested.
const DEPTH: usize = 256;

impl Items for MessagePack {
    const NAME: &'static str = "MessagePack";
    const THREE: u8 = 0x93;

    fn write<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), CodecError> {
        let mut writer = rmp_serde::Serializer::new(out).with_struct_map();
        value.serialize(&mut writer).map_err(CodecError::new)
    }

    fn read<T: DeserializeOwned>(item: &[u8]) -> Result<T, CodecError> {
        let mut reader = rmp_serde::Deserializer::from_read_ref(item);
        reader.set_max_depth(DEPTH);
        T::deserialize(&mut reader).map_err(CodecError::new)
    }

    /// Nothing is allocated, and nothing calls itself.
    fn item<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], CodecError> {
        let whole = *rest;
        // How many items are still to be stepped over, for each array or map that is open.
        let mut open = vec![1_u64];
        while let Some(left) = open.last_mut() {
            if *left == 0 {
                open.pop();
                continue;
            }
            *left -= 1;
            let (bytes, items) = header(rest)?;
            *rest = rest.get(bytes..).ok_or_else(ends)?;
            if items > 0 {
                if open.len() > DEPTH {
                    return Err(CodecError::new(format_args!("nested deeper than {DEPTH}")));
                }
                open.push(items);
            }
        }
        Ok(&whole[..whole.len() - rest.len()])
    }
}

binary::codec!(MessagePack);

fn ends() -> CodecError {
    CodecError::new("the packet ends inside an item")
}

/// How many bytes an item has before the items in it, and how many of those there are.
fn header(rest: &[u8]) -> Result<(usize, u64), CodecError> {
    let (&marker, after) = rest.split_first().ok_or_else(ends)?;
    let number = |bytes: usize| -> Result<u64, CodecError> {
        let digits = after.get(..bytes).ok_or_else(ends)?;
        Ok(digits.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    };
    // A length that does not fit is beyond the packet in any case.
    let long = |bytes: usize, more: usize| -> Result<(usize, u64), CodecError> {
        let length = usize::try_from(number(bytes)?).map_err(|_| ends())?;
        Ok((1 + bytes + more + length, 0))
    };
    Ok(match marker {
        0x00..=0x7f | 0xc0 | 0xc2 | 0xc3 | 0xe0..=0xff => (1, 0),
        0x80..=0x8f => (1, 2 * u64::from(marker & 0x0f)),
        0x90..=0x9f => (1, u64::from(marker & 0x0f)),
        0xa0..=0xbf => (1 + usize::from(marker & 0x1f), 0),
        0xc4 | 0xd9 => long(1, 0)?,
        0xc5 | 0xda => long(2, 0)?,
        0xc6 | 0xdb => long(4, 0)?,
        0xc7 => long(1, 1)?,
        0xc8 => long(2, 1)?,
        0xc9 => long(4, 1)?,
        0xcc | 0xd0 => (2, 0),
        0xcd | 0xd1 => (3, 0),
        0xca | 0xce | 0xd2 => (5, 0),
        0xcb | 0xcf | 0xd3 => (9, 0),
        0xd4..=0xd8 => (2 + (1 << (marker - 0xd4)), 0),
        0xdc => (3, number(2)?),
        0xdd => (5, number(4)?),
        0xde => (3, 2 * number(2)?),
        0xdf => (5, 2 * number(4)?),
        0xc1 => return Err(CodecError::new("the byte c1 begins no item")),
    })
}
