//! Items as they lie in a buffer: nothing is copied, nothing allocated.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::iter::FusedIterator;

use super::decode::{Head, Parser, extent};
use super::{DecodeError, Format, FromItem, Limits, ReadError};

/// An item in a buffer, which has been checked as a whole; a copy is as cheap as a slice.
///
/// Two items are equal if their formats and data are, however many length bytes each uses.
///
/// ```
/// use hsms::item::{Format, ItemRef};
///
/// let item = ItemRef::parse(&[0x01, 0x02, 0x41, 0x02, b'A', b'B', 0xA5, 0x02, 7, 8])?;
/// assert_eq!((item.format(), item.len()), (Format::List, 2));
/// let (name, codes) = item.read::<(&str, [u8; 2])>().unwrap();
/// assert_eq!((name, codes), ("AB", [7, 8]));
/// # Ok::<(), hsms::item::DecodeError>(())
/// ```
#[derive(Clone, Copy)]
pub struct ItemRef<'a> {
    /// From the format byte on. A leaf's end where it ends; a list's may go on.
    bytes: &'a [u8],
    head: Head,
}

impl<'a> ItemRef<'a> {
    /// Checks that the bytes are one item, with the default [`Limits`].
    ///
    /// # Errors
    /// The first thing that is wrong with them.
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        Self::parse_with(bytes, Limits::default())
    }

    /// Checks that the bytes are one item.
    ///
    /// # Errors
    /// The first thing that is wrong with them.
    #[inline]
    pub fn parse_with(bytes: &'a [u8], limits: Limits) -> Result<Self, DecodeError> {
        Parser::with_limits(bytes, limits).finish()?;
        Ok(Self::checked(bytes))
    }

    /// Of bytes that have been checked before.
    #[inline]
    pub(crate) fn checked(bytes: &'a [u8]) -> Self {
        match Head::read(bytes) {
            Ok(head) => Self { bytes, head },
            Err(_) => Self::empty(),
        }
    }

    #[inline(always)]
    pub(super) fn new(bytes: &'a [u8], head: Head) -> Self {
        Self { bytes, head }
    }

    /// The list of nothing.
    pub(crate) fn empty() -> Self {
        Self {
            bytes: &[0x01, 0x00],
            head: Head {
                format: Format::List,
                size: 2,
                length: 0,
            },
        }
    }

    /// What it holds.
    #[must_use]
    #[inline]
    pub fn format(self) -> Format {
        self.head.format
    }

    /// How many items a list has, how many values an array; of a text the bytes, without the two that tell a localized
    /// one's encoding.
    #[must_use]
    #[inline]
    pub fn len(self) -> usize {
        let length = self.head.length as usize;
        match self.head.format {
            Format::List => length,
            Format::Localized => length.saturating_sub(2),
            format => length / format.size(),
        }
    }

    /// Whether there is nothing in it. An item without values often means: none.
    #[must_use]
    #[inline]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Whether it is a list.
    #[must_use]
    #[inline]
    pub fn is_list(self) -> bool {
        self.head.format == Format::List
    }

    /// Its bytes as they came, with format and length.
    #[must_use]
    #[inline]
    pub fn as_bytes(self) -> &'a [u8] {
        let end = if self.is_list() {
            extent(self.bytes, 1)
        } else {
            self.bytes.len()
        };
        self.bytes.get(..end).unwrap_or(self.bytes)
    }

    /// Its bytes without format and length: the values, big-endian; the items of a list.
    #[must_use]
    #[inline]
    pub fn data(self) -> &'a [u8] {
        self.as_bytes().get(usize::from(self.head.size)..).unwrap_or_default()
    }

    /// How many length bytes it uses: 1 to 3. One more than needed is allowed.
    #[must_use]
    #[inline]
    pub fn length_bytes(self) -> usize {
        usize::from(self.head.size) - 1
    }

    /// The items of a list, in order; none if it is no list.
    #[must_use]
    #[inline]
    pub fn items(self) -> Items<'a> {
        let left = if self.is_list() { self.head.length } else { 0 };
        Items {
            rest: self.bytes.get(usize::from(self.head.size)..).unwrap_or_default(),
            left,
            behind_list: false,
        }
    }

    /// The item at this place of a list. This walks over those before it: to see all, use [`items`](Self::items).
    #[must_use]
    #[inline]
    pub fn get(self, index: usize) -> Option<Self> {
        self.items().nth(index)
    }

    /// The item at the end of a path of places.
    #[must_use]
    pub fn at(self, path: &[usize]) -> Option<Self> {
        path.iter().try_fold(self, |item, index| item.get(*index))
    }

    /// Reads it as a Rust type: see [`FromItem`] for which.
    ///
    /// # Errors
    /// If it does not fit, with the place in the item.
    #[inline]
    pub fn read<T: FromItem<'a>>(self) -> Result<T, ReadError> {
        T::from_item(self)
    }

    /// Reads the item at the end of a path of places.
    ///
    /// # Errors
    /// If there is none, or it does not fit.
    pub fn read_at<T: FromItem<'a>>(self, path: &[usize]) -> Result<T, ReadError> {
        let Some((index, inner)) = path.split_first() else {
            return T::from_item(self);
        };
        let found = self.get(*index).ok_or_else(|| ReadError::no_item(self, *index))?;
        found.read_at(inner).map_err(|error| error.inside(*index))
    }

    /// All its items and itself, each before those in it, with its depth.
    pub(crate) fn walk(self) -> Parser<'a> {
        Parser::unlimited(self.as_bytes())
    }
}

/// Equal in format and data; the number of length bytes does not matter.
impl PartialEq for ItemRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        let (mine, others) = (self.as_bytes(), other.as_bytes());
        mine == others || {
            let (mut mine, mut others) = (Heads(mine), Heads(others));
            loop {
                match (mine.next(), others.next()) {
                    (None, None) => return true,
                    (mine, others) if mine != others => return false,
                    _ => {}
                }
            }
        }
    }
}

impl Eq for ItemRef<'_> {}

impl Hash for ItemRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for part in Heads(self.as_bytes()) {
            part.hash(state);
        }
    }
}

/// What is in some checked bytes, however it nests: format, length and data of each item in turn.
struct Heads<'a>(&'a [u8]);

impl<'a> Iterator for Heads<'a> {
    type Item = (Format, u32, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let head = Head::read(self.0).ok()?;
        let end = match head.format {
            Format::List => usize::from(head.size),
            _ => usize::from(head.size) + head.length as usize,
        };
        let (own, rest) = self.0.split_at_checked(end)?;
        self.0 = rest;
        Some((head.format, head.length, own.get(usize::from(head.size)..)?))
    }
}

/// Its SML, on one line.
impl fmt::Display for ItemRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::sml::write_line(*self, f)
    }
}

/// Its SML, on one line.
impl fmt::Debug for ItemRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The items of a list: [`ItemRef::items`].
#[derive(Clone)]
pub struct Items<'a> {
    rest: &'a [u8],
    left: u32,
    /// The item that was given last is a list that has not been stepped over yet.
    behind_list: bool,
}

impl Items<'_> {
    /// Steps over items.
    #[inline]
    fn skip_items(&mut self, count: u32) {
        self.rest = self.rest.get(extent(self.rest, count)..).unwrap_or_default();
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = ItemRef<'a>;

    #[inline]
    fn next(&mut self) -> Option<ItemRef<'a>> {
        self.left = self.left.checked_sub(1)?;
        if self.behind_list {
            self.skip_items(1);
            self.behind_list = false;
        }
        let head = Head::read(self.rest).ok()?;
        if head.format == Format::List {
            self.behind_list = true;
            return Some(ItemRef { bytes: self.rest, head });
        }
        let (bytes, rest) = self
            .rest
            .split_at_checked(usize::from(head.size) + head.length as usize)?;
        self.rest = rest;
        Some(ItemRef { bytes, head })
    }

    #[inline]
    fn nth(&mut self, index: usize) -> Option<ItemRef<'a>> {
        let skipped = u32::try_from(index).unwrap_or(u32::MAX).min(self.left);
        if skipped > 0 {
            self.left -= skipped;
            self.skip_items(skipped + u32::from(self.behind_list));
            self.behind_list = false;
        }
        self.next()
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

impl ExactSizeIterator for Items<'_> {}

impl FusedIterator for Items<'_> {}

impl fmt::Debug for Items<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}
