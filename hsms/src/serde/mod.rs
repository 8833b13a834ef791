//! Items and serde: any Rust value of serde as an item ([`to_item`], [`from_item`]), and items in other formats.
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use hsms::item::Item;
//! use hsms::serde::{from_item, to_item};
//!
//! let item = to_item(&(7_u32, "lot", vec![true, false]))?;
//! assert_eq!(item.to_string(), r#"<L [3] <U4 7> <A "lot"> <L [2] <BOOLEAN T> <BOOLEAN F>>>"#);
//! let (id, name, flags): (u32, String, Vec<bool>) = from_item(item.view())?;
//! assert_eq!((id, &*name, &*flags), (7, "lot", &[true, false][..]));
//!
//! let json = serde_json::to_string(&item)?;
//! assert_eq!(json, r#"{"L":[{"U4":[7]},{"A":"lot"},{"L":[{"BOOLEAN":[true]},{"BOOLEAN":[false]}]}]}"#);
//! assert_eq!(serde_json::from_str::<Item>(&json)?, item);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Values as items
//! | serde | item |
//! |---|---|
//! | numbers of 8 to 64 bits, `bool`, strings, bytes | U, I, F of this size, BOOLEAN, A, B |
//! | [`Array`](crate::item::Array) | an array of numbers |
//! | sequences, tuples, structs | a list; a struct's fields in order, without their names |
//! | maps | a list of lists of key and value |
//! | `None`, `()` | an empty list |
//! | a variant without fields | A with its name; read also from its number |
//! | a variant with content | a list of its name (A) and its content |
//! | [`Item`] | that item |
//!
//! Reading is as tolerant as that of [`FromItem`](crate::FromItem): integers of any width that fit, arrays as sequences, what is empty as `None`.
//!
//! # Items in other formats
//! In formats for people, an item is a map of one entry: its type, and its values (see above). Texts that are not UTF-8 are
//! lists of bytes, numbers that JSON does not have are strings (`"NaN"`, `"inf"`). In formats for machines it is the bytes of
//! the wire. (`serde_json` reads every digit of a number only with its feature `float_roundtrip`.)

mod de;
mod item;
mod ser;

use std::fmt;

pub use de::from_item;
pub use ser::to_item;

#[cfg(doc)]
use crate::item::Item;

/// The names by which our own types know each other through serde.
const ITEM: &str = "hsms::Item";
const ARRAY: &str = "hsms::Array";

/// How deep a value may nest.
const DEPTH: u8 = 128;

/// A value that can't be an item, or an item that is not the value expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SerdeError(String);

impl fmt::Display for SerdeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SerdeError {}

impl serde_core::ser::Error for SerdeError {
    fn custom<T: fmt::Display>(what: T) -> Self {
        Self(what.to_string())
    }
}

impl serde_core::de::Error for SerdeError {
    fn custom<T: fmt::Display>(what: T) -> Self {
        Self(what.to_string())
    }
}
