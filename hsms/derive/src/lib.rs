//! The derives of the crate `hsms`, which exports them with its feature `derive`: `ToItem`, `FromItem`, `SecsMessage`.
//!
//! ```
//! use hsms::{FromItem, Message, SecsMessage, ToItem};
//!
//! /// Online: model and software revision.
//! #[derive(Debug, PartialEq, ToItem, FromItem, SecsMessage)]
//! #[secs(message = "S1F2")]
//! struct OnlineData {
//!     model: String,
//!     revision: String,
//! }
//!
//! /// Are you there?
//! #[derive(ToItem, FromItem, SecsMessage)]
//! #[secs(message = "S1F1", w, reply = OnlineData)]
//! struct AreYouThere;
//!
//! #[derive(Clone, Copy, Debug, PartialEq, ToItem, FromItem)]
//! #[secs(binary)]
//! #[repr(u8)]
//! enum Ack {
//!     Accepted = 0,
//!     Denied = 1,
//!     #[secs(other)]
//!     Other(u8),
//! }
//!
//! let message = Message::of(0, 7, &OnlineData { model: "M1".into(), revision: "2.0".into() })?;
//! assert_eq!(message.item()?.unwrap().to_string(), r#"<L [2] <A "M1"> <A "2.0">>"#);
//! assert_eq!(message.read::<OnlineData>()?.model, "M1");
//! assert!(Message::of(0, 8, &AreYouThere)?.text.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How types become items
//! | type | item |
//! |---|---|
//! | a struct with named fields, a tuple struct of several | a list of the fields, in order |
//! | a tuple struct of one | as that field |
//! | a struct without fields | an empty list; as a message: no item at all |
//! | an enum of variants without fields | one U1 with the variant's number; `#[secs(binary)]`: one byte of B |
//!
//! # Attributes
//! | where | attribute | meaning |
//! |---|---|---|
//! | enum | `#[secs(binary)]` | its numbers are bytes of B |
//! | variant with one field | `#[secs(other)]` | takes all numbers that have no variant; the field is a `u8`. (Rust then wants `#[repr(u8)]` on the enum) |
//! | struct | `#[secs(message = "S1F13")]` | what the message is about; for `SecsMessage` |
//! | struct | `#[secs(w)]` | it asks for a reply |
//! | struct | `#[secs(reply = Type)]` | the type of its reply; it then asks for one |

mod attributes;
mod from_item;
mod message;
mod to_item;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Writes a struct or an enum as an item. See the crate's page.
#[proc_macro_derive(ToItem, attributes(secs))]
pub fn to_item(input: TokenStream) -> TokenStream {
    finish(to_item::derive(&parse_macro_input!(input as DeriveInput)))
}

/// Reads a struct or an enum from an item. See the crate's page.
#[proc_macro_derive(FromItem, attributes(secs))]
pub fn from_item(input: TokenStream) -> TokenStream {
    finish(from_item::derive(&parse_macro_input!(input as DeriveInput)))
}

/// Makes a struct a message. See the crate's page.
#[proc_macro_derive(SecsMessage, attributes(secs))]
pub fn message(input: TokenStream) -> TokenStream {
    finish(message::derive(&parse_macro_input!(input as DeriveInput)))
}

fn finish(result: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    result.unwrap_or_else(|error| error.into_compile_error()).into()
}
