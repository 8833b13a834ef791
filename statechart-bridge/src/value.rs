//! What events carry and attributes hold.

use std::cmp::Ordering;
use std::fmt::{self, Write as _};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use bytes::Bytes;
use indexmap::IndexMap;

use crate::Object;

/// A map with keys in the order of their insertion.
pub type Map = IndexMap<Value, Value>;

/// A value of the action language: a parameter of an event, an attribute of an instance.
///
/// Cheap to clone: what is large is shared, and copied only when a holder changes it. So lists and maps are values, as in
/// mathematics: two instances that got the same list don't see each other's changes.
///
/// Whole and floating numbers with the same value are equal, and so is NaN with itself, so that every value can be a key.
/// The text form is that of the action language.
///
/// ```
/// use statechart_bridge::Value;
///
/// let address = Value::tuple([Value::from("127.0.0.1"), Value::from(8080)]);
/// assert_eq!(address.to_string(), r#"("127.0.0.1", 8080)"#);
/// assert_eq!(address.items().map(<[Value]>::len), Some(2));
/// assert_eq!(Value::from(1), Value::from(1.0));
/// ```
#[derive(Clone, Default)]
pub enum Value {
    /// Nothing: a missing parameter, an attribute without a value.
    #[default]
    Nil,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A floating number.
    Float(f64),
    /// Text.
    Str(Arc<str>),
    /// Bytes, as sockets bring them.
    Bytes(Bytes),
    /// A list.
    List(Arc<Vec<Value>>),
    /// A tuple, such as an address: `(host, port)`.
    Tuple(Arc<[Value]>),
    /// A map.
    Map(Arc<Map>),
    /// Something opaque that is only passed on and compared, such as a socket.
    Object(Object),
}

impl Value {
    /// A list of these items.
    pub fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Self::List(Arc::new(items.into_iter().collect()))
    }

    /// A tuple of these items.
    pub fn tuple(items: impl IntoIterator<Item = Self>) -> Self {
        Self::Tuple(items.into_iter().collect())
    }

    /// A map of these pairs; of equal keys the last counts.
    pub fn map(pairs: impl IntoIterator<Item = (Self, Self)>) -> Self {
        Self::Map(Arc::new(pairs.into_iter().collect()))
    }

    /// What a condition makes of it: nil, false, zero and everything empty are false.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Str(text) => !text.is_empty(),
            Self::Bytes(bytes) => !bytes.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Tuple(items) => !items.is_empty(),
            Self::Map(map) => !map.is_empty(),
            Self::Object(_) => true,
        }
    }

    /// Whether it is nil.
    pub fn is_nil(&self) -> bool {
        matches!(self, Self::Nil)
    }

    /// The truth value, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The whole number, if it is one.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// The number, whole or floating.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "what every language does between the two")]
            Self::Int(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// The text, if it is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The bytes of bytes or, in UTF-8, of text.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Str(text) => Some(text.as_bytes()),
            _ => None,
        }
    }

    /// The items of a list or a tuple.
    pub fn items(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) => Some(items),
            Self::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// The object, if it is one.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// What kind of value it is, for error messages: `nil`, `bool`, `int`, `float`, `string`, `bytes`, `list`, `tuple`,
    /// `map`, or the object's kind.
    pub fn kind(&self) -> &str {
        match self {
            Self::Nil => "nil",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Str(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Map(_) => "map",
            Self::Object(object) => object.kind(),
        }
    }
}

/// Whether a whole and a floating number are the same number, exactly.
fn same_number(int: i64, float: f64) -> bool {
    whole(float) == Some(int)
}

/// The whole number that a floating one is, if it is one.
fn whole(float: f64) -> Option<i64> {
    // 2^63: the first that is too large. All whole floats below it convert exactly.
    const END: f64 = 9_223_372_036_854_775_808.0;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole and in range: checked in this line"
    )]
    (float.fract() == 0.0 && (-END..END).contains(&float)).then_some(float as i64)
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nil, Self::Nil) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a == b || (a.is_nan() && b.is_nan()),
            (Self::Int(a), Self::Float(b)) | (Self::Float(b), Self::Int(a)) => same_number(*a, *b),
            (Self::Str(a), Self::Str(b)) => a == b,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Tuple(a), Self::Tuple(b)) => a == b,
            (Self::Map(a), Self::Map(b)) => a == b,
            (Self::Object(a), Self::Object(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // A number's hash must not depend on how it is held.
        let number = |state: &mut H, value: i64| (2u8, value).hash(state);
        match self {
            Self::Nil => 0u8.hash(state),
            Self::Bool(value) => (1u8, value).hash(state),
            Self::Int(value) => number(state, *value),
            Self::Float(value) => match whole(*value) {
                Some(value) => number(state, value),
                None if value.is_nan() => 3u8.hash(state),
                None => (4u8, value.to_bits()).hash(state),
            },
            Self::Str(text) => (5u8, text).hash(state),
            Self::Bytes(bytes) => (6u8, bytes).hash(state),
            Self::List(items) => (7u8, items).hash(state),
            Self::Tuple(items) => (8u8, items).hash(state),
            // Equal maps may hold their pairs in different orders.
            Self::Map(map) => (9u8, map.len()).hash(state),
            Self::Object(object) => (10u8, object).hash(state),
        }
    }
}

impl PartialOrd for Value {
    /// Numbers among themselves, text, bytes, and lists and tuples item by item; nothing else has an order.
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.partial_cmp(b),
            (Self::Int(a), Self::Int(b)) => a.partial_cmp(b),
            (Self::Str(a), Self::Str(b)) => a.partial_cmp(b),
            (Self::Bytes(a), Self::Bytes(b)) => a.partial_cmp(b),
            (Self::List(a), Self::List(b)) => a.partial_cmp(b),
            (Self::Tuple(a), Self::Tuple(b)) => a.partial_cmp(b),
            (a, b) if a == b => Some(Ordering::Equal),
            (a, b) => a.as_number()?.partial_cmp(&b.as_number()?),
        }
    }
}

/// The text form, shared by `Display` and `Debug`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nil => f.write_str("None"),
            Self::Bool(true) => f.write_str("True"),
            Self::Bool(false) => f.write_str("False"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Str(text) => write!(f, "{text:?}"),
            Self::Bytes(bytes) => write!(f, "b\"{}\"", bytes.escape_ascii()),
            Self::List(items) => {
                f.write_char('[')?;
                list(f, items)?;
                f.write_char(']')
            }
            Self::Tuple(items) => {
                f.write_char('(')?;
                list(f, items)?;
                f.write_str(if items.len() == 1 { ",)" } else { ")" })
            }
            Self::Map(map) => {
                f.write_char('{')?;
                for (index, (key, value)) in map.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{key}: {value}")?;
                }
                f.write_char('}')
            }
            Self::Object(object) => fmt::Display::fmt(object, f),
        }
    }
}

/// Values with commas between them.
pub(crate) fn list(f: &mut fmt::Formatter<'_>, items: &[Value]) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        write!(f, "{comma}{item}")?;
    }
    Ok(())
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

macro_rules! from {
    ($($from:ty => |$value:ident| $to:expr;)*) => {$(
        impl From<$from> for Value {
            fn from($value: $from) -> Self {
                $to
            }
        }
    )*};
}

from! {
    () => |_value| Value::Nil;
    bool => |value| Value::Bool(value);
    i64 => |value| Value::Int(value);
    i32 => |value| Value::Int(value.into());
    u16 => |value| Value::Int(value.into());
    u32 => |value| Value::Int(value.into());
    f64 => |value| Value::Float(value);
    &str => |value| Value::Str(value.into());
    String => |value| Value::Str(value.into());
    Arc<str> => |value| Value::Str(value);
    &[u8] => |value| Value::Bytes(Bytes::copy_from_slice(value));
    Vec<u8> => |value| Value::Bytes(value.into());
    Bytes => |value| Value::Bytes(value);
    Vec<Value> => |value| Value::List(Arc::new(value));
    Map => |value| Value::Map(Arc::new(value));
    Object => |value| Value::Object(value);
}

impl From<usize> for Value {
    /// A length. More than 2^63 - 1 is told as that.
    fn from(value: usize) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nil, Into::into)
    }
}

impl<A: Into<Self>, B: Into<Self>> From<(A, B)> for Value {
    fn from((a, b): (A, B)) -> Self {
        Self::tuple([a.into(), b.into()])
    }
}
