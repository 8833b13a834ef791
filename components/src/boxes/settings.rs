//! How large a box is, and what happens when it is full.

use std::any::TypeId;

use crate::Signal;

/// How many messages a box holds if nobody says otherwise.
pub const DEFAULT_CAPACITY: usize = 64;

/// What happens to a message that meets a full box.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WhenFull {
    /// The sender waits for room. The default.
    #[default]
    Wait,
    /// The sender gets the message back, with a [`NoSpaceInBox`](crate::Unsent::NoSpaceInBox).
    Refuse,
    /// The message is dropped, and counted.
    DropNewest,
    /// The oldest message in the box makes room, and is counted as dropped. A receiver takes messages out of such a box
    /// one by one, so that the oldest is always there to be dropped.
    DropOldest,
}

impl WhenFull {
    /// The word for it in pictures and in attributes.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Refuse => "refuse",
            Self::DropNewest => "drop_newest",
            Self::DropOldest => "drop_oldest",
        }
    }
}

/// The size of a box and its policy. Boxes of [`Signal`]s keep to none: nothing is ever refused or dropped there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoxOptions {
    pub(crate) capacity: Option<usize>,
    pub(crate) when_full: WhenFull,
}

impl Default for BoxOptions {
    fn default() -> Self {
        Self {
            capacity: Some(DEFAULT_CAPACITY),
            when_full: WhenFull::Wait,
        }
    }
}

impl BoxOptions {
    /// [`DEFAULT_CAPACITY`] messages; senders wait.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how many messages it holds; 0 counts as 1. Default: [`DEFAULT_CAPACITY`].
    #[must_use]
    pub fn capacity(mut self, messages: usize) -> Self {
        self.capacity = Some(messages.max(1));
        self
    }

    /// Lets it grow without bound. Only for boxes whose senders can't run ahead.
    #[must_use]
    pub fn unbounded(mut self) -> Self {
        self.capacity = None;
        self
    }

    /// Sets what happens when it is full. Default: [`WhenFull::Wait`].
    #[must_use]
    pub fn when_full(mut self, policy: WhenFull) -> Self {
        self.when_full = policy;
        self
    }

    /// The same for a box of this type of message.
    pub(crate) fn of<T: 'static>(self) -> Self {
        if TypeId::of::<T>() == TypeId::of::<Signal>() {
            Self {
                capacity: None,
                when_full: WhenFull::Wait,
            }
        } else {
            self
        }
    }
}
