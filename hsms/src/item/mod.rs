//! SECS-II items (SEMI E5): what the text of a message holds.
//!
//! | type | what it is |
//! |---|---|
//! | [`Item`] | owned; the bytes of the wire, shared when cloned |
//! | [`ItemRef`] | the same, borrowed from a buffer: typed access, without copies |
//! | [`Parser`] | items one by one, for those that should not even be checked as a whole first |
//! | [`Writer`] | items into a buffer, without anything between |
//! | [`ToItem`], [`FromItem`] | Rust values as items |
//!
//! All of them keep the bytes as they came, the width of length bytes included, so what is passed on is passed on
//! exactly. Bytes from outside are checked against [`Limits`] before anything is made of them.
//!
//! ```
//! use hsms::item::{Array, Item};
//!
//! let item = Item::list([
//!     Item::ascii("lot 7"),
//!     Item::binary([0x01]),
//!     Item::numbers([20.5, 21.0]),
//! ]);
//! assert_eq!(item.to_string(), r#"<L [3] <A "lot 7"> <B 0x01> <F8 20.5 21.0>>"#);
//! assert_eq!(item, Item::of(&("lot 7", [1u8].as_slice(), Array(vec![20.5, 21.0])))?);
//!
//! let temperatures: Array<f64> = item.view().read_at(&[2]).unwrap();
//! assert_eq!(temperatures.0, [20.5, 21.0]);
//! # Ok::<(), hsms::item::EncodeError>(())
//! ```

mod decode;
mod encode;
mod error;
mod format;
mod limits;
mod number;
mod read;
mod text;
mod view;

use std::fmt;
use std::hash::{Hash, Hasher};

use bytes::Bytes;

pub use decode::{DecodeError, DecodeErrorKind, Event, Parser};
pub(crate) use encode::put_head;
pub use encode::{EncodeError, ToItem, Writer};
pub use error::{ReadError, ReadErrorKind};
pub use format::Format;
pub use limits::Limits;
pub use number::Number;
#[doc(hidden)]
pub use read::Fields;
pub use read::FromItem;
pub use text::{Encoding, TextError};
pub use view::{ItemRef, Items};

/// An item of one's own: the bytes of the wire, checked, and shared when cloned.
///
/// To look into it, take its [`view`](Self::view). To build it, either put items together, or write Rust values with
/// [`Item::of`] or a [`Writer`], which is faster: it uses one buffer for all.
///
/// Two items are equal if their formats and data are, however many length bytes each uses.
#[derive(Clone)]
pub struct Item {
    bytes: Bytes,
}

impl Item {
    /// Checks that the bytes are one item, with the default [`Limits`]. They are kept as they are, not copied.
    ///
    /// # Errors
    /// The first thing that is wrong with them.
    pub fn parse(bytes: impl Into<Bytes>) -> Result<Self, DecodeError> {
        Self::parse_with(bytes, Limits::default())
    }

    /// Checks that the bytes are one item.
    ///
    /// # Errors
    /// The first thing that is wrong with them.
    pub fn parse_with(bytes: impl Into<Bytes>, limits: Limits) -> Result<Self, DecodeError> {
        let bytes = bytes.into();
        Parser::with_limits(&bytes, limits).finish()?;
        Ok(Self { bytes })
    }

    /// Of bytes that are known to be right.
    pub(crate) fn checked(bytes: Bytes) -> Self {
        Self { bytes }
    }

    /// Writes a Rust value: see [`ToItem`] for which.
    ///
    /// # Errors
    /// If something in it is longer than an item can be: 16 777 215 bytes or elements.
    pub fn of<T: ToItem + ?Sized>(value: &T) -> Result<Self, EncodeError> {
        let mut writer = Writer::new();
        value.write(&mut writer);
        writer.finish()
    }

    /// A list.
    ///
    /// # Panics
    /// Of more than 16 777 215 items.
    #[must_use]
    pub fn list(items: impl IntoIterator<Item = Self>) -> Self {
        let items: Vec<Self> = items.into_iter().collect();
        Self::one(4 + items.iter().map(|item| item.bytes.len()).sum::<usize>(), |writer| {
            writer.list(&items);
        })
    }

    /// A text. Not only ASCII goes: the bytes are written as they are.
    ///
    /// # Panics
    /// With more than 16 777 215 bytes. [`Item::of`] returns an error instead; so for the others below.
    #[must_use]
    pub fn ascii(text: impl AsRef<[u8]>) -> Self {
        let text = text.as_ref();
        Self::one(4 + text.len(), |writer| writer.ascii(text))
    }

    /// A text in JIS X 0201. The bytes are written as they are.
    ///
    /// # Panics
    /// With more than 16 777 215 bytes.
    #[must_use]
    pub fn jis8(text: impl AsRef<[u8]>) -> Self {
        let text = text.as_ref();
        Self::one(4 + text.len(), |writer| writer.jis8(text))
    }

    /// A text in an encoding. The bytes are written as they are.
    ///
    /// # Panics
    /// With more than 16 777 213 bytes.
    #[must_use]
    pub fn localized(encoding: Encoding, text: impl AsRef<[u8]>) -> Self {
        let text = text.as_ref();
        Self::one(6 + text.len(), |writer| writer.localized(encoding, text))
    }

    /// Bytes.
    ///
    /// # Panics
    /// With more than 16 777 215.
    #[must_use]
    pub fn binary(bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        Self::one(4 + bytes.len(), |writer| writer.binary(bytes))
    }

    /// Truth values.
    ///
    /// # Panics
    /// With more than 16 777 215.
    #[must_use]
    pub fn booleans(values: impl AsRef<[bool]>) -> Self {
        let values = values.as_ref();
        Self::one(4 + values.len(), |writer| writer.booleans(values))
    }

    /// Numbers, in the format of their type: `Item::numbers([1u32])` is a U4.
    ///
    /// # Panics
    /// With more than 16 777 215 bytes.
    #[must_use]
    pub fn numbers<T: Number>(values: impl AsRef<[T]>) -> Self {
        let values = values.as_ref();
        Self::one(4 + size_of_val(values), |writer| writer.numbers(values))
    }

    /// One U1.
    #[must_use]
    pub fn u1(value: u8) -> Self {
        Self::numbers([value])
    }

    /// One U2.
    #[must_use]
    pub fn u2(value: u16) -> Self {
        Self::numbers([value])
    }

    /// One U4.
    #[must_use]
    pub fn u4(value: u32) -> Self {
        Self::numbers([value])
    }

    /// One U8.
    #[must_use]
    pub fn u8(value: u64) -> Self {
        Self::numbers([value])
    }

    /// One I1.
    #[must_use]
    pub fn i1(value: i8) -> Self {
        Self::numbers([value])
    }

    /// One I2.
    #[must_use]
    pub fn i2(value: i16) -> Self {
        Self::numbers([value])
    }

    /// One I4.
    #[must_use]
    pub fn i4(value: i32) -> Self {
        Self::numbers([value])
    }

    /// One I8.
    #[must_use]
    pub fn i8(value: i64) -> Self {
        Self::numbers([value])
    }

    /// One F4.
    #[must_use]
    pub fn f4(value: f32) -> Self {
        Self::numbers([value])
    }

    /// One F8.
    #[must_use]
    pub fn f8(value: f64) -> Self {
        Self::numbers([value])
    }

    /// One BOOLEAN.
    #[must_use]
    pub fn boolean(value: bool) -> Self {
        Self::booleans([value])
    }

    fn one(capacity: usize, write: impl FnOnce(&mut Writer)) -> Self {
        let mut writer = Writer::after(Vec::with_capacity(capacity));
        write(&mut writer);
        match writer.finish() {
            Ok(item) => item,
            Err(error) => panic!("{error}"),
        }
    }

    /// To look into it.
    #[must_use]
    #[inline]
    pub fn view(&self) -> ItemRef<'_> {
        ItemRef::checked(&self.bytes)
    }

    /// What it holds.
    #[must_use]
    pub fn format(&self) -> Format {
        self.view().format()
    }

    /// Reads it as a Rust type: see [`FromItem`] for which.
    ///
    /// # Errors
    /// If it does not fit, with the place in the item.
    pub fn read<'a, T: FromItem<'a>>(&'a self) -> Result<T, ReadError> {
        self.view().read()
    }

    /// The bytes of the wire.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes of the wire, not copied: the text of a message.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }
}

impl ItemRef<'_> {
    /// A copy of one's own.
    #[must_use]
    pub fn to_item(self) -> Item {
        Item::checked(Bytes::copy_from_slice(self.as_bytes()))
    }
}

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        self.view() == other.view()
    }
}

impl Eq for Item {}

impl PartialEq<ItemRef<'_>> for Item {
    fn eq(&self, other: &ItemRef<'_>) -> bool {
        self.view() == *other
    }
}

impl PartialEq<Item> for ItemRef<'_> {
    fn eq(&self, other: &Item) -> bool {
        *self == other.view()
    }
}

impl Hash for Item {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.view().hash(state);
    }
}

impl From<Item> for Bytes {
    fn from(item: Item) -> Self {
        item.bytes
    }
}

/// Its SML, on one line.
impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.view(), f)
    }
}

/// Its SML, on one line.
impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Numbers as one item, for [`ToItem`] and [`FromItem`]. A `Vec<T>` is a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Array<T>(
    /// The values.
    pub Vec<T>,
);
