//! An outbox for code that wants a sink.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_sink::Sink;

use super::{Outbox, Sending};
use crate::boxes::node::Node;
use crate::error::{SendError, Unsent};

/// An [`Outbox`] as a [`Sink`]: made by [`Outbox::into_sink`].
#[derive(Debug)]
pub struct OutboxSink<T: Send + 'static> {
    outbox: Outbox<T>,
    waiting: Option<T>,
    place: Option<(Arc<Node<T>>, u64)>,
}

impl<T: Send + 'static> Unpin for OutboxSink<T> {}

impl<T: Send + 'static> OutboxSink<T> {
    /// Where it sends from.
    pub(crate) fn node(&self) -> &Arc<Node<T>> {
        &self.outbox.node
    }

    /// Drops what waits.
    pub(crate) fn forget(&mut self) {
        self.waiting = None;
        if let Some((node, ticket)) = self.place.take() {
            node.place().give_up(&node.in_hand, ticket);
            if let Some(owner) = self.outbox.node.owner() {
                owner.unblocked(self.outbox.node.number());
            }
        }
    }

    /// Sends a message at once where that is as simple as it mostly is: nothing waits, and there is room. Gives it back if
    /// not.
    #[inline]
    pub(crate) fn send_simply(&mut self, message: T) -> Result<(), T> {
        match self.waiting {
            None => self.outbox.push_simply(message),
            Some(_) => Err(message),
        }
    }

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
        self.forget();
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
