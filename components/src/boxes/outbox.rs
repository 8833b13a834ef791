//! Where a component sends.

use std::any::Any;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use futures_sink::Sink;

use super::node::{Direction, Node, Target};
use super::store::{Patience, Push};
use crate::error::{SendError, Unsent};
use crate::{BoxOptions, Signal};

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
    pub fn new() -> Self {
        Self::on(Node::new(Direction::Out, BoxOptions::default(), false))
    }

    /// An outbox that keeps what it is given while it is not linked, as its options say.
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
        Sending {
            outbox: self,
            message: Some(message),
            waiting: None,
        }
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
                && let Some(node) = &target.node
            {
                let before = messages.len();
                let moved = node.store.push_many(messages);
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
            node: Some(node),
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
        node.store.push_simply(message)?;
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
        let Some(node) = &target.node else {
            self.node.discarded.fetch_add(1, Ordering::Relaxed);
            self.sent(ends);
            return Ok(Ok(Delivery::Discarded));
        };
        let delivery = match node.store.push(message, target.when_full, patience) {
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

/// The future of [`Outbox::send`].
#[must_use = "futures do nothing unless awaited"]
pub struct Sending<'a, T: Send + 'static> {
    outbox: &'a mut Outbox<T>,
    message: Option<T>,
    /// Where it waits for room, and under which ticket.
    waiting: Option<(Arc<Node<T>>, u64)>,
}

impl<T: Send + 'static> fmt::Debug for Sending<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sending")
            .field("outbox", &self.outbox)
            .field("waits", &self.waiting.is_some())
            .finish()
    }
}

// The message is never pinned.
impl<T: Send + 'static> Unpin for Sending<'_, T> {}

impl<T: Send + 'static> Sending<'_, T> {
    fn give_up_waiting(&mut self) {
        if let Some((node, ticket)) = self.waiting.take() {
            node.store.give_up(ticket);
            self.waits_no_more();
        }
    }

    /// It no longer waits.
    fn waits_no_more(&self) {
        if let Some(owner) = self.outbox.node.owner() {
            owner.unblocked(self.outbox.node.number());
        }
    }

    /// Registered, so it waits.
    #[cold]
    fn wait(&mut self, ticket: Option<u64>) {
        let (Some(ticket), Some(Target { node: Some(node), .. })) = (ticket, &self.outbox.target) else {
            return;
        };
        let new = self.waiting.is_none();
        self.waiting = Some((Arc::clone(node), ticket));
        if new && let Some(owner) = self.outbox.node.owner() {
            owner.blocked_on(&self.outbox.node, node);
        }
    }
}

impl<T: Send + 'static> Future for Sending<'_, T> {
    type Output = Result<Delivery, SendError<T>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let Some(mut message) = this.message.take() else {
            return Poll::Pending;
        };
        if let Some(owner) = this.outbox.node.owner()
            && !owner.spend(cx)
        {
            this.message = Some(message);
            return Poll::Pending;
        }
        if this.waiting.is_none() {
            message = match this.outbox.push_simply(message) {
                Ok(()) => return Poll::Ready(Ok(Delivery::Delivered)),
                Err(message) => message,
            };
        }
        this.poll_slowly(message, cx)
    }
}

impl<T: Send + 'static> Sending<'_, T> {
    fn poll_slowly(&mut self, mut message: T, cx: &mut Context<'_>) -> Poll<Result<Delivery, SendError<T>>> {
        let this = self;
        loop {
            this.outbox.refresh(false);
            // A ticket counts at the box that gave it.
            let here = this.outbox.target.as_ref().and_then(|target| target.node.as_ref());
            let ticket = match (&this.waiting, here) {
                (Some((node, ticket)), Some(here)) if Arc::ptr_eq(node, here) => Some(*ticket),
                (Some(_), _) => {
                    this.give_up_waiting();
                    None
                }
                (None, _) => None,
            };
            let patience = Patience {
                waker: cx.waker(),
                ticket,
            };
            message = match this.outbox.push(message, Some(patience)) {
                Err(moved) => moved,
                Ok(Err(full)) if full.ticket().is_some() => {
                    let stopped = this.outbox.node.owner().is_some_and(|owner| owner.is_stopped());
                    this.wait(full.ticket());
                    let message = full.into_message();
                    // Looked at after it was registered, so that a stop that comes now wakes it.
                    if stopped {
                        this.give_up_waiting();
                        return Poll::Ready(Err(SendError::new(message, Unsent::Stopped)));
                    }
                    this.message = Some(message);
                    return Poll::Pending;
                }
                Ok(outcome) => {
                    // The box has taken the ticket back.
                    if this.waiting.take().is_some() {
                        this.waits_no_more();
                    }
                    return Poll::Ready(outcome);
                }
            };
        }
    }
}

impl<T: Send + 'static> Drop for Sending<'_, T> {
    fn drop(&mut self) {
        self.give_up_waiting();
    }
}

/// Sends as [`Outbox::send`] does: ready when there is room, flushed at once, closing does nothing.
impl<T: Send + 'static> Sink<T> for OutboxSink<T> {
    type Error = SendError<T>;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.get_mut().poll_drain(cx)
    }

    fn start_send(self: Pin<&mut Self>, message: T) -> Result<(), Self::Error> {
        let this = self.get_mut();
        if this.waiting.is_some() {
            return Err(SendError::new(message, Unsent::NotReady));
        }
        this.waiting = Some(message);
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.get_mut().poll_drain(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.get_mut().poll_drain(cx)
    }
}

/// An [`Outbox`] as a [`Sink`]: made by [`Outbox::into_sink`].
#[derive(Debug)]
pub struct OutboxSink<T: Send + 'static> {
    outbox: Outbox<T>,
    waiting: Option<T>,
    place: Option<(Arc<Node<T>>, u64)>,
}

impl<T: Send + 'static> Unpin for OutboxSink<T> {}

impl<T: Send + 'static> OutboxSink<T> {
    /// Sends what waits.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError<T>>> {
        let mut sending = Sending {
            outbox: &mut self.outbox,
            message: self.waiting.take(),
            waiting: self.place.take(),
        };
        if sending.message.is_none() {
            return Poll::Ready(Ok(()));
        }
        let outcome = Pin::new(&mut sending).poll(cx);
        // Its place in the order outlives this future.
        self.waiting = sending.message.take();
        self.place = sending.waiting.take();
        outcome.map_ok(|_| ())
    }
}

impl<T: Send + 'static> Drop for OutboxSink<T> {
    fn drop(&mut self) {
        if let Some((node, ticket)) = self.place.take() {
            node.store.give_up(ticket);
        }
    }
}

impl<T: Send + 'static> Outbox<T> {
    /// This outbox as a [`Sink`], for code that wants one.
    pub fn into_sink(self) -> OutboxSink<T> {
        OutboxSink {
            outbox: self,
            waiting: None,
            place: None,
        }
    }
}
