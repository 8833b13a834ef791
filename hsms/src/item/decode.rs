//! Bytes to items, one after the other: the pull parser, and the errors that bytes can have.

use std::fmt;

use super::{Format, ItemRef, Limits};

/// Reads the items of a text one by one, the lists before what is in them. Checks all that can be wrong, and allocates
/// nothing while fewer than sixteen lists are open.
///
/// Ends after the one item that a text is. After an error it ends too.
///
/// ```
/// use hsms::item::{Event, Parser};
///
/// let bytes = [0x01, 0x02, 0x41, 0x02, b'A', b'B', 0x21, 0x01, 0x01]; // <L <A "AB"> <B 0x01>>
/// let mut parser = Parser::new(&bytes);
/// assert_eq!(parser.next().transpose()?, Some(Event::List(2)));
/// let Some(Event::Leaf(leaf)) = parser.next().transpose()? else { panic!() };
/// assert_eq!(leaf.data(), b"AB");
/// assert_eq!(parser.depth(), 1);
/// # Ok::<(), hsms::item::DecodeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Parser<'a> {
    rest: &'a [u8],
    /// How long the whole text is.
    total: usize,
    /// Items still to come in the innermost open list; outside of all, the one item.
    left: u32,
    /// The same for the lists around it.
    outer: Stack,
    /// How many more items are allowed.
    allowance: u32,
    limits: Limits,
    /// How many lists may be open.
    depth: usize,
}

/// What a [`Parser`] comes upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A list with this many items, which follow.
    List(u32),
    /// An item that is no list.
    Leaf(ItemRef<'a>),
}

impl<'a> Parser<'a> {
    /// Begins with the default limits.
    #[must_use]
    #[inline]
    pub fn new(text: &'a [u8]) -> Self {
        Self::with_limits(text, Limits::default())
    }

    /// Begins with limits of one's own.
    #[must_use]
    #[inline]
    pub fn with_limits(text: &'a [u8], limits: Limits) -> Self {
        Self {
            rest: text,
            total: text.len(),
            left: 1,
            outer: Stack::default(),
            allowance: if text.len() > limits.bytes { 0 } else { limits.items },
            limits,
            depth: limits.depth.into(),
        }
    }

    /// Of bytes that are known to be right: there is no limit to what one builds oneself.
    pub(super) fn unlimited(text: &'a [u8]) -> Self {
        Self {
            depth: usize::MAX,
            ..Self::with_limits(text, Limits::none())
        }
    }

    /// How many lists are open around the item that came last; a list counts as open from its own event on.
    #[must_use]
    #[inline]
    pub fn depth(&self) -> usize {
        self.outer.depth
    }

    /// How many bytes have been read.
    #[must_use]
    #[inline]
    pub fn offset(&self) -> usize {
        self.total - self.rest.len()
    }

    /// Reads on to the end.
    ///
    /// # Errors
    /// The first thing that is wrong.
    #[inline]
    pub fn finish(mut self) -> Result<(), DecodeError> {
        loop {
            match self.advance() {
                Ok(Some(_)) => {}
                Ok(None) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    // Inlined into its callers with all state in registers: so nothing here may take the address of `self`.
    #[inline(always)]
    fn advance(&mut self) -> Result<Option<Event<'a>>, DecodeError> {
        while self.left == 0 {
            match self.outer.pop() {
                Some(left) => self.left = left,
                None if self.rest.is_empty() => return Ok(None),
                None => return Err(self.fail(DecodeErrorKind::TrailingBytes(self.rest.len()))),
            }
        }
        let rest = self.rest;
        // By far the most: a leaf with one length byte that has nothing wrong with it.
        if let [first, length, ..] = *rest
            && first & 3 == 1
            && let Some((format, mask)) = PLAIN[usize::from(first >> 2)]
            && length & mask == 0
            && self.allowance > 0
            && let Some((bytes, rest)) = rest.split_at_checked(2 + usize::from(length))
        {
            self.allowance -= 1;
            self.left -= 1;
            self.rest = rest;
            let head = Head {
                format,
                size: 2,
                length: length.into(),
            };
            return Ok(Some(Event::Leaf(ItemRef::new(bytes, head))));
        }
        // Nearly all lists: short, not deep, and with room for two bytes of each item.
        if let [SHORT_LIST, length, ref inner @ ..] = *rest
            && self.allowance > 0
            && usize::from(length) <= inner.len() / 2
            && self.outer.depth < self.depth
            && let Some(place) = self.outer.inline.get_mut(self.outer.depth)
        {
            self.allowance -= 1;
            *place = self.left - 1;
            self.outer.depth += 1;
            self.rest = inner;
            self.left = length.into();
            return Ok(Some(Event::List(self.left)));
        }
        let head = match Head::read(rest) {
            Ok(head) => head,
            Err(fault) => return Err(self.fail(fault)),
        };
        if self.allowance == 0 {
            let fault = if self.total > self.limits.bytes {
                DecodeErrorKind::TooLong(self.limits.bytes)
            } else {
                DecodeErrorKind::TooManyItems(self.limits.items)
            };
            return Err(self.fail(fault));
        }
        self.allowance -= 1;
        self.left -= 1;
        let (size, length) = (usize::from(head.size), head.length as usize);
        if head.format == Format::List {
            // Each item has at least two bytes.
            if length > (rest.len() - size) / 2 {
                return Err(self.fail(DecodeErrorKind::Truncated));
            }
            if self.outer.depth >= self.depth {
                return Err(self.fail(DecodeErrorKind::TooDeep(self.limits.depth)));
            }
            self.rest = rest.get(size..).unwrap_or_default();
            self.outer.push(self.left);
            self.left = head.length;
            return Ok(Some(Event::List(head.length)));
        }
        let Some((bytes, rest)) = rest.split_at_checked(size + length) else {
            return Err(self.fail(DecodeErrorKind::Truncated));
        };
        if length & (head.format.size() - 1) != 0 || head.format == Format::Localized && length < 2 {
            return Err(self.fail(DecodeErrorKind::BadLength(head.format, head.length)));
        }
        self.rest = rest;
        Ok(Some(Event::Leaf(ItemRef::new(bytes, head))))
    }

    /// The error at this place; nothing comes after it.
    #[inline(always)]
    fn fail(&mut self, kind: DecodeErrorKind) -> DecodeError {
        let offset = self.offset();
        self.left = 0;
        self.outer.depth = 0;
        self.rest = &[];
        DecodeError { kind, offset }
    }
}

impl<'a> Iterator for Parser<'a> {
    type Item = Result<Event<'a>, DecodeError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.advance().transpose()
    }
}

/// The format byte of a list with one length byte.
const SHORT_LIST: u8 = 1;

/// The formats, by their code, for which all that can be wrong with a length is that it has some of these bits.
const PLAIN: [Option<(Format, u8)>; 64] = {
    let mut table = [None; 64];
    let mut i = 0;
    while i < Format::ALL.len() {
        let format = Format::ALL[i];
        if !matches!(format, Format::List | Format::Localized) {
            table[format as usize] = Some((format, (format.size() - 1) as u8));
        }
        i += 1;
    }
    table
};

/// The counts of the open lists, the outermost first.
#[derive(Clone, Debug, Default)]
struct Stack {
    depth: usize,
    inline: [u32; 16],
    more: Vec<u32>,
}

impl Stack {
    #[inline]
    fn push(&mut self, left: u32) {
        match self.inline.get_mut(self.depth) {
            Some(place) => *place = left,
            None => {
                // By value: see `advance`.
                let mut more = std::mem::take(&mut self.more);
                more.truncate(self.depth - self.inline.len());
                more.push(left);
                self.more = more;
            }
        }
        self.depth += 1;
    }

    #[inline]
    fn pop(&mut self) -> Option<u32> {
        self.depth = self.depth.checked_sub(1)?;
        match self.inline.get(self.depth) {
            Some(left) => Some(*left),
            None => self.more.get(self.depth - self.inline.len()).copied(),
        }
    }
}

/// The format byte and the length bytes of an item.
#[derive(Clone, Copy)]
pub(crate) struct Head {
    pub(crate) format: Format,
    /// How many bytes these are: 2 to 4.
    pub(crate) size: u8,
    /// Elements of a list, bytes of all others.
    pub(crate) length: u32,
}

impl Head {
    #[inline(always)]
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, DecodeErrorKind> {
        let (format, size, length) = match *bytes {
            // By far the most.
            [first, length, ..] if first & 3 == 1 => (first, 2, u32::from(length)),
            [first, high, low, ..] if first & 3 == 2 => (first, 3, u32::from(high) << 8 | u32::from(low)),
            [first, high, middle, low, ..] if first & 3 == 3 => (first, 4, u32::from_be_bytes([0, high, middle, low])),
            [first, ..] if first & 3 == 0 => return Err(DecodeErrorKind::NoLength(first)),
            [] => return Err(DecodeErrorKind::Truncated),
            _ => return Err(DecodeErrorKind::Truncated),
        };
        match Format::from_code(format >> 2) {
            Some(format) => Ok(Self { format, size, length }),
            None => Err(DecodeErrorKind::UnknownFormat(format)),
        }
    }
}

/// How many bytes the first `count` items take, of bytes that are known to be right.
#[inline]
pub(crate) fn extent(bytes: &[u8], count: u32) -> usize {
    let (mut at, mut left) = (0_usize, u64::from(count));
    while left > 0 {
        let Ok(head) = Head::read(bytes.get(at..).unwrap_or_default()) else {
            break;
        };
        left -= 1;
        at += usize::from(head.size);
        if head.format == Format::List {
            left += u64::from(head.length);
        } else {
            at += head.length as usize;
        }
    }
    at.min(bytes.len())
}

/// Bytes that are no item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    pub(super) kind: DecodeErrorKind,
    pub(super) offset: usize,
}

impl DecodeError {
    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> DecodeErrorKind {
        self.kind
    }

    /// Where the item begins that is wrong, in bytes from the start of the text.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}: {}", self.offset, self.kind)
    }
}

impl std::error::Error for DecodeError {}

/// What can be wrong with bytes that should be an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The bytes end before the item does.
    Truncated,
    /// A format byte (given) that announces no length bytes.
    NoLength(u8),
    /// A format byte (given) whose format does not exist.
    UnknownFormat(u8),
    /// A length (given) that is no multiple of the format's size; or a localized text without its encoding.
    BadLength(Format, u32),
    /// So many bytes after the item: a text is one item.
    TrailingBytes(usize),
    /// More lists inside each other than the limit (given) allows.
    TooDeep(u8),
    /// More items than the limit (given) allows.
    TooManyItems(u32),
    /// More bytes than the limit (given) allows.
    TooLong(usize),
}

impl fmt::Display for DecodeErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => write!(f, "the bytes end before the item does"),
            Self::NoLength(byte) => write!(f, "the format byte 0x{byte:02x} announces no length"),
            Self::UnknownFormat(byte) => write!(f, "the format byte 0x{byte:02x} means no format"),
            Self::BadLength(Format::Localized, length) => {
                write!(f, "a W item of {length} bytes has no room for its encoding")
            }
            Self::BadLength(format, length) => {
                write!(
                    f,
                    "a {format} item of {length} bytes, which {} does not divide",
                    format.size()
                )
            }
            Self::TrailingBytes(count) => write!(f, "{count} bytes after the item"),
            Self::TooDeep(limit) => write!(f, "more than {limit} lists inside each other"),
            Self::TooManyItems(limit) => write!(f, "more than {limit} items"),
            Self::TooLong(limit) => write!(f, "more than {limit} bytes"),
        }
    }
}
