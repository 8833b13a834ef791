//! JSON exactly as Python's `json` module writes and reads it.
//!
//! ```
//! use serde::Serialize;
//! use sim_io::codec::PythonJson;
//!
//! # #[derive(Serialize)]
//! # struct Step { time: u32, late: f64 }
//! // #[derive(Serialize)] struct Step { time: u32, late: f64 }
//! let text = PythonJson::new().to_text(&("Grüße", Step { time: 3, late: f64::NAN }))?;
//! assert_eq!(text, r#"["Gr\u00fc\u00dfe", {"time": 3, "late": NaN}]"#);
//! # Ok::<(), sim_io::codec::CodecError>(())
//! ```
//!
//! # What it does as Python does
//! * `", "` and `": "` between things; everything but printable ASCII is escaped, in lower-case hexadecimal.
//! * `NaN`, `Infinity` and `-Infinity` are written and read. Floats look as `repr` shows them: `1.0`, `1e+16`, `1e-05`.
//! * Strings may hold lone surrogates; [`Text`] can. A Rust `String` can't: decoding one into it is an error.
//! * Maps keep their order in a [`Value`], keys that are numbers or booleans become strings, and of equal keys the last
//!   one counts.
//! * Integers may be long: up to 38 digits here.
//!
//! Arrays and objects may be nested 128 deep.
//!
//! # Custom types
//! An object that JSON does not know travels as `{"__type__": [index, encoded]}`, if both sides have registered its type
//! at the same index ([`CustomTypes`]). Unless types are registered, such an object is plain data.

mod de;
#[cfg(feature = "rpc")]
pub(crate) mod parts;
mod ser;
mod text;
mod types;
mod value;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::json_text;
use super::{Codec, CodecError, Decode, Encode, Envelope, Id, Kind};
use crate::message::{FailureForm, Fault, FaultContent};

pub use text::Text;
pub use types::CustomTypes;
pub use value::Value;

/// Messages in exactly the JSON that Python writes and reads; see [this module](self).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PythonJson {
    types: CustomTypes,
}

impl PythonJson {
    /// Plain JSON, without custom types.
    pub fn new() -> Self {
        Self::default()
    }

    /// JSON with custom types.
    pub fn with_types(types: CustomTypes) -> Self {
        Self { types }
    }

    /// The custom types.
    pub fn types(&self) -> &CustomTypes {
        &self.types
    }

    /// Writes a value as text.
    ///
    /// # Errors
    /// If JSON has no place for it: a map with keys that are no scalars, or what [`CustomTypes`] refuses.
    pub fn to_text<T: Serialize + ?Sized>(&self, value: &T) -> Result<String, CodecError> {
        let mut out = Vec::new();
        self.encode(value, &mut out)?;
        String::from_utf8(out).map_err(CodecError::new)
    }

    /// Reads a value from text.
    ///
    /// # Errors
    /// If it is no JSON, or something else than the type expects.
    pub fn from_text<T: DeserializeOwned>(&self, text: &str) -> Result<T, CodecError> {
        de::read(text, &self.types)
    }
}

impl Codec for PythonJson {
    #[inline]
    fn begin(&self, kind: Kind, id: &Id, out: &mut Vec<u8>) {
        json_text::begin(kind, id, ", ", out);
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

impl<T: Serialize + ?Sized> Encode<T> for PythonJson {
    #[inline]
    fn encode(&self, content: &T, out: &mut Vec<u8>) -> Result<(), CodecError> {
        ser::write(content, &self.types, out)
    }
}

impl<T: DeserializeOwned> Decode<T> for PythonJson {
    #[inline]
    fn decode(&self, content: &[u8]) -> Result<T, CodecError> {
        let text = std::str::from_utf8(content).map_err(CodecError::new)?;
        de::read(text, &self.types)
    }
}

impl serde::ser::Error for CodecError {
    fn custom<T: std::fmt::Display>(text: T) -> Self {
        Self::new(text)
    }
}

impl serde::de::Error for CodecError {
    fn custom<T: std::fmt::Display>(text: T) -> Self {
        Self::new(text)
    }
}
