//! CBOR by ciborium.

use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::CodecError;
use super::binary::{self, Items};

/// Messages in CBOR (RFC 8949), written and read by ciborium: an array of three. Structs are maps with their fields' names.
/// Contents may be nested 256 deep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cbor;

impl Items for Cbor {
    const NAME: &'static str = "CBOR";
    const THREE: u8 = 0x83;

    fn write<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), CodecError> {
        ciborium::into_writer(value, out).map_err(CodecError::new)
    }

    fn read<T: DeserializeOwned>(item: &[u8]) -> Result<T, CodecError> {
        ciborium::from_reader(item).map_err(CodecError::new)
    }

    fn item<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], CodecError> {
        let whole = *rest;
        // Reading takes it off the front.
        ciborium::from_reader::<IgnoredAny, _>(&mut *rest).map_err(CodecError::new)?;
        Ok(&whole[..whole.len() - rest.len()])
    }
}

binary::codec!(Cbor);
