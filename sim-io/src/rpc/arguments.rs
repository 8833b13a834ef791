//! What a method is called with.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::bind::Bind;
use super::reference;
use crate::codec::python::{CustomTypes, parts};
use crate::codec::{CodecError, PythonJson};
use crate::message::{Fault, Message};

/// What a method is called with: arguments in their order, and by name.
///
/// [`bind`](Self::bind) gives them their types all at once; methods of an [`Object`](super::Object) have that done for
/// them.
pub struct Arguments {
    pub(super) message: Message<PythonJson>,
    content: Bytes,
    /// Where the ordered ones lie.
    pub(super) ordered: Vec<Range<usize>>,
    pub(super) named: Vec<(String, Range<usize>)>,
}

impl Arguments {
    /// The path that is called, and the arguments.
    pub(super) fn of(message: &Message<PythonJson>, content: &Bytes) -> Result<(String, Self), CodecError> {
        let text = std::str::from_utf8(content).map_err(CodecError::new)?;
        let call = parts::list(text)?;
        let [path, ordered, named] = &call[..] else {
            return Err(CodecError::new(format_args!("{} items", call.len())));
        };
        let part = |range: &Range<usize>| text.get(range.clone()).unwrap_or_default();
        let path = parts::read(part(path), &CustomTypes::default(), PhantomData::<String>)?;
        let shifted = |inner: Range<usize>, by: usize| inner.start + by..inner.end + by;
        let (list, dict) = (parts::list(part(ordered))?, parts::dict(part(named))?);
        let arguments = Self {
            message: message.clone(),
            content: content.clone(),
            ordered: list.into_iter().map(|item| shifted(item, ordered.start)).collect(),
            named: dict
                .into_iter()
                .map(|(name, item)| (name, shifted(item, named.start)))
                .collect(),
        };
        Ok((path, arguments))
    }

    /// How many were given in their order.
    pub fn len(&self) -> usize {
        self.ordered.len()
    }

    /// Whether none was given, in order or by name.
    pub fn is_empty(&self) -> bool {
        self.ordered.is_empty() && self.named.is_empty()
    }

    /// The names of those that were given by name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.named.iter().map(|(name, _)| &**name)
    }

    /// One that was given in its order.
    ///
    /// # Errors
    /// If there is none, or it is of another type.
    pub fn at<T: DeserializeOwned>(&self, index: usize) -> Result<T, Fault> {
        let range = self.ordered.get(index);
        let range = range.ok_or_else(|| wrong(format_args!("argument {} is missing", index + 1)))?;
        self.read(range)
            .map_err(|error| wrong(format_args!("argument {}: {error}", index + 1)))
    }

    /// One that was given by name.
    ///
    /// # Errors
    /// If there is none, or it is of another type.
    pub fn named<T: DeserializeOwned>(&self, name: &str) -> Result<T, Fault> {
        let found = self.named.iter().find(|(known, _)| known == name);
        let (_, range) = found.ok_or_else(|| wrong(format_args!("argument `{name}` is missing")))?;
        self.read(range)
            .map_err(|error| wrong(format_args!("argument `{name}`: {error}")))
    }

    /// All of them, as the parameters `P`, which decide how they are taken:
    ///
    /// * a tuple takes them in their order; missing ones at its end must be `Option`s;
    /// * a struct that derives `Deserialize` takes them as a Python function would, in the order of its fields or by their
    ///   names; `#[serde(default)]` gives defaults;
    /// * `()` takes none, and a plain type such as `String` exactly one.
    ///
    /// # Errors
    /// If they don't fit: too many, too few, unknown names, other types.
    pub fn bind<P: DeserializeOwned>(&self) -> Result<P, Fault> {
        let _scope = reference::enter(&self.message);
        P::deserialize(Bind(self)).map_err(wrong)
    }

    pub(super) fn text(&self, range: &Range<usize>) -> &str {
        // It was taken from a text.
        std::str::from_utf8(self.content.get(range.clone()).unwrap_or_default()).unwrap_or_default()
    }

    fn read<T: DeserializeOwned>(&self, range: &Range<usize>) -> Result<T, CodecError> {
        let _scope = reference::enter(&self.message);
        self.message.codec().from_text(self.text(range))
    }
}

pub(super) fn wrong(why: impl fmt::Display) -> Fault {
    Fault::new("TypeError", why.to_string())
}

impl fmt::Debug for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        for range in &self.ordered {
            list.entry(&format_args!("{}", self.text(range)));
        }
        for (name, range) in &self.named {
            list.entry(&format_args!("{name}={}", self.text(range)));
        }
        list.finish()
    }
}
