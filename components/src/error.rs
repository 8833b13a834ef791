//! What can go wrong: sending, linking, and the end of components.

use std::error::Error as StdError;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// A message that was not sent, and why.
pub struct SendError<T> {
    /// Nobody shares it, so it need not be `Sync` for the error to be: `?` takes it in every component.
    message: Mutex<T>,
    reason: Unsent,
    /// The place of a sender that waits; only inside this crate.
    ticket: Option<u64>,
}

impl<T> SendError<T> {
    pub(crate) fn new(message: T, reason: Unsent) -> Self {
        Self::waiting(message, reason, None)
    }

    pub(crate) fn waiting(message: T, reason: Unsent, ticket: Option<u64>) -> Self {
        Self {
            message: Mutex::new(message),
            reason,
            ticket,
        }
    }

    pub(crate) fn ticket(&self) -> Option<u64> {
        self.ticket
    }

    /// Why it was not sent.
    pub fn reason(&self) -> Unsent {
        self.reason
    }

    /// The message.
    pub fn into_message(self) -> T {
        self.message.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a message was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unsent {
    /// The inbox is full: it holds `len` messages and has room for `size`. Axon's `noSpaceInBox`.
    NoSpaceInBox {
        /// Messages that it holds.
        len: usize,
        /// Messages that it has room for.
        size: usize,
    },
    /// The sending component was told to stop at once while it waited for room.
    Stopped,
    /// A sink was given a message before it was ready for one.
    NotReady,
}

impl fmt::Display for Unsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSpaceInBox { len, size } => write!(f, "no space in box: it holds {len} of {size}"),
            Self::Stopped => f.write_str("the component was told to stop while it waited for room"),
            Self::NotReady => f.write_str("the sink was not ready: wait for poll_ready before start_send"),
        }
    }
}

impl StdError for Unsent {}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendError")
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.reason, f)
    }
}

impl<T> StdError for SendError<T> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.reason)
    }
}

/// Why two boxes were not linked. Nothing has changed then: all or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkError {
    /// The source has a destination: an outbox sends to one box.
    AlreadyLinked {
        /// The source.
        from: String,
        /// Its destination.
        there: String,
        /// The destination that was refused.
        to: String,
    },
    /// The messages of the two boxes are of different types.
    WrongType {
        /// The source.
        from: String,
        /// The type of its messages.
        from_type: &'static str,
        /// The destination.
        to: String,
        /// The type of its messages.
        to_type: &'static str,
    },
    /// An inbox can't be linked to an outbox: messages would go backwards.
    Backwards {
        /// The inbox.
        from: String,
        /// The outbox.
        to: String,
    },
    /// The links would lead in a circle and end nowhere.
    Circle {
        /// The source.
        from: String,
        /// The destination.
        to: String,
    },
    /// The messages that wait at the source have no room at the destination.
    NoSpaceInBox {
        /// The source.
        from: String,
        /// The box at the end of the links.
        to: String,
        /// Messages that it would have to hold.
        len: usize,
        /// Messages that it has room for.
        size: usize,
    },
    /// No component of this name.
    NoSuchComponent {
        /// The name.
        name: String,
        /// The names that exist.
        existing: Vec<String>,
    },
    /// The component has no such box.
    NoSuchBox {
        /// The component.
        component: String,
        /// The box that was named.
        name: String,
        /// The boxes that it has, as `inbox inbox: u64`.
        existing: Vec<String>,
    },
    /// A text that names no box, which is written `component.box`, or no component.
    NotAName(String),
    /// Another component has the name.
    NameTaken(String),
    /// Both boxes are the graph's own: nothing would happen between them.
    BothOwn(String, String),
}

impl LinkError {
    /// The same, with other words for some of the boxes.
    pub(crate) fn renamed(mut self, name: impl Fn(&str) -> Option<String>) -> Self {
        let words = match &mut self {
            Self::AlreadyLinked { from, there, to } => [Some(from), Some(there), Some(to)],
            Self::WrongType { from, to, .. }
            | Self::Backwards { from, to }
            | Self::Circle { from, to }
            | Self::NoSpaceInBox { from, to, .. } => [Some(from), Some(to), None],
            Self::NoSuchComponent { .. }
            | Self::NoSuchBox { .. }
            | Self::NotAName(_)
            | Self::NameTaken(_)
            | Self::BothOwn(..) => [None, None, None],
        };
        for word in words.into_iter().flatten() {
            if let Some(better) = name(word) {
                *word = better;
            }
        }
        self
    }
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyLinked { from, there, to } => write!(
                f,
                "{from} is linked to {there} and can't be linked to {to} too; put a Fanout, a Splitter or a Backplane \
                 between to send to many"
            ),
            Self::WrongType {
                from,
                from_type,
                to,
                to_type,
            } => write!(
                f,
                "{from} sends {from_type} and {to} takes {to_type}; put a component between that converts (`map`)"
            ),
            Self::Backwards { from, to } => write!(
                f,
                "{from} is an inbox and {to} an outbox; link outbox to inbox, inbox to a child's inbox, or a child's outbox \
                 to an outbox"
            ),
            Self::Circle { from, to } => {
                write!(f, "linking {from} to {to} would make a circle of boxes without an end")
            }
            Self::NoSpaceInBox { from, to, len, size } => write!(
                f,
                "the messages that wait at {from} do not fit: {to} would hold {len} of {size}; make it larger first"
            ),
            Self::NoSuchComponent { name, existing } => {
                write!(f, "no component is called {name:?}; there is {}", list(existing))
            }
            Self::NoSuchBox {
                component,
                name,
                existing,
            } => write!(f, "{component} has no box {name:?}; it has {}", list(existing)),
            Self::NotAName(text) => write!(
                f,
                "{text:?} is no name; a box is written as component.box, and a component has no dot and is not self"
            ),
            Self::NameTaken(name) => write!(f, "another component is called {name:?}"),
            Self::BothOwn(from, to) => write!(
                f,
                "{from} and {to} are both of the graph itself; put a component between"
            ),
        }
    }
}

impl StdError for LinkError {}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

/// Why a component failed: any error, cheap to clone.
///
/// It takes everything that `?` meets. It is no [`std::error::Error`] itself; [`error`](Self::error) gives the one inside.
#[derive(Clone)]
pub struct Failure(Arc<dyn StdError + Send + Sync>);

impl Failure {
    /// A failure of these words.
    pub fn new(what: impl Into<String>) -> Self {
        Self(Arc::from(Box::<dyn StdError + Send + Sync>::from(what.into())))
    }

    /// The error.
    pub fn error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self.0.as_ref()
    }

    /// Whether it only says that the component was told to stop while it waited.
    pub fn is_stop(&self) -> bool {
        let mut error: Option<&(dyn StdError + 'static)> = Some(self.0.as_ref());
        while let Some(inner) = error {
            if inner.is::<Stopped>() || inner.downcast_ref::<Unsent>() == Some(&Unsent::Stopped) {
                return true;
            }
            error = inner.source();
        }
        false
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(Arc::new(error))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// The component was told to stop at once, while it waited for something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the component was told to stop")
    }
}

impl StdError for Stopped {}
