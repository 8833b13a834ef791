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

#[cfg(test)]
mod tests {
    use super::*;

    fn error(derive: fn(&DeriveInput) -> syn::Result<proc_macro2::TokenStream>, code: &str) -> String {
        let input = syn::parse_str(code).unwrap();
        derive(&input).unwrap_err().to_string()
    }

    #[test]
    fn what_can_not_be_an_item_is_told() {
        for (code, message) in [
            ("union U { a: u8 }", "a union is no item"),
            ("enum E { A(u8) }", "only variants without fields are numbers"),
            ("enum E { A = 1 + 1 }", "write the number itself"),
            ("enum E { A = 256 }", "number too large"),
            ("enum E { A = 255, B }", "above 255"),
            ("enum E { #[secs(other)] A }", "in one field: Other(u8)"),
            (
                "enum E { #[secs(other)] A(u8), #[secs(other)] B(u8) }",
                "one variant may take the other numbers",
            ),
            ("#[secs(octal)] enum E { A }", "expected binary, other, w"),
        ] {
            let found = [error(to_item::derive, code), error(from_item::derive, code)];
            assert!(found.iter().all(|found| found.contains(message)), "{code}: {found:?}");
        }
        let two = error(from_item::derive, "struct S<'a, 'b>(&'a str, &'b str);");
        assert!(two.contains("one lifetime"), "{two}");
    }

    #[test]
    fn what_can_not_be_a_message_is_told() {
        for (code, message) in [
            ("struct S;", "say what the message is about"),
            ("#[secs(message = \"S128F1\")] struct S;", "the stream at most 127"),
            ("#[secs(message = \"1,1\")] struct S;", "write it like"),
            ("#[secs(message = \"S1F1\")] enum E {}", "a message is a struct"),
            ("#[secs(reply)] struct S;", "expected `=`"),
        ] {
            let found = error(message::derive, code);
            assert!(found.contains(message), "{code}: {found}");
        }
    }
}
