//! Items to Rust values.

use bytes::Bytes;

use super::{Array, Format, Item, ItemRef, Number, ReadError, ReadErrorKind};

/// What can be read from an item. `#[derive(FromItem)]` makes it for structs and enums (feature `derive`).
///
/// | Rust | item |
/// |---|---|
/// | an integer | one integer of any format that can hold its value, or one byte of B |
/// | `f32`, `f64` | one F4 or F8 |
/// | `bool` | one BOOLEAN |
/// | `&str`, `String` | A in UTF-8 (of which ASCII is a part); `String` also J and W in the encodings that [`text`] knows |
/// | `&[u8]` | the data of B, A or J as they are |
/// | [`Bytes`] | B |
/// | [`Array<T>`] | numbers of exactly this format |
/// | `Vec<T>` | a list, each item read as `T` |
/// | `[T; N]` | a list of `N`; or `N` numbers of any format that can hold them |
/// | a tuple | a list of as many |
/// | `Option<T>` | nothing, if the item is empty (no values, no text, no items) |
/// | [`ItemRef`], [`Item`] | any |
///
/// [`text`]: super::Encoding
pub trait FromItem<'a>: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// If the item does not fit.
    fn from_item(item: ItemRef<'a>) -> Result<Self, ReadError>;

    /// Reads one value of an array. For types that are such values; all others refuse.
    #[doc(hidden)]
    fn from_value(item: ItemRef<'a>, index: usize) -> Result<Self, ReadError> {
        let _ = index;
        Err(ReadError::expected("a list", item))
    }
}

impl<'a> ItemRef<'a> {
    /// All its numbers, if it has exactly this format.
    ///
    /// # Errors
    /// If it has another.
    pub fn array<T: Number>(self) -> Result<Vec<T>, ReadError> {
        if self.format() != T::FORMAT {
            return Err(ReadError::expected(format!("{} numbers", T::FORMAT), self));
        }
        let mut values = Vec::with_capacity(self.len());
        T::read_all(self.data(), &mut values);
        Ok(values)
    }

    /// The bytes of one value.
    #[inline]
    fn value(self, index: usize) -> &'a [u8] {
        let size = self.format().size();
        let start = index.saturating_mul(size);
        self.data().get(start..start.saturating_add(size)).unwrap_or_default()
    }

    /// One of its integers; `None` if it has none there, or holds none.
    #[inline]
    pub(crate) fn integer(self, index: usize) -> Option<i128> {
        let value = self.value(index);
        Some(match self.format() {
            Format::U1 | Format::Binary => u8::read_one(value)?.into(),
            Format::U2 => u16::read_one(value)?.into(),
            Format::U4 => u32::read_one(value)?.into(),
            Format::U8 => u64::read_one(value)?.into(),
            Format::I1 => i8::read_one(value)?.into(),
            Format::I2 => i16::read_one(value)?.into(),
            Format::I4 => i32::read_one(value)?.into(),
            Format::I8 => i64::read_one(value)?.into(),
            _ => return None,
        })
    }

    /// One of its floating-point numbers.
    #[inline]
    pub(crate) fn float(self, index: usize) -> Option<f64> {
        let value = self.value(index);
        match self.format() {
            Format::F4 => f32::read_one(value).map(f64::from),
            Format::F8 => f64::read_one(value),
            _ => None,
        }
    }
}

macro_rules! integers {
    ($($type:ident),*) => {$(
        impl<'a> FromItem<'a> for $type {
            #[inline]
            fn from_item(item: ItemRef<'a>) -> Result<Self, ReadError> {
                // What is expected is what most send.
                if item.format() == <$type as Number>::FORMAT && item.len() == 1 {
                    if let Some(value) = <$type as Number>::read_one(item.data()) {
                        return Ok(value);
                    }
                }
                if item.len() != 1 {
                    return Err(ReadError::expected("one integer", item));
                }
                Self::from_value(item, 0)
            }

            #[inline]
            fn from_value(item: ItemRef<'a>, index: usize) -> Result<Self, ReadError> {
                let value = item.integer(index).ok_or_else(|| ReadError::expected("integers", item))?;
                value.try_into().map_err(|_| {
                    ReadError::of(ReadErrorKind::OutOfRange(value.to_string(), stringify!($type)))
                })
            }
        }
    )*};
}

integers!(u8, u16, u32, u64, i8, i16, i32, i64);

impl<'a> FromItem<'a> for f64 {
    #[inline]
    fn from_item(item: ItemRef<'a>) -> Result<Self, ReadError> {
        if item.len() != 1 {
            return Err(ReadError::expected("one F4 or F8", item));
        }
        Self::from_value(item, 0)
    }

    #[inline]
    fn from_value(item: ItemRef<'a>, index: usize) -> Result<Self, ReadError> {
        item.float(index).ok_or_else(|| ReadError::expected("F4 or F8", item))
    }
}

impl<'a> FromItem<'a> for f32 {
    #[inline]
    fn from_item(item: ItemRef<'a>) -> Result<Self, ReadError> {
        if item.len() != 1 {
            return Err(ReadError::expected("one F4, or F8 in its range", item));
        }
        Self::from_value(item, 0)
    }

    /// An F8 loses digits, but never becomes infinite.
    #[inline]
    fn from_value(item: ItemRef<'a>, index: usize) -> Result<Self, ReadError> {
        let value = item.float(index).ok_or_else(|| ReadError::expected("F4 or F8", item))?;
        #[expect(clippy::cast_possible_truncation, reason = "the range is checked, digits may go")]
        let narrow = value as f32;
        if narrow.is_infinite() && value.is_finite() {
            return Err(ReadError::of(ReadErrorKind::OutOfRange(value.to_string(), "f32")));
        }
        Ok(narrow)
    }
}

impl<'a> FromItem<'a> for bool {
    #[inline]
    fn from_item(item: ItemRef<'a>) -> Result<Self, ReadError> {
        if item.len() != 1 {
            return Err(ReadError::expected("one BOOLEAN", item));
        }
        Self::from_value(item, 0)
    }

    #[inline]
    fn from_value(item: ItemRef<'a>, index: usize) -> Result<Self, ReadError> {
        match (item.format(), item.data().get(index)) {
            (Format::Boolean, Some(byte)) => Ok(*byte != 0),
            _ => Err(ReadError::expected("BOOLEAN", item)),
        }
    }
}

impl<'a> FromItem<'a> for &'a str {
    #[inline]
    fn from_item(item: ItemRef<'a>) -> Result<Self, ReadError> {
        match item.format() {
            Format::Ascii => std::str::from_utf8(item.data())
                .map_err(|_| ReadError::other("the text is not UTF-8: read it as bytes")),
            _ => Err(ReadError::expected("a text (A)", item)),
        }
    }
}

impl<'a> FromItem<'a> for String {
    fn from_item(item: ItemRef<'a>) -> Result<Self, ReadError> {
        match item.text() {
            Some(Ok(text)) => Ok(text.into_owned()),
            Some(Err(error)) => Err(ReadError::other(error.to_string())),
            None => Err(ReadError::expected("a text (A, J or W)", item)),
        }
    }
}

impl<'a> FromItem<'a> for &'a [u8] {
    #[inline]
    fn from_item(item: ItemRef<'a>) -> Result<Self, ReadError> {
        match item.format() {
            Format::Binary | Format::Ascii | Format::Jis8 => Ok(item.data()),
            _ => Err(ReadError::expected("bytes (B, A or J)", item)),
        }
    }
}

impl<'a> FromItem<'a> for Bytes {
    fn from_item(item: ItemRef<'a>) -> Result<Self, ReadError> {
        match item.format() {
            Format::Binary => Ok(Self::copy_from_slice(item.data())),
            _ => Err(ReadError::expected("bytes (B)", item)),
        }
    }
}

impl<'a, T: Number> FromItem<'a> for Array<T> {
    #[inline]
    fn from_item(item: ItemRef<'a>) -> Result<Self, ReadError> {
        item.array().map(Self)
    }
}

impl<'a, T: FromItem<'a>> FromItem<'a> for Vec<T> {
    fn from_item(item: ItemRef<'a>) -> Result<Self, ReadError> {
        if !item.is_list() {
            return Err(ReadError::expected("a list", item));
        }
        // A `T` can be much larger than the two bytes of an item: the list grows as it is read.
        let mut values = Self::with_capacity(item.len().min(64));
        for (index, inner) in item.items().enumerate() {
            values.push(T::from_item(inner).map_err(|error| error.inside(index))?);
        }
        Ok(values)
    }
}

impl<'a, T: FromItem<'a>, const N: usize> FromItem<'a> for [T; N] {
    fn from_item(item: ItemRef<'a>) -> Result<Self, ReadError> {
        if item.len() != N {
            return Err(ReadError::expected(format!("{N} items or values"), item));
        }
        let mut values = Vec::with_capacity(N);
        let mut items = item.items();
        for index in 0..N {
            let value = match items.next() {
                Some(inner) => T::from_item(inner),
                None => T::from_value(item, index),
            };
            values.push(value.map_err(|error| error.inside(index))?);
        }
        Self::try_from(values).map_err(|_| ReadError::expected(format!("{N} items or values"), item))
    }
}

impl<'a, T: FromItem<'a>> FromItem<'a> for Option<T> {
    #[inline]
    fn from_item(item: ItemRef<'a>) -> Result<Self, ReadError> {
        if item.is_empty() {
            Ok(None)
        } else {
            T::from_item(item).map(Some)
        }
    }
}

impl<'a, T: FromItem<'a>> FromItem<'a> for Box<T> {
    #[inline]
    fn from_item(item: ItemRef<'a>) -> Result<Self, ReadError> {
        T::from_item(item).map(Self::new)
    }
}

impl<'a> FromItem<'a> for ItemRef<'a> {
    #[inline]
    fn from_item(item: ItemRef<'a>) -> Result<Self, ReadError> {
        Ok(item)
    }
}

impl<'a> FromItem<'a> for Item {
    #[inline]
    fn from_item(item: ItemRef<'a>) -> Result<Self, ReadError> {
        Ok(item.to_item())
    }
}

/// A reader of the items of a list of known length, for the derive and for tuples.
#[doc(hidden)]
#[derive(Debug)]
pub struct Fields<'a> {
    items: super::Items<'a>,
    next: usize,
}

impl<'a> Fields<'a> {
    /// Begins to read a list that must have this many items.
    ///
    /// # Errors
    /// If it is no list, or has more or fewer.
    #[inline]
    pub fn new(item: ItemRef<'a>, count: usize) -> Result<Self, ReadError> {
        if !item.is_list() || item.len() != count {
            return Err(ReadError::expected(format!("a list of {count}"), item));
        }
        Ok(Self {
            items: item.items(),
            next: 0,
        })
    }

    /// Reads the next.
    ///
    /// # Errors
    /// If it does not fit.
    #[inline]
    pub fn read<T: FromItem<'a>>(&mut self) -> Result<T, ReadError> {
        let index = self.next;
        self.next += 1;
        let item = self.items.next().unwrap_or_else(ItemRef::empty);
        T::from_item(item).map_err(|error| error.inside(index))
    }
}

macro_rules! tuples {
    ($($count:literal: $($type:ident)*;)*) => {$(
        impl<'a, $($type: FromItem<'a>),*> FromItem<'a> for ($($type,)*) {
            #[inline]
            fn from_item(item: ItemRef<'a>) -> Result<Self, ReadError> {
                let mut fields = Fields::new(item, $count)?;
                Ok(($(fields.read::<$type>()?,)*))
            }
        }
    )*};
}

tuples! {
    1: A;
    2: A B;
    3: A B C;
    4: A B C D;
    5: A B C D E;
    6: A B C D E F;
    7: A B C D E F G;
    8: A B C D E F G H;
    9: A B C D E F G H I;
    10: A B C D E F G H I J;
    11: A B C D E F G H I J K;
    12: A B C D E F G H I J K L;
}
