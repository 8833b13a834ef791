//! Where a component receives.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;

use super::Counts;
use super::node::{AnyNode, Direction, Node};
use super::store::Nothing;
use crate::lock::{inside, lock};
use crate::{BoxOptions, Signal, WhenFull};

/// Where a component receives messages of one type.
///
/// Any number of outboxes may be [linked](crate::link) to it. It holds [`DEFAULT_CAPACITY`](crate::DEFAULT_CAPACITY)
/// messages unless told otherwise; what the receiver has taken in a batch and not handed out yet counts too. Boxes of
/// [`Signal`]s have no limit.
///
/// Outside of components an inbox ends when the last outbox that was linked to it is gone; inside one, when its
/// component is told to end: [`recv`](Self::recv).
pub struct Inbox<T: Send + 'static> {
    pub(crate) node: Arc<Node<T>>,
    batch: Mutex<VecDeque<T>>,
    /// Where senders are woken while a batch is used up.
    half: usize,
    /// There was no place for messages yet, and whoever makes one wakes the component: see [`poll_alone`](Self::poll_alone).
    expecting: bool,
}

impl<T: Send + 'static> Inbox<T> {
    /// An inbox of [`DEFAULT_CAPACITY`](crate::DEFAULT_CAPACITY), whose senders wait for room.
    #[track_caller]
    pub fn new() -> Self {
        Self::with(BoxOptions::default())
    }

    /// An inbox that holds this many messages (0 counts as 1), whose senders wait for room.
    #[track_caller]
    pub fn with_capacity(messages: usize) -> Self {
        Self::with(BoxOptions::new().capacity(messages))
    }

    /// An inbox with options.
    #[track_caller]
    pub fn with(options: BoxOptions) -> Self {
        Self::on(Node::new(Direction::In, options, false))
    }

    pub(crate) fn on(node: Arc<Node<T>>) -> Self {
        Self {
            node,
            batch: Mutex::default(),
            half: 0,
            expecting: false,
        }
    }

    /// The next message. In a component, `None` when its work is done: at once after a
    /// [`ShutdownMicroprocess`](Signal::ShutdownMicroprocess), and after a
    /// [`ProducerFinished`](Signal::ProducerFinished) when everything has been handed out that was sent before it.
    ///
    /// A component that has a `control` box of its own decides itself when it ends: for it this waits for ever, and
    /// [`recv_or`](Self::recv_or) is the call to use.
    ///
    /// Cancel safe: a message is taken only by the poll that returns it.
    pub fn recv(&mut self) -> Recv<'_, T> {
        Recv { inbox: self }
    }

    /// The next message, or what came at a control box, in an order that loses nothing: a
    /// [`ProducerFinished`](Signal::ProducerFinished) is told when no message is left, everything else before the
    /// messages. Cancel safe.
    pub async fn recv_or(&mut self, control: &mut Inbox<Signal>) -> Received<T> {
        std::future::poll_fn(|cx| self.poll_recv_or(control, cx)).await
    }

    /// [`recv_or`](Self::recv_or) for hand-written futures.
    pub fn poll_recv_or(&mut self, control: &mut Inbox<Signal>, cx: &mut Context<'_>) -> Poll<Received<T>> {
        // The control box first: what was sent before its signals is in ours by then.
        let signal = control.poll_urgent(cx);
        if let Poll::Ready(signal) = signal {
            return Poll::Ready(Received::Control(signal));
        }
        match self.poll_recv(cx) {
            Poll::Ready(Some(message)) => Poll::Ready(Received::Message(message)),
            Poll::Ready(None) | Poll::Pending => match control.poll_recv(cx) {
                Poll::Ready(Some(signal)) => Poll::Ready(match self.try_recv() {
                    // It came while we looked elsewhere, and before the signal did.
                    Some(message) if signal.is_finished() => {
                        control.hand_back(signal);
                        Received::Message(message)
                    }
                    Some(message) => {
                        self.hand_back(message);
                        Received::Control(signal)
                    }
                    None => Received::Control(signal),
                }),
                Poll::Ready(None) => Poll::Ready(Received::Ended),
                Poll::Pending => Poll::Pending,
            },
        }
    }

    /// A message that is there now.
    pub fn try_recv(&mut self) -> Option<T> {
        if let Some(message) = self.pop() {
            return Some(message);
        }
        self.refill(None).ok()
    }

    /// All messages that are there, at least one, put at the end of `into`; how many. 0 where [`recv`](Self::recv)
    /// gives `None`. Faster than one by one, and cancel safe.
    pub async fn recv_all(&mut self, into: &mut VecDeque<T>) -> usize {
        std::future::poll_fn(|cx| self.poll_recv_all(into, cx)).await
    }

    fn poll_recv_all(&mut self, into: &mut VecDeque<T>, cx: &mut Context<'_>) -> Poll<usize> {
        let Some(first) = std::task::ready!(self.poll_recv(cx)) else {
            return Poll::Ready(0);
        };
        let batch = inside(&mut self.batch);
        let count = batch.len() + 1;
        if into.is_empty() {
            batch.push_front(first);
            std::mem::swap(batch, into);
        } else {
            into.push_back(first);
            into.append(batch);
        }
        // Nothing is in hand any more, and the box may be full again at once.
        self.node.hold(0);
        if let Some(owner) = self.node.owner() {
            owner.took(false);
        }
        self.node.settle();
        Poll::Ready(count)
    }

    /// [`recv`](Self::recv) for hand-written futures.
    #[inline]
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        if let Some(owner) = self.node.owner() {
            if owner.is_stopped() {
                return Poll::Ready(None);
            }
            if !owner.spend(cx) {
                return Poll::Pending;
            }
        }
        if let Some(message) = self.pop() {
            return Poll::Ready(Some(message));
        }
        match self.refill(Some(cx.waker())) {
            Ok(message) => Poll::Ready(Some(message)),
            Err(Nothing::Ever) => Poll::Ready(None),
            Err(Nothing::Yet) => Poll::Pending,
        }
    }

    /// Takes from what is in hand.
    #[inline]
    fn pop(&mut self) -> Option<T> {
        let batch = inside(&mut self.batch);
        let message = batch.pop_front()?;
        let left = batch.len();
        match self.node.owner() {
            Some(owner) => {
                self.node.hold(left);
                owner.took(left > 0);
                if left == self.half && left > 0 {
                    self.node.settle();
                }
            }
            None => self.hold_alone(left),
        }
        Some(message)
    }

    /// For a receiver without a component, whose waiting senders nobody else would wake.
    fn hold_alone(&self, left: usize) {
        self.node.in_hand.store(left, Ordering::SeqCst);
        if let Some(store) = self.node.store()
            && store.blocked() > 0
        {
            store.settle(&self.node.in_hand);
        }
    }

    /// A message, whatever state the component is in; always polled by its task. For boxes whose senders never wait.
    pub(crate) fn poll_alone(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let batch = inside(&mut self.batch);
        if let Some(message) = batch.pop_front() {
            self.node.hold(batch.len());
            return Poll::Ready(Some(message));
        }
        let store = match self.node.store() {
            // A component's task has one waker, and it is there.
            Some(store) if store.is_quiet() => return Poll::Pending,
            Some(store) => store,
            None => {
                self.expecting = self.expecting || self.node.is_unplaced();
                if self.expecting {
                    return Poll::Pending;
                }
                self.node.place()
            }
        };
        match store.take(&self.node.in_hand, batch, Some(cx.waker()), || false) {
            Ok(message) => Poll::Ready(Some(message)),
            Err(Nothing::Yet) => Poll::Pending,
            Err(Nothing::Ever) => Poll::Ready(None),
        }
    }

    /// Whether it is certain that nothing has come since its task, which alone polls it, found nothing here.
    #[inline]
    pub(crate) fn is_quiet(&mut self) -> bool {
        inside(&mut self.batch).is_empty() && self.node.store().is_some_and(|store| store.is_quiet())
    }

    /// As if it had not been taken.
    fn hand_back(&mut self, message: T) {
        let batch = inside(&mut self.batch);
        batch.push_front(message);
        self.node.hold(batch.len());
    }

    /// The first of those that wait; the others are in hand then.
    fn refill(&mut self, waker: Option<&Waker>) -> Result<T, Nothing> {
        let node = &self.node;
        let batch = inside(&mut self.batch);
        let store = node.place();
        let owner = node.owner();
        let message = store.take(&node.in_hand, batch, waker, || {
            owner.is_some_and(|owner| owner.is_finishing() || owner.is_stopped())
        })?;
        let left = batch.len();
        if left > 0 {
            self.half = store.half();
        }
        match owner {
            Some(owner) => owner.took(left > 0),
            None => self.hold_alone(left),
        }
        Ok(message)
    }

    /// Messages that wait here. An inbox that is linked onward has none: they are there.
    pub fn len(&self) -> usize {
        AnyNode::len(&*self.node)
    }

    /// Whether no message waits here.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many messages it holds at most; `None` for any number.
    pub fn capacity(&self) -> Option<usize> {
        self.node.options().capacity
    }

    /// What happens when it is full.
    pub fn when_full(&self) -> WhenFull {
        self.node.options().when_full
    }

    /// Changes size and policy. Messages that wait stay, even if they are more than the new size.
    pub fn set_options(&self, options: BoxOptions) {
        self.node.set_options(options);
    }

    /// What it has counted.
    pub fn counts(&self) -> Counts {
        AnyNode::counts(&*self.node)
    }

    /// Its name, once its component is known: `inbox`.
    pub fn name(&self) -> Cow<'static, str> {
        self.node.name()
    }

    /// Puts back what was taken in a batch, before messages are moved.
    pub(crate) fn put_back(&self) {
        let mut batch = lock(&self.batch);
        if !batch.is_empty() {
            self.node.place().put_back(&self.node.in_hand, &mut batch);
        }
    }
}

impl Inbox<Signal> {
    /// A signal that overtakes messages: anything but the end of a producer.
    fn poll_urgent(&mut self, cx: &mut Context<'_>) -> Poll<Signal> {
        let node = &self.node;
        let batch = inside(&mut self.batch);
        loop {
            if let Some(at) = batch.iter().position(|signal| !signal.is_finished())
                && let Some(signal) = batch.remove(at)
            {
                node.hold(batch.len());
                return Poll::Ready(signal);
            }
            let mut more = VecDeque::new();
            let first = node.place().take(&node.in_hand, &mut more, Some(cx.waker()), || false);
            let outcome = first.map(|first| {
                batch.push_back(first);
                batch.append(&mut more);
            });
            node.hold(batch.len());
            if outcome.is_err() {
                return Poll::Pending;
            }
        }
    }
}

impl<T: Send + 'static> Default for Inbox<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Send + 'static> Drop for Inbox<T> {
    fn drop(&mut self) {
        let batch = std::mem::take(inside(&mut self.batch));
        let lost = self.node.close(batch);
        if let Some(owner) = self.node.owner() {
            owner.left_behind(lost);
        }
    }
}

impl<T: Send + 'static> fmt::Debug for Inbox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox")
            .field("box", &self.node.path())
            .field("len", &self.len())
            .field("options", &self.node.options())
            .finish()
    }
}

/// The messages, as [`Inbox::recv`] gives them.
impl<T: Send + 'static> Stream for Inbox<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.poll_recv(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len(), None)
    }
}

impl<T: Send + 'static> Unpin for Inbox<T> {}

/// The future of [`Inbox::recv`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Recv<'a, T: Send + 'static> {
    inbox: &'a mut Inbox<T>,
}

impl<T: Send + 'static> Future for Recv<'_, T> {
    type Output = Option<T>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.inbox.poll_recv(cx)
    }
}

/// What [`Inbox::recv_or`] gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received<T> {
    /// A message.
    Message(T),
    /// A signal at the control box. After a [`ProducerFinished`](Signal::ProducerFinished) no message is left that was sent
    /// before it.
    Control(Signal),
    /// Neither box will get anything any more: their sources, outside of components, are gone.
    Ended,
}
