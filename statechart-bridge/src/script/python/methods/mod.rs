//! Methods of text, bytes, lists and maps.

mod case;
mod codec;
mod collections;
mod split;
mod text;

use collections::{change_list, change_map, list_method, map_method};
pub(super) use collections::{sort, sort_by};
use std::sync::Arc;
use text::Call;

use super::budget::Budget;
use super::{format, ops};
use crate::Value;

type Result<T> = std::result::Result<T, String>;

macro_rules! methods {
    ($($variant:ident = $name:literal,)*) => {
        /// A method by its name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Method {
            $($variant,)*
        }

        impl Method {
            pub(super) fn find(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }

            pub(super) fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

methods! {
    Append = "append",
    Capitalize = "capitalize",
    CaseFold = "casefold",
    Center = "center",
    Clear = "clear",
    Copy = "copy",
    Count = "count",
    Decode = "decode",
    Encode = "encode",
    EndsWith = "endswith",
    ExpandTabs = "expandtabs",
    Extend = "extend",
    Find = "find",
    Format = "format",
    Get = "get",
    HasKey = "has_key",
    Hex = "hex",
    Index = "index",
    Insert = "insert",
    IsAlnum = "isalnum",
    IsAlpha = "isalpha",
    IsDecimal = "isdecimal",
    IsDigit = "isdigit",
    IsLower = "islower",
    IsNumeric = "isnumeric",
    IsSpace = "isspace",
    IsTitle = "istitle",
    IsUpper = "isupper",
    Items = "items",
    Join = "join",
    Keys = "keys",
    LJust = "ljust",
    LStrip = "lstrip",
    Lower = "lower",
    Partition = "partition",
    Pop = "pop",
    PopItem = "popitem",
    RFind = "rfind",
    RIndex = "rindex",
    RJust = "rjust",
    RPartition = "rpartition",
    RSplit = "rsplit",
    RStrip = "rstrip",
    Remove = "remove",
    RemovePrefix = "removeprefix",
    RemoveSuffix = "removesuffix",
    Replace = "replace",
    Reverse = "reverse",
    SetDefault = "setdefault",
    Sort = "sort",
    Split = "split",
    SplitLines = "splitlines",
    StartsWith = "startswith",
    Strip = "strip",
    SwapCase = "swapcase",
    Title = "title",
    Update = "update",
    Upper = "upper",
    Values = "values",
    ZFill = "zfill",
}

impl Method {
    /// Whether it changes what it is called on.
    pub(super) fn changes(self) -> bool {
        matches!(
            self,
            Self::Append
                | Self::Clear
                | Self::Extend
                | Self::Insert
                | Self::Pop
                | Self::PopItem
                | Self::Remove
                | Self::Reverse
                | Self::SetDefault
                | Self::Sort
                | Self::Update
        )
    }

    /// Whether a call on text makes a text of about its length, rather than to tell something of it.
    fn makes_text(self) -> bool {
        !matches!(
            self,
            Self::Count
                | Self::EndsWith
                | Self::Find
                | Self::Index
                | Self::IsAlnum
                | Self::IsAlpha
                | Self::IsDecimal
                | Self::IsDigit
                | Self::IsLower
                | Self::IsNumeric
                | Self::IsSpace
                | Self::IsTitle
                | Self::IsUpper
                | Self::RFind
                | Self::RIndex
                | Self::StartsWith
        )
    }
}

/// The arguments of a call.
pub(super) struct Arguments<'a> {
    pub(super) values: &'a [Value],
    pub(super) named: &'a [(Arc<str>, Value)],
}

impl Arguments<'_> {
    fn get(&self, index: usize) -> Option<&Value> {
        self.values.get(index)
    }

    pub(super) fn named(&self, name: &str) -> Option<&Value> {
        self.named
            .iter()
            .find(|(known, _)| **known == *name)
            .map(|(_, value)| value)
    }

    fn count(&self, method: Method, least: usize, most: usize) -> Result<()> {
        let given = self.values.len();
        if (least..=most).contains(&given) {
            return Ok(());
        }
        let expected = match (least, most) {
            (0, 0) => "none".to_owned(),
            (least, most) if least == most => least.to_string(),
            (least, usize::MAX) => format!("{least} or more"),
            (least, most) => format!("{least} to {most}"),
        };
        Err(format!("{}: {given} arguments, expected {expected}", method.name()))
    }
}

/// Calls a method that changes its receiver.
pub(super) fn change(
    receiver: &mut Value,
    method: Method,
    arguments: &Arguments<'_>,
    budget: &mut Budget,
) -> Result<Value> {
    match receiver {
        Value::List(items) => change_list(ops::own_list(items, budget)?, method, arguments, budget),
        Value::Map(map) => change_map(ops::own_map(map, budget)?, method, arguments, budget),
        other => Err(format!("{} has no method `{}`", other.kind(), method.name())),
    }
}

fn wrong(kind: &str, method: Method) -> String {
    format!("{kind} has no method `{}` for these arguments", method.name())
}

/// Calls a method that leaves its receiver as it is.
pub(super) fn call(receiver: &Value, method: Method, arguments: &Arguments<'_>, budget: &mut Budget) -> Result<Value> {
    match receiver {
        Value::Str(text) => {
            let call = |is_text: bool, make: &dyn Fn(&[u8]) -> Value, budget: &mut Budget| {
                let text = text.as_bytes();
                Call {
                    text,
                    is_text,
                    method,
                    arguments,
                    make,
                }
                .run(budget)
            };
            match method {
                Method::Encode => codec::encode(text, arguments, budget),
                Method::Format => Ok(format::format(text, arguments.values, arguments.named, budget)?.into()),
                _ if arguments.values.iter().any(|value| matches!(value, Value::Bytes(_))) => {
                    call(false, &|bytes| bytes.into(), budget)
                }
                _ => call(true, &as_text, budget),
            }
        }
        Value::Bytes(bytes) => match method {
            Method::Decode => codec::decode(bytes, arguments, budget),
            Method::Hex => {
                budget.make(bytes.len().saturating_mul(2))?;
                let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or('0');
                let digits = bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
                Ok(digits.collect::<String>().into())
            }
            // In the models that know one type for both, decoded data are bytes all the same.
            Method::Encode => Ok(receiver.clone()),
            // Parts of bytes share them.
            _ => Call {
                text: bytes,
                is_text: false,
                method,
                arguments,
                make: &|part| {
                    Value::Bytes(if part.is_empty() || !within(bytes, part) {
                        bytes::Bytes::copy_from_slice(part)
                    } else {
                        bytes.slice_ref(part)
                    })
                },
            }
            .run(budget),
        },
        Value::Map(map) => map_method(map, method, arguments, budget),
        Value::List(_) | Value::Tuple(_) => list_method(receiver, method, arguments, budget),
        other => Err(format!("{} has no method `{}`", other.kind(), method.name())),
    }
}

/// Bytes of text as text; what is cut in the middle of a character gets a sign in its place.
fn as_text(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => String::from_utf8_lossy(bytes).into_owned().into(),
    }
}

/// Whether a slice is a part of another.
fn within(whole: &[u8], part: &[u8]) -> bool {
    let (whole, part) = (whole.as_ptr_range(), part.as_ptr_range());
    whole.start <= part.start && part.end <= whole.end
}
