//! What the binary serialisers have in common: a message is an array of three items, one after the other.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{CodecError, Envelope, Id, Kind};

/// A binary format of items.
pub(super) trait Items {
    /// Its name.
    const NAME: &'static str;
    /// The byte that begins an array of three.
    const THREE: u8;

    fn write<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), CodecError>;

    /// Reads one item.
    fn read<T: DeserializeOwned>(item: &[u8]) -> Result<T, CodecError>;

    /// Takes one item off the front, whatever it is.
    fn item<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], CodecError>;
}

/// What comes before the content. In both formats the numbers 0 to 2 are these bytes.
pub(super) fn begin<I: Items>(kind: Kind, id: &Id, out: &mut Vec<u8>) {
    out.push(I::THREE);
    out.push(kind as u8);
    match id {
        // Writing a number into memory can't fail.
        Id::Number(number) => drop(I::write(number, out)),
        Id::Other(bytes) => out.extend_from_slice(bytes),
    }
}

/// Finds the parts of `[type, id, content]`.
pub(super) fn open<I: Items>(packet: &[u8]) -> Result<Envelope<'_>, CodecError> {
    let mut rest = match packet.split_first() {
        Some((&first, rest)) if first == I::THREE => rest,
        _ => {
            return Err(CodecError::new(format_args!(
                "no {} array of [type, id, content]",
                I::NAME
            )));
        }
    };
    let kind: u64 = I::read(I::item(&mut rest)?).map_err(|_| CodecError::new("the message type is no number"))?;
    let kind =
        Kind::from_number(kind).ok_or_else(|| CodecError::new(format_args!("there is no message type {kind}")))?;
    let id = I::item(&mut rest)?;
    let number = I::read(id);
    let odd = number.is_err();
    let id = number.map_or_else(|_| Id::Other(id.into()), Id::Number);
    let content = I::item(&mut rest)?;
    if !rest.is_empty() {
        return Err(CodecError::new(format_args!("{} bytes after the message", rest.len())));
    }
    Ok(Envelope { kind, id, content, odd })
}

/// Makes a codec of a format of items.
macro_rules! codec {
    ($format:ident) => {
        impl $crate::codec::Codec for $format {
            fn begin(&self, kind: $crate::codec::Kind, id: &$crate::codec::Id, out: &mut Vec<u8>) {
                binary::begin::<Self>(kind, id, out);
            }

            fn end(&self, _: &mut Vec<u8>) {}

            fn open<'a>(&self, packet: &'a [u8]) -> Result<$crate::codec::Envelope<'a>, CodecError> {
                binary::open::<Self>(packet)
            }

            fn encode_fault(
                &self,
                fault: &$crate::message::Fault,
                form: $crate::message::FailureForm,
                out: &mut Vec<u8>,
            ) -> Result<(), CodecError> {
                Self::write(&fault.content(form), out)
            }

            fn decode_fault(&self, content: &[u8]) -> $crate::message::Fault {
                Self::read::<$crate::message::FaultContent>(content)
                    .map_or_else(|_| $crate::message::Fault::unknown(content), Into::into)
            }
        }

        impl<T: Serialize + ?Sized> $crate::codec::Encode<T> for $format {
            fn encode(&self, content: &T, out: &mut Vec<u8>) -> Result<(), CodecError> {
                Self::write(content, out)
            }
        }

        impl<T: DeserializeOwned> $crate::codec::Decode<T> for $format {
            fn decode(&self, content: &[u8]) -> Result<T, CodecError> {
                Self::read(content)
            }
        }
    };
}

pub(super) use codec;
