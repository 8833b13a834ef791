//! Rust values to items: straight into one buffer.

use std::fmt;

use bytes::Bytes;

use super::{Array, Encoding, Format, Item, ItemRef, Number};

/// What can be written as an item. `#[derive(ToItem)]` makes it for structs and enums (feature `derive`).
///
/// | Rust | item |
/// |---|---|
/// | `u8` … `u64`, `i8` … `i64`, `f32`, `f64` | one number: U1 … U8, I1 … I8, F4, F8 |
/// | `bool` | BOOLEAN |
/// | `&str`, `String` | A, with the text's UTF-8 bytes (of which ASCII is a part) |
/// | `&[u8]`, [`Bytes`] | B |
/// | [`Array<T>`] | an array of numbers |
/// | `Vec<T>`, `&[T]` by [`Writer::list`], `[T; N]` | a list of the items of each `T` |
/// | a tuple | a list |
/// | `Option<T>` | the value; nothing is the empty list |
/// | [`ItemRef`], [`Item`] | that item, byte for byte |
pub trait ToItem {
    /// Writes exactly one item.
    fn write(&self, writer: &mut Writer);
}

/// Writes items one behind the other into one buffer, lists before what is in them.
///
/// ```
/// use hsms::item::Writer;
///
/// let mut writer = Writer::new();
/// writer.begin_list(2);
/// writer.ascii("AB");
/// writer.binary(&[1]);
/// let item = writer.finish()?;
/// assert_eq!(item.as_bytes(), [0x01, 0x02, 0x41, 0x02, b'A', b'B', 0x21, 0x01, 0x01]);
/// # Ok::<(), hsms::item::EncodeError>(())
/// ```
///
/// A mistake does not show before [`finish`](Self::finish): a list with more or fewer items than announced, an item of
/// more than 16 777 215 bytes or elements.
#[derive(Debug)]
pub struct Writer {
    out: Vec<u8>,
    /// Items still to come in the innermost open list.
    left: u32,
    outer: Vec<u32>,
    fault: Option<EncodeError>,
}

/// The most that three length bytes say.
pub(super) const MAX_LENGTH: usize = 0x00FF_FFFF;

impl Default for Writer {
    fn default() -> Self {
        Self::new()
    }
}

impl Writer {
    /// Begins with a buffer of its own.
    #[must_use]
    #[inline]
    pub fn new() -> Self {
        Self::after(Vec::new())
    }

    /// Begins behind what the buffer holds.
    #[must_use]
    #[inline]
    pub fn after(buffer: Vec<u8>) -> Self {
        Self {
            out: buffer,
            left: 1,
            outer: Vec::new(),
            fault: None,
        }
    }

    /// The finished item.
    ///
    /// # Errors
    /// The first mistake, see above.
    #[inline]
    pub fn finish(self) -> Result<Item, EncodeError> {
        self.into_buffer().map(|bytes| Item::checked(bytes.into()))
    }

    /// The buffer, with the finished item at its end.
    ///
    /// # Errors
    /// The first mistake, see above.
    pub fn into_buffer(mut self) -> Result<Vec<u8>, EncodeError> {
        while self.left == 0 {
            match self.outer.pop() {
                Some(left) => self.left = left,
                None => return self.fault.map_or(Ok(self.out), Err),
            }
        }
        Err(self.fault.unwrap_or(EncodeError::Missing(self.left)))
    }

    /// Begins a list of this many items, which must follow.
    #[inline]
    pub fn begin_list(&mut self, count: usize) {
        self.head(Format::List, count);
        self.outer.push(self.left);
        self.left = u32::try_from(count).unwrap_or(u32::MAX);
    }

    /// Writes a list.
    #[inline]
    pub fn list<T: ToItem, I>(&mut self, items: I)
    where
        I: IntoIterator<Item = T>,
        I::IntoIter: ExactSizeIterator,
    {
        let items = items.into_iter();
        self.begin_list(items.len());
        items.for_each(|item| item.write(self));
    }

    /// Writes an A item. The bytes go as they are.
    #[inline]
    pub fn ascii(&mut self, text: impl AsRef<[u8]>) {
        self.leaf(Format::Ascii, text.as_ref());
    }

    /// Writes a J item. The bytes go as they are: JIS X 0201.
    #[inline]
    pub fn jis8(&mut self, text: impl AsRef<[u8]>) {
        self.leaf(Format::Jis8, text.as_ref());
    }

    /// Writes a localized text. The bytes go as they are: they must be in this encoding.
    pub fn localized(&mut self, encoding: Encoding, text: &[u8]) {
        self.head(Format::Localized, text.len().saturating_add(2));
        self.out.extend_from_slice(&encoding.0.to_be_bytes());
        self.out.extend_from_slice(text);
    }

    /// Writes a B item.
    #[inline]
    pub fn binary(&mut self, bytes: &[u8]) {
        self.leaf(Format::Binary, bytes);
    }

    /// Writes a BOOLEAN item.
    pub fn booleans(&mut self, values: &[bool]) {
        self.head(Format::Boolean, values.len());
        self.out.extend(values.iter().map(|value| u8::from(*value)));
    }

    /// Writes an item of numbers.
    #[inline]
    pub fn numbers<T: Number>(&mut self, values: &[T]) {
        self.head(T::FORMAT, values.len().saturating_mul(T::FORMAT.size()));
        T::write_all(values, &mut self.out);
    }

    /// Writes an item byte for byte.
    #[inline]
    pub fn item(&mut self, item: ItemRef<'_>) {
        self.count_one();
        self.out.extend_from_slice(item.as_bytes());
    }

    #[inline]
    fn leaf(&mut self, format: Format, data: &[u8]) {
        self.head(format, data.len());
        self.out.extend_from_slice(data);
    }

    #[inline]
    fn head(&mut self, format: Format, length: usize) {
        self.count_one();
        if length > MAX_LENGTH {
            self.fail(EncodeError::TooLong(format, length));
        }
        put_head(format, length, &mut self.out);
    }

    #[inline]
    fn count_one(&mut self) {
        while self.left == 0 {
            match self.outer.pop() {
                Some(left) => self.left = left,
                None => return self.fail(EncodeError::TooMany),
            }
        }
        self.left -= 1;
    }

    #[cold]
    fn fail(&mut self, error: EncodeError) {
        self.fault.get_or_insert(error);
    }
}

/// Writes the format byte and as few length bytes as do. The length is known to be short enough.
#[inline]
pub(crate) fn put_head(format: Format, length: usize, out: &mut Vec<u8>) {
    let [.., high, middle, low] = length.to_be_bytes();
    let code = format.code() << 2;
    match length {
        0..=0xFF => out.extend_from_slice(&[code | 1, low]),
        0x100..=0xFFFF => out.extend_from_slice(&[code | 2, middle, low]),
        _ => out.extend_from_slice(&[code | 3, high, middle, low]),
    }
}

/// What can't be an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// An item of this format with so many bytes or elements: 16 777 215 are the most that its length can say.
    TooLong(Format, usize),
    /// A list got so many items less than it announced, or nothing was written.
    Missing(u32),
    /// More items were written than the lists announced, or a second one outside of all lists.
    TooMany,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(Format::List, count) => {
                write!(f, "a list of {count} items, SECS-II can't say more than {MAX_LENGTH}")
            }
            Self::TooLong(format, length) => {
                write!(
                    f,
                    "{length} bytes in a {format} item, SECS-II can't say more than {MAX_LENGTH}: split them"
                )
            }
            Self::Missing(count) => write!(f, "{count} items less than announced"),
            Self::TooMany => write!(f, "more items than announced"),
        }
    }
}

impl std::error::Error for EncodeError {}

macro_rules! numbers {
    ($($type:ident),*) => {$(
        impl ToItem for $type {
            #[inline]
            fn write(&self, writer: &mut Writer) {
                writer.numbers(std::slice::from_ref(self));
            }
        }
    )*};
}

numbers!(u8, u16, u32, u64, i8, i16, i32, i64, f32, f64);

impl ToItem for bool {
    #[inline]
    fn write(&self, writer: &mut Writer) {
        writer.booleans(&[*self]);
    }
}

impl ToItem for str {
    #[inline]
    fn write(&self, writer: &mut Writer) {
        writer.ascii(self);
    }
}

impl ToItem for String {
    #[inline]
    fn write(&self, writer: &mut Writer) {
        writer.ascii(self);
    }
}

impl ToItem for [u8] {
    #[inline]
    fn write(&self, writer: &mut Writer) {
        writer.binary(self);
    }
}

impl ToItem for Bytes {
    #[inline]
    fn write(&self, writer: &mut Writer) {
        writer.binary(self);
    }
}

impl<T: Number> ToItem for Array<T> {
    #[inline]
    fn write(&self, writer: &mut Writer) {
        writer.numbers(&self.0);
    }
}

impl<T: ToItem> ToItem for Vec<T> {
    #[inline]
    fn write(&self, writer: &mut Writer) {
        writer.list(self);
    }
}

impl<T: ToItem, const N: usize> ToItem for [T; N] {
    #[inline]
    fn write(&self, writer: &mut Writer) {
        writer.list(self);
    }
}

impl<T: ToItem> ToItem for Option<T> {
    #[inline]
    fn write(&self, writer: &mut Writer) {
        match self {
            Some(value) => value.write(writer),
            None => writer.begin_list(0),
        }
    }
}

impl<T: ToItem + ?Sized> ToItem for &T {
    #[inline]
    fn write(&self, writer: &mut Writer) {
        (**self).write(writer);
    }
}

impl<T: ToItem + ?Sized> ToItem for Box<T> {
    #[inline]
    fn write(&self, writer: &mut Writer) {
        (**self).write(writer);
    }
}

impl ToItem for ItemRef<'_> {
    #[inline]
    fn write(&self, writer: &mut Writer) {
        writer.item(*self);
    }
}

impl ToItem for Item {
    #[inline]
    fn write(&self, writer: &mut Writer) {
        writer.item(self.view());
    }
}

macro_rules! tuples {
    ($($count:literal: $($type:ident $index:tt),*;)*) => {$(
        impl<$($type: ToItem),*> ToItem for ($($type,)*) {
            #[inline]
            fn write(&self, writer: &mut Writer) {
                writer.begin_list($count);
                $(self.$index.write(writer);)*
            }
        }
    )*};
}

tuples! {
    1: A 0;
    2: A 0, B 1;
    3: A 0, B 1, C 2;
    4: A 0, B 1, C 2, D 3;
    5: A 0, B 1, C 2, D 3, E 4;
    6: A 0, B 1, C 2, D 3, E 4, F 5;
    7: A 0, B 1, C 2, D 3, E 4, F 5, G 6;
    8: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7;
    9: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8;
    10: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9;
    11: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10;
    12: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11;
}
