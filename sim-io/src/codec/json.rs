//! JSON by serde_json.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::json_text;
use super::{Codec, CodecError, Decode, Encode, Envelope, Id, Kind};
use crate::message::{FailureForm, Fault, FaultContent};

/// Messages in compact JSON, written and read by serde_json: the serialiser to choose unless bytes must be Python's.
///
/// Python reads what it writes. `NaN` and `Infinity` become `null`, as JSON has no such numbers; a content that has them,
/// or a lone surrogate, can't be decoded, which is the matter of that message alone. Contents may be nested 128 deep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Json;

impl Codec for Json {
    #[inline]
    fn begin(&self, kind: Kind, id: &Id, out: &mut Vec<u8>) {
        json_text::begin(kind, id, ",", out);
    }

    #[inline]
    fn end(&self, out: &mut Vec<u8>) {
        out.push(b']');
    }

    fn open<'a>(&self, packet: &'a [u8]) -> Result<Envelope<'a>, CodecError> {
        json_text::open(packet)
    }

    fn encode_fault(&self, fault: &Fault, form: FailureForm, out: &mut Vec<u8>) -> Result<(), CodecError> {
        self.encode(&fault.content(form), out)
    }

    fn decode_fault(&self, content: &[u8]) -> Fault {
        let known: Result<FaultContent, _> = self.decode(content);
        known.map_or_else(|_| Fault::unknown(content), Fault::from)
    }
}

impl<T: Serialize + ?Sized> Encode<T> for Json {
    #[inline]
    fn encode(&self, content: &T, out: &mut Vec<u8>) -> Result<(), CodecError> {
        serde_json::to_writer(out, content).map_err(CodecError::new)
    }
}

impl<T: DeserializeOwned> Decode<T> for Json {
    #[inline]
    fn decode(&self, content: &[u8]) -> Result<T, CodecError> {
        serde_json::from_slice(content).map_err(CodecError::new)
    }
}
