//! The reply to one of our requests, to be waited for.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use net_core::{BoxFuture, ErrorKind, Sleep};

use super::shared::{Holder, Outcome, Slot, Unsent};
use super::{RequestError, shared};
use crate::codec::{Codec, Decode, Encode, Id, Kind};

/// The reply to a request, as a future; made by [`Message::send`](super::Message::send). The request is on its way
/// already. Dropping it gives the waiting up: the peer still counts the request as open until it answers.
#[must_use = "the reply, and whatever went wrong, is heard by awaiting it"]
pub struct Reply<C: Codec, R> {
    channel: Holder<C>,
    progress: Progress,
    limit: Option<Duration>,
    timer: Option<Sleep>,
    reply: PhantomData<fn() -> R>,
}

enum Progress {
    /// There was no room for the request; it waits for that first.
    Blocked(BoxFuture<'static, net_core::Result<()>>, u64, u32),
    /// In this slot.
    Waiting(u32),
    /// It could not be sent, or is over.
    Over(Option<RequestError>),
}

impl<C: Codec, R> Reply<C, R> {
    /// Sends a request.
    pub(super) fn send<T: ?Sized>(channel: Holder<C>, content: &T) -> Self
    where
        C: Encode<T>,
    {
        let progress = Self::begin(&channel, content);
        Self {
            limit: channel.options.timeout,
            channel,
            progress,
            timer: None,
            reply: PhantomData,
        }
    }

    /// A request that fails before it is sent.
    #[cfg(feature = "rpc")]
    pub(super) fn refused(channel: Holder<C>, error: RequestError) -> Self {
        Self {
            limit: None,
            channel,
            progress: Progress::Over(Some(error)),
            timer: None,
            reply: PhantomData,
        }
    }

    /// The channel of the request.
    #[cfg(feature = "rpc")]
    pub(crate) fn message(&self) -> super::Message<C> {
        super::Message {
            channel: self.channel.clone(),
        }
    }

    fn begin<T: ?Sized>(channel: &Holder<C>, content: &T) -> Progress
    where
        C: Encode<T>,
    {
        let (id, slot) = {
            let shared::State {
                machine,
                slots,
                ended,
                no_more,
                ..
            } = &mut *channel.lock();
            if let Some(reason) = ended {
                return Progress::Over(Some(RequestError::Channel(reason.clone())));
            }
            if *no_more {
                return Progress::Over(Some(super::ChannelError::PeerClosed.into()));
            }
            let slot = slots.add();
            match machine.ask(slot) {
                Ok(id) => (id, slot),
                Err(slot) => {
                    slots.release(slot);
                    let limit = channel.options.limit;
                    return Progress::Over(Some(RequestError::TooMany { limit }));
                }
            }
        };
        let unsent = UnsentRequest { channel, id, slot };
        let error = match channel.post(Kind::Request, &Id::Number(id), content) {
            Ok(None) => {
                std::mem::forget(unsent);
                return Progress::Waiting(slot);
            }
            Ok(Some(packet)) => {
                std::mem::forget(unsent);
                let sender = channel.sender.clone();
                return Progress::Blocked(Box::pin(async move { sender.send(&packet).await }), id, slot);
            }
            Err(Unsent::Codec(error)) => RequestError::Codec(error),
            Err(Unsent::Net(error)) if error.kind() == ErrorKind::FrameTooLong => RequestError::TooLarge(error),
            // The channel's end, which tells the reason.
            Err(Unsent::Net(_)) => {
                std::mem::forget(unsent);
                return Progress::Waiting(slot);
            }
        };
        Progress::Over(Some(error))
    }

    /// Waits for at most so long, from when it is first awaited.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    fn poll_slot(&mut self, cx: &mut Context<'_>) -> Poll<Result<Outcome, RequestError>> {
        if let Progress::Blocked(sending, id, slot) = &mut self.progress {
            let (id, slot) = (*id, *slot);
            let sent = match sending.as_mut().poll(cx) {
                Poll::Ready(sent) => sent,
                Poll::Pending => return self.poll_timer(cx),
            };
            self.progress = Progress::Waiting(slot);
            if let Err(error) = sent
                && error.kind() == ErrorKind::FrameTooLong
            {
                withdraw(&self.channel, id, slot);
                self.progress = Progress::Over(None);
                return Poll::Ready(Err(RequestError::TooLarge(error)));
            }
        }
        match &mut self.progress {
            Progress::Waiting(slot) => {
                let slot = *slot;
                let mut state = self.channel.lock();
                if let Slot::Waiting(waker) = state.slots.get(slot) {
                    match waker {
                        Some(waker) => waker.clone_from(cx.waker()),
                        None => *waker = Some(cx.waker().clone()),
                    }
                    drop(state);
                    return self.poll_timer(cx);
                }
                let settled = state.slots.release(slot);
                drop(state);
                self.progress = Progress::Over(None);
                match settled {
                    Slot::Done(outcome) => Poll::Ready(Ok(outcome)),
                    _ => Poll::Ready(Err(RequestError::Channel(self.channel.reason()))),
                }
            }
            Progress::Over(error) => match error.take() {
                Some(error) => Poll::Ready(Err(error)),
                // Polled again after its end, which no `await` does.
                None => Poll::Pending,
            },
            Progress::Blocked(..) => Poll::Pending,
        }
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<Result<Outcome, RequestError>> {
        let Some(limit) = self.limit else {
            return Poll::Pending;
        };
        let timer = self.timer.get_or_insert_with(|| self.channel.net.sleep(limit));
        ready!(Pin::new(timer).poll(cx));
        self.give_up();
        Poll::Ready(Err(RequestError::Timeout(limit)))
    }

    fn give_up(&mut self) {
        match std::mem::replace(&mut self.progress, Progress::Over(None)) {
            Progress::Waiting(slot) => {
                let mut state = self.channel.lock();
                let left = match std::mem::replace(state.slots.get(slot), Slot::Abandoned) {
                    waiting @ Slot::Waiting(_) => waiting,
                    _ => state.slots.release(slot),
                };
                drop(state);
                // Outside the lock: a waker may own anything.
                drop(left);
            }
            // It was never sent.
            Progress::Blocked(sending, id, slot) => {
                drop(sending);
                withdraw(&self.channel, id, slot);
            }
            Progress::Over(_) => {}
        }
    }
}

/// A request that is not sent yet. Dropping it takes it back, also when writing its content panics.
struct UnsentRequest<'a, C: Codec> {
    channel: &'a Holder<C>,
    id: u64,
    slot: u32,
}

impl<C: Codec> Drop for UnsentRequest<'_, C> {
    fn drop(&mut self) {
        withdraw(self.channel, self.id, self.slot);
    }
}

/// Takes back a request that was not sent.
fn withdraw<C: Codec>(channel: &Holder<C>, id: u64, slot: u32) {
    let mut state = channel.lock();
    state.machine.withdraw(id);
    let left = state.slots.release(slot);
    drop(state);
    drop(left);
}

impl<C: Decode<R>, R> Future for Reply<C, R> {
    type Output = Result<R, RequestError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let outcome = ready!(this.poll_slot(cx))?;
        Poll::Ready(match outcome {
            Outcome::Success(content) => this.channel.codec.decode(&content).map_err(RequestError::Codec),
            Outcome::Failure(fault) => Err(RequestError::Remote(fault)),
            Outcome::Ended(reason) => Err(RequestError::Channel(reason)),
        })
    }
}

impl<C: Codec, R> Drop for Reply<C, R> {
    fn drop(&mut self) {
        self.give_up();
    }
}

impl<C: Codec, R> fmt::Debug for Reply<C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("peer", &self.channel.peer)
            .field("over", &matches!(self.progress, Progress::Over(_)))
            .finish_non_exhaustive()
    }
}
