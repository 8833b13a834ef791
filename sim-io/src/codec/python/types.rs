//! Which types travel as `{"__type__": [index, encoded]}`, and under which index.

use std::borrow::Cow;

/// The names that a [`Value::Custom`](super::Value::Custom) and a [`Text`](super::Text) with surrogates bear on their way
/// through serde.
pub(super) const CUSTOM: &str = "$sim_io::custom";
pub(super) const SURROGATES: &str = "$sim_io::surrogates";

/// The types that have an index, as `codec.JSON(types, converters)` of simpy.io has them. Both sides must register the
/// same ones in the same order.
///
/// A Rust type is registered by its name: a struct, tuple struct or enum that derives serde's traits travels as its usual
/// content, wrapped with the index. Whatever else arrives wrapped is a [`Value::Custom`](super::Value::Custom), or an
/// error if a certain type was expected or the index is unknown; either is the matter of that message alone.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use sim_io::codec::PythonJson;
/// use sim_io::codec::python::CustomTypes;
///
/// #[derive(Serialize, Deserialize, Debug, PartialEq)]
/// struct Complex(f64, f64);
///
/// let codec = PythonJson::with_types(CustomTypes::new().with_type("Complex"));
/// let text = codec.to_text(&[Complex(1.0, 2.5)])?;
/// assert_eq!(text, r#"[{"__type__": [0, [1.0, 2.5]]}]"#);
/// assert_eq!(codec.from_text::<Vec<Complex>>(&text)?, [Complex(1.0, 2.5)]);
/// # Ok::<(), sim_io::codec::CodecError>(())
/// ```
///
/// # Plain data with that key
/// Python takes each object that has the key for a custom one. A map of one's own data that has it is therefore an error
/// to encode, unless an index is set apart for such maps ([`escaped`](Self::escaped)): they travel as lists of pairs
/// under it. In Python that is the type `(Escaped, lambda it: list(it.items()), dict)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomTypes {
    key: Cow<'static, str>,
    types: Vec<Cow<'static, str>>,
    converters: Vec<Cow<'static, str>>,
    /// Where among the types the escape is.
    escape: Option<usize>,
}

impl Default for CustomTypes {
    fn default() -> Self {
        Self {
            key: "__type__".into(),
            types: Vec::new(),
            converters: Vec::new(),
            escape: None,
        }
    }
}

impl CustomTypes {
    /// No types.
    pub fn new() -> Self {
        Self::default()
    }

    /// Registers the type with this name, under the next index of the types.
    #[must_use]
    pub fn with_type(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.types.push(name.into());
        self
    }

    /// Registers a type that the peer has among its converters, whose indices follow those of the types.
    #[must_use]
    pub fn with_converter(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.converters.push(name.into());
        self
    }

    /// Sets the next index of the types apart for maps that have the key themselves.
    #[must_use]
    pub fn escaped(mut self) -> Self {
        self.escape = Some(self.types.len());
        self.with_type("$sim_io::escaped")
    }

    /// Sets the key. Default: `__type__`.
    #[must_use]
    pub fn key(mut self, key: impl Into<Cow<'static, str>>) -> Self {
        self.key = key.into();
        self
    }

    /// Whether any are registered: objects with the key are plain data otherwise.
    #[inline]
    pub(super) fn any(&self) -> bool {
        !(self.types.is_empty() && self.converters.is_empty())
    }

    pub(super) fn key_text(&self) -> &str {
        &self.key
    }

    pub(super) fn escape_index(&self) -> Option<u32> {
        self.escape.and_then(|index| index.try_into().ok())
    }

    /// The index of a name.
    #[inline]
    pub(super) fn index(&self, name: &str) -> Option<u32> {
        if !self.any() {
            return None;
        }
        let mut names = self.types.iter().chain(&self.converters);
        names
            .position(|known| known == name)
            .and_then(|index| index.try_into().ok())
    }

    /// How many indices there are.
    pub(super) fn count(&self) -> usize {
        self.types.len() + self.converters.len()
    }
}
