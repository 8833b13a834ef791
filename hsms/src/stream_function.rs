//! What a data message is about: `S1F13`.

use std::fmt;
use std::str::FromStr;

/// The stream (0 to 127) and function (0 to 255) of a data message, written `S1F13`.
///
/// ```
/// use hsms::StreamFunction;
///
/// let about: StreamFunction = "S1F13".parse()?;
/// assert_eq!((about.stream(), about.function()), (1, 13));
/// assert_eq!(about.secondary().to_string(), "S1F14");
/// # Ok::<(), hsms::InvalidStreamFunction>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamFunction {
    stream: u8,
    function: u8,
}

impl StreamFunction {
    /// Of numbers that are known to be right.
    ///
    /// # Panics
    /// If the stream is above 127. In a `const` the compiler says so.
    #[must_use]
    #[inline]
    pub const fn new(stream: u8, function: u8) -> Self {
        assert!(stream < 128, "a stream is at most 127");
        Self { stream, function }
    }

    /// Of numbers from outside; `None` if the stream is above 127.
    #[must_use]
    #[inline]
    pub const fn try_new(stream: u8, function: u8) -> Option<Self> {
        if stream < 128 {
            Some(Self { stream, function })
        } else {
            None
        }
    }

    /// The stream, 0 to 127.
    #[must_use]
    #[inline]
    pub const fn stream(self) -> u8 {
        self.stream
    }

    /// The function.
    #[must_use]
    #[inline]
    pub const fn function(self) -> u8 {
        self.function
    }

    /// Whether the function is odd: it begins a transaction.
    #[must_use]
    #[inline]
    pub const fn is_primary(self) -> bool {
        self.function % 2 == 1
    }

    /// What answers it: the next function; function 0, the abort, after 255. An even function stays as it is.
    #[must_use]
    #[inline]
    pub const fn secondary(self) -> Self {
        let function = if self.is_primary() {
            self.function.wrapping_add(1)
        } else {
            self.function
        };
        Self { function, ..self }
    }

    /// What aborts its transaction: function 0 of the same stream.
    #[must_use]
    #[inline]
    pub const fn abort(self) -> Self {
        Self { function: 0, ..self }
    }
}

impl fmt::Display for StreamFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S{}F{}", self.stream, self.function)
    }
}

impl fmt::Debug for StreamFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for StreamFunction {
    type Err = InvalidStreamFunction;

    /// Reads `S1F13`, in capitals or not.
    fn from_str(text: &str) -> Result<Self, InvalidStreamFunction> {
        parse(text).ok_or_else(|| InvalidStreamFunction(text.chars().take(40).collect()))
    }
}

fn parse(text: &str) -> Option<StreamFunction> {
    let numbers = text.strip_prefix(['S', 's'])?;
    let (stream, function) = numbers.split_once(['F', 'f'])?;
    StreamFunction::try_new(number(stream)?, number(function)?)
}

/// Digits only: no sign.
fn number(text: &str) -> Option<u8> {
    text.bytes().all(|digit| digit.is_ascii_digit()).then_some(())?;
    text.parse().ok()
}

/// The text is not a stream and function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidStreamFunction(String);

impl fmt::Display for InvalidStreamFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no stream and function: write it like S1F13, the stream at most 127, the function at most 255",
            self.0
        )
    }
}

impl std::error::Error for InvalidStreamFunction {}
