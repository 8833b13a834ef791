//! CBOR by ciborium.

use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::{Codec, CodecError, Decode, Encode, Envelope, Id, Kind};
use crate::message::{FailureForm, Fault, FaultContent};

/// Messages in CBOR (RFC 8949), written and read by ciborium: an array of three. Structs are maps with their fields' names.
/// Contents may be nested 256 deep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cbor;

/// An array of three items.
const THREE: u8 = 0x83;

fn write<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), CodecError> {
    ciborium::into_writer(value, out).map_err(CodecError::new)
}

/// Reads one item off the front.
fn read<T: DeserializeOwned>(rest: &mut &[u8]) -> Result<T, CodecError> {
    ciborium::from_reader(rest).map_err(CodecError::new)
}

/// Takes one item off the front, whatever it is.
fn item<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], CodecError> {
    let whole = *rest;
    read::<IgnoredAny>(rest)?;
    Ok(&whole[..whole.len() - rest.len()])
}

impl Codec for Cbor {
    fn begin(&self, kind: Kind, id: &Id, out: &mut Vec<u8>) {
        out.push(THREE);
        out.push(kind as u8);
        match id {
            // Writing a number into memory can't fail.
            Id::Number(number) => drop(write(number, out)),
            Id::Other(bytes) => out.extend_from_slice(bytes),
        }
    }

    fn end(&self, _: &mut Vec<u8>) {}

    fn open<'a>(&self, packet: &'a [u8]) -> Result<Envelope<'a>, CodecError> {
        let Some((&THREE, mut rest)) = packet.split_first() else {
            return Err(CodecError::new("no CBOR array of [type, id, content]"));
        };
        let kind: u64 = read(&mut item(&mut rest)?).map_err(|_| CodecError::new("the message type is no number"))?;
        let kind =
            Kind::from_number(kind).ok_or_else(|| CodecError::new(format_args!("there is no message type {kind}")))?;
        let id = item(&mut rest)?;
        let number = read(&mut { id });
        let odd = number.is_err();
        let id = number.map_or_else(|_| Id::Other(id.into()), Id::Number);
        let content = item(&mut rest)?;
        if !rest.is_empty() {
            return Err(CodecError::new(format_args!("{} bytes after the message", rest.len())));
        }
        Ok(Envelope { kind, id, content, odd })
    }

    fn encode_fault(&self, fault: &Fault, form: FailureForm, out: &mut Vec<u8>) -> Result<(), CodecError> {
        self.encode(&fault.content(form), out)
    }

    fn decode_fault(&self, content: &[u8]) -> Fault {
        let known: Result<FaultContent, _> = self.decode(content);
        known.map_or_else(|_| Fault::unknown(content), Fault::from)
    }
}

impl<T: Serialize + ?Sized> Encode<T> for Cbor {
    fn encode(&self, content: &T, out: &mut Vec<u8>) -> Result<(), CodecError> {
        write(content, out)
    }
}

impl<T: DeserializeOwned> Decode<T> for Cbor {
    fn decode(&self, content: &[u8]) -> Result<T, CodecError> {
        read(&mut { content })
    }
}
