//! What a Rust type says of an item that it can't be read from.

use std::borrow::Cow;
use std::fmt;

use super::{Format, ItemRef};

/// An item that is not what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// The places in the lists, the innermost first.
    path: Vec<usize>,
    /// What was read, if its name is known.
    field: Option<&'static str>,
    kind: Box<ReadErrorKind>,
}

/// What does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// Another kind of item.
    Expected {
        /// What was expected, in words.
        expected: Cow<'static, str>,
        /// The item's format.
        found: Format,
        /// How many values, items or bytes it has.
        len: usize,
    },
    /// The number (given as text) is too large, or negative, for the type (named).
    OutOfRange(String, &'static str),
    /// A list without this place.
    NoItem {
        /// The place that was asked for, from 0.
        index: usize,
        /// How many items there are.
        len: usize,
    },
    /// What the type itself says.
    Other(String),
}

impl ReadError {
    /// Another kind of item than expected.
    #[must_use]
    #[cold]
    pub fn expected(expected: impl Into<Cow<'static, str>>, found: ItemRef<'_>) -> Self {
        Self::of(ReadErrorKind::Expected {
            expected: expected.into(),
            found: found.format(),
            len: found.len(),
        })
    }

    /// What a type of one's own has to say.
    #[must_use]
    #[cold]
    pub fn other(what: impl Into<String>) -> Self {
        Self::of(ReadErrorKind::Other(what.into()))
    }

    #[cold]
    pub(crate) fn no_item(list: ItemRef<'_>, index: usize) -> Self {
        if list.is_list() {
            let len = list.len();
            Self::of(ReadErrorKind::NoItem { index, len })
        } else {
            Self::expected("a list", list)
        }
    }

    #[cold]
    pub(super) fn of(kind: ReadErrorKind) -> Self {
        Self {
            path: Vec::new(),
            field: None,
            kind: Box::new(kind),
        }
    }

    /// The same error, seen from the list around: it is in the item at this place.
    #[must_use]
    #[cold]
    pub fn inside(mut self, index: usize) -> Self {
        self.path.push(index);
        self
    }

    /// The same error, with the name of what was read there. The innermost name stays.
    #[must_use]
    #[cold]
    pub fn named(mut self, field: &'static str) -> Self {
        self.field.get_or_insert(field);
        self
    }

    /// What does not fit.
    #[must_use]
    pub fn kind(&self) -> &ReadErrorKind {
        &self.kind
    }

    /// Where: the places in the lists, the outermost first.
    #[must_use]
    pub fn path(&self) -> Vec<usize> {
        self.path.iter().rev().copied().collect()
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(field) = self.field {
            write!(f, "{field}")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}at ", if self.field.is_some() { " " } else { "" })?;
            self.path.iter().rev().try_for_each(|index| write!(f, "[{index}]"))?;
        }
        if self.field.is_some() || !self.path.is_empty() {
            f.write_str(": ")?;
        }
        match &*self.kind {
            ReadErrorKind::Expected { expected, found, len } => {
                write!(f, "expected {expected}, found {found}[{len}]")
            }
            ReadErrorKind::OutOfRange(value, what) => write!(f, "{value} is out of the range of {what}"),
            ReadErrorKind::NoItem { index, len } => {
                write!(f, "there is no item [{index}], the list has {len}")
            }
            ReadErrorKind::Other(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for ReadError {}
