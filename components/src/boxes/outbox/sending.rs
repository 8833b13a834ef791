//! A message on its way into a box.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::{Delivery, Outbox};
use crate::boxes::node::{Node, Place, Target};
use crate::boxes::store::Patience;
use crate::error::{SendError, Unsent};

/// The future of [`Outbox::send`].
#[must_use = "futures do nothing unless awaited"]
pub struct Sending<'a, T: Send + 'static> {
    pub(super) outbox: &'a mut Outbox<T>,
    pub(super) message: Option<T>,
    /// Where it waits for room, and under which ticket.
    pub(super) waiting: Option<(Arc<Node<T>>, u64)>,
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

impl<'a, T: Send + 'static> Sending<'a, T> {
    pub(super) fn new(outbox: &'a mut Outbox<T>, message: T) -> Self {
        Self {
            outbox,
            message: Some(message),
            waiting: None,
        }
    }

    fn give_up_waiting(&mut self) {
        if let Some((node, ticket)) = self.waiting.take() {
            node.place().give_up(&node.in_hand, ticket);
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
        let (
            Some(ticket),
            Some(Target {
                place: Some(Place { node, .. }),
                ..
            }),
        ) = (ticket, &self.outbox.target)
        else {
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
            let here = this.outbox.target.as_ref().and_then(|target| target.place.as_ref());
            let ticket = match (&this.waiting, here) {
                (Some((node, ticket)), Some(here)) if Arc::ptr_eq(node, &here.node) => Some(*ticket),
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
