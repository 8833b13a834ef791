//! Why a request failed, as the one side tells the other.

use std::error::Error as StdError;
use std::fmt;

use crate::Failure;

/// Why a request failed: the kind and message of an error, and where it came from.
///
/// simpy.io sends one text, the formatted traceback that ends with `ValueError: nope`; mosaik's API 3 sends the list
/// `[type, message, *traceback lines]`. Both are understood; which one is sent says [`FailureForm`].
///
/// Any error converts into it, with the name of its type as the kind, so that `?` works where a `Fault` is wanted. It is
/// itself no [`std::error::Error`]: it is what the peer was told, or told us.
///
/// ```
/// use sim_io::message::Fault;
///
/// let fault = Fault::from("x".parse::<i32>().unwrap_err());
/// assert_eq!(fault.to_string(), "ParseIntError: invalid digit found in string");
/// assert_eq!(fault.text(), "ParseIntError: invalid digit found in string\n");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Fault {
    kind: String,
    message: String,
    traceback: String,
}

/// In which form failures are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailureForm {
    /// One text, as simpy.io sends and expects it.
    #[default]
    Text,
    /// The list `[type, message, *traceback lines]` of mosaik's API 3.
    List,
}

/// Stands for what was cut.
const CUT: &str = "...";

impl Fault {
    /// A failure of this kind, such as `ValueError`, with this message.
    pub fn new(kind: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            message: message.into(),
            traceback: String::new(),
        }
    }

    /// A failure that is a `RuntimeError` to Python.
    pub fn message_only(message: impl Into<String>) -> Self {
        Self::new("RuntimeError", message)
    }

    /// The same with the lines that tell where it came from.
    #[must_use]
    pub fn with_traceback(mut self, lines: impl Into<String>) -> Self {
        self.traceback = lines.into();
        if !self.traceback.is_empty() && !self.traceback.ends_with('\n') {
            self.traceback.push('\n');
        }
        self
    }

    /// The kind of error; empty if the peer did not tell.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// What the error says.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Where it came from, line by line; empty if the peer did not tell.
    pub fn traceback(&self) -> &str {
        &self.traceback
    }

    /// All of it in one text, as Python formats an exception.
    pub fn text(&self) -> String {
        if self.kind.is_empty() {
            return format!("{}{}", self.traceback, self.message);
        }
        format!("{}{self}\n", self.traceback)
    }

    /// Takes Python's text apart: the last line is `Kind: message`, and the traceback lies before it.
    pub fn from_text(text: &str) -> Self {
        let Some(lines) = text.strip_suffix('\n') else {
            return Self::new("", text);
        };
        let start = lines.rfind('\n').map_or(0, |at| at + 1);
        let (traceback, last) = lines.split_at(start);
        let (kind, message) = last.split_once(": ").unwrap_or((last, ""));
        let named = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '<' | '>');
        if kind.is_empty() || !kind.chars().all(named) || (message.is_empty() && kind.len() < last.len()) {
            return Self::new("", text);
        }
        Self::new(kind, message).with_traceback(traceback)
    }

    /// A failure whose content is neither a text nor a list.
    #[cfg_attr(
        not(any(feature = "json", feature = "python-json", feature = "msgpack", feature = "cbor")),
        expect(dead_code, reason = "for the codecs")
    )]
    pub(crate) fn unknown(content: &[u8]) -> Self {
        let shown = &content[..content.len().min(200)];
        Self::new("", String::from_utf8_lossy(shown))
    }

    /// Cuts each part that is longer than so many bytes.
    pub(super) fn shorten(&mut self, longest: usize) {
        for part in [&mut self.kind, &mut self.message] {
            if part.len() > longest {
                part.truncate(part.floor_char_boundary(longest));
                part.push_str(CUT);
            }
        }
        if self.traceback.len() > longest {
            // Its end says more than its beginning.
            let from = self.traceback.ceil_char_boundary(self.traceback.len() - longest);
            self.traceback.replace_range(..from, CUT);
        }
    }
}

impl<E: StdError> From<E> for Fault {
    fn from(error: E) -> Self {
        let path = std::any::type_name::<E>();
        let path = path.split('<').next().unwrap_or(path);
        let name = path.rsplit("::").next().unwrap_or(path);
        Self::new(name, error.to_string())
    }
}

/// What a request may be failed with: a [`Fault`], any error, a [`Failure`], or a text, which is a `RuntimeError` to Python.
///
/// The parameter only tells these apart, and is inferred.
pub trait IntoFault<M: ?Sized> {
    /// The failure that it means.
    fn into_fault(self) -> Fault;
}

impl IntoFault<Self> for Fault {
    fn into_fault(self) -> Self {
        self
    }
}

impl<E: StdError> IntoFault<dyn StdError> for E {
    fn into_fault(self) -> Fault {
        self.into()
    }
}

impl IntoFault<Self> for Failure {
    fn into_fault(self) -> Fault {
        Fault::message_only(self.to_string())
    }
}

impl IntoFault<str> for &str {
    fn into_fault(self) -> Fault {
        Fault::message_only(self)
    }
}

impl IntoFault<str> for String {
    fn into_fault(self) -> Fault {
        Fault::message_only(self)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&*self.kind, &*self.message) {
            ("", message) => f.write_str(message.trim_end()),
            (kind, "") => f.write_str(kind),
            (kind, message) => write!(f, "{kind}: {message}"),
        }
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fault({self})")
    }
}

/// What a failure is in a message.
#[cfg(any(feature = "json", feature = "python-json", feature = "msgpack", feature = "cbor"))]
pub(crate) enum FaultContent {
    Text(String),
    List(Vec<String>),
}

#[cfg(any(feature = "json", feature = "python-json", feature = "msgpack", feature = "cbor"))]
mod content {
    use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
    use serde::ser::{Serialize, Serializer};

    use super::{FailureForm, Fault, FaultContent, fmt};

    impl Fault {
        pub(crate) fn content(&self, form: FailureForm) -> FaultContent {
            match form {
                FailureForm::Text => FaultContent::Text(self.text()),
                FailureForm::List => {
                    let lines = self.traceback.lines().map(str::to_owned);
                    let list = [self.kind.clone(), self.message.clone()].into_iter().chain(lines);
                    FaultContent::List(list.collect())
                }
            }
        }
    }

    impl From<FaultContent> for Fault {
        fn from(content: FaultContent) -> Self {
            match content {
                FaultContent::Text(text) => Self::from_text(&text),
                FaultContent::List(list) => {
                    let mut parts = list.into_iter();
                    let (kind, message) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
                    // Lines of a traceback may bring their line ends or not.
                    let lines = parts.map(|line| format!("{}\n", line.trim_end_matches('\n')));
                    Self::new(kind, message).with_traceback(lines.collect::<String>())
                }
            }
        }
    }

    impl Serialize for FaultContent {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            match self {
                Self::Text(text) => text.serialize(serializer),
                Self::List(list) => list.serialize(serializer),
            }
        }
    }

    impl<'de> Deserialize<'de> for FaultContent {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Either;
            impl<'de> Visitor<'de> for Either {
                type Value = FaultContent;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("a text or a list of texts")
                }

                fn visit_str<E>(self, text: &str) -> Result<FaultContent, E> {
                    Ok(FaultContent::Text(text.to_owned()))
                }

                fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<FaultContent, A::Error> {
                    let mut parts = Vec::new();
                    while let Some(part) = list.next_element()? {
                        parts.push(part);
                    }
                    Ok(FaultContent::List(parts))
                }
            }
            deserializer.deserialize_any(Either)
        }
    }
}
