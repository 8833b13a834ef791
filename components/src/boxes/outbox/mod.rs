//! Where a component sends.

mod sending;
mod sink;

use std::any::Any;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::node::{Direction, Node, Place, Target};
use super::store::{Patience, Push};
use crate::error::{SendError, Unsent};
use crate::{BoxOptions, Signal};

pub use sending::Sending;
pub use sink::OutboxSink;

/// Where a component sends messages of one type.
///
/// It is [linked](crate::link) to one destination: an inbox, or the outbox of an enclosing component. Messages go to the
/// inbox at the end of the links at once, however long the chain. While it is not linked, messages are discarded, and
/// counted; one made by [`holding`](Self::holding) keeps them for the link to come.
pub struct Outbox<T: Send + 'static> {
    pub(crate) node: Arc<Node<T>>,
    target: Option<Target<T>>,
}

/// What became of a message that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Delivery {
    /// It is in the inbox at the end of the links.
    Delivered,
    /// Nothing is linked. Counted at the outbox.
    Discarded,
    /// The inbox was full, and its policy is to drop. Counted at the inbox.
    Dropped,
    /// The component at the end of the links has ended. Counted at its inbox.
    Undeliverable,
}

impl<T: Send + 'static> Outbox<T> {
    /// An outbox that discards what it is given while it is not linked.
    #[track_caller]
    pub fn new() -> Self {
        Self::on(Node::new(Direction::Out, BoxOptions::default(), false))
    }

    /// An outbox that keeps what it is given while it is not linked, as its options say.
    #[track_caller]
    pub fn holding(options: BoxOptions) -> Self {
        Self::on(Node::new(Direction::Out, options, true))
    }

    pub(crate) fn on(node: Arc<Node<T>>) -> Self {
        Self { node, target: None }
    }

    /// Another outbox whose messages leave by this one, for a second task: linked to it as a child's would be.
    pub fn branch(&self) -> Self {
        let branch = Self::new();
        // Newly made and of the same type: nothing can be in the way.
        let _ = branch.node.link(&self.node, None, false);
        branch
    }

    /// Sends a message; waits if the box at the end is full and its policy is to wait.
    ///
    /// # Errors
    /// [`Unsent::NoSpaceInBox`] if the box is full and its policy is to refuse; [`Unsent::Stopped`] if this component is
    /// told to stop at once while it waits. The message comes back in both.
    ///
    /// # Cancel safety
    /// If the future is dropped before it is done, the message is dropped and was not sent.
    pub fn send(&mut self, message: T) -> Sending<'_, T> {
        Sending::new(self, message)
    }

    /// Sends a message if that is possible without waiting.
    ///
    /// # Errors
    /// [`Unsent::NoSpaceInBox`], with the message, if the box is full and does not drop.
    pub fn try_send(&mut self, message: T) -> Result<Delivery, SendError<T>> {
        let mut message = message;
        loop {
            message = match self.push(message, None) {
                Ok(outcome) => return outcome,
                Err(moved) => moved,
            };
        }
    }

    /// Sends all messages, in order, many at a time; waits where a box is full. Faster than one by one.
    ///
    /// # Errors
    /// As [`send`](Self::send). What was not sent is left in `messages`, but for the one in the error.
    ///
    /// # Cancel safety
    /// If the future is dropped, what was not sent is still in `messages`, but for at most one that waited for room.
    pub async fn send_all(&mut self, messages: &mut VecDeque<T>) -> Result<(), SendError<T>> {
        while !messages.is_empty() {
            self.refresh(false);
            if let Some(target) = &self.target
                && target.when_full.is_none()
                && let Some(place) = &target.place
            {
                let before = messages.len();
                let moved = place.store.push_many(&place.node.in_hand, messages);
                self.count((before - messages.len()) as u64);
                if moved {
                    self.refresh(true);
                    continue;
                }
            }
            if let Some(message) = messages.pop_front() {
                self.send(message).await?;
            }
        }
        Ok(())
    }

    fn count(&self, messages: u64) {
        // This handle is the only one that writes it.
        let sent = self.node.sent.load(Ordering::Relaxed);
        self.node.sent.store(sent.wrapping_add(messages), Ordering::Relaxed);
    }

    #[inline]
    fn refresh(&mut self, by_force: bool) {
        let known = self
            .target
            .as_ref()
            .is_some_and(|target| target.generation == self.node.generation());
        if by_force || !known {
            self.target = Some(self.node.resolve());
        }
    }

    /// The usual case: the links are known, and there is room.
    #[inline]
    fn push_simply(&mut self, message: T) -> Result<(), T> {
        let Some(Target {
            place: Some(place),
            generation,
            ..
        }) = &self.target
        else {
            return Err(message);
        };
        if *generation != self.node.generation() {
            return Err(message);
        }
        let ends = (&message as &dyn Any)
            .downcast_ref::<Signal>()
            .is_some_and(Signal::is_end);
        place.store.push_simply(&place.node.in_hand, message)?;
        self.sent(ends);
        Ok(())
    }

    /// One try. `Err` if the links changed under way: then try again.
    #[inline]
    fn push(&mut self, message: T, patience: Option<Patience<'_>>) -> Result<Result<Delivery, SendError<T>>, T> {
        self.refresh(false);
        let ends = (&message as &dyn Any)
            .downcast_ref::<Signal>()
            .is_some_and(Signal::is_end);
        let Some(target) = &self.target else {
            return Err(message);
        };
        let Some(Place { node, store }) = &target.place else {
            self.node.discarded.fetch_add(1, Ordering::Relaxed);
            self.sent(ends);
            return Ok(Ok(Delivery::Discarded));
        };
        let delivery = match store.push(&node.in_hand, message, target.when_full, patience) {
            Push::Stored => Delivery::Delivered,
            Push::Dropped => Delivery::Dropped,
            Push::Closed => Delivery::Undeliverable,
            Push::Moved(message) => {
                self.refresh(true);
                return Err(message);
            }
            Push::Full {
                message,
                len,
                size,
                ticket,
            } => {
                let reason = Unsent::NoSpaceInBox { len, size };
                return Ok(Err(SendError::waiting(message, reason, ticket)));
            }
        };
        self.sent(ends);
        Ok(Ok(delivery))
    }

    #[inline]
    fn sent(&self, ends: bool) {
        self.count(1);
        if ends {
            self.node.said_end.store(true, Ordering::Relaxed);
        }
    }

    /// Whether it is linked to something.
    pub fn is_linked(&self) -> bool {
        self.node.is_linked()
    }

    /// Its name, once its component is known: `outbox`.
    pub fn name(&self) -> Cow<'static, str> {
        self.node.name()
    }

    /// Messages that it has sent.
    pub fn messages_sent(&self) -> u64 {
        self.node.sent.load(Ordering::Relaxed)
    }

    /// Messages that it sent while it was not linked.
    pub fn messages_discarded(&self) -> u64 {
        self.node.discarded.load(Ordering::Relaxed)
    }
}

impl<T: Send + 'static> Default for Outbox<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Send + 'static> Drop for Outbox<T> {
    fn drop(&mut self) {
        // A component's links go when it has said how it ended; others go now.
        if self.node.owner().is_none() {
            self.node.unlink();
        }
    }
}

impl<T: Send + 'static> fmt::Debug for Outbox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox")
            .field("box", &self.node.path())
            .field("linked", &self.is_linked())
            .field("sent", &self.messages_sent())
            .finish()
    }
}
