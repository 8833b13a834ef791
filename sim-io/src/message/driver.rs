//! The channel's task: reads packets, asks the machine what they mean, tells whoever waits.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use net_core::framing::LengthPrefix;
use net_core::{Error, ErrorKind, Framed, Operation};

use super::machine::Event;
use super::shared::{Outcome, Shared, State};
use super::{ChannelError, Fault};
use crate::codec::{Codec, CodecError, Id};

/// Up to this size a content is copied out of the read buffer, which then stays in use; a larger packet is split off.
const COPIED: usize = 4096;

type Connection = Framed<LengthPrefix>;

/// Ends the channel for all who wait, even if its task panics, or is dropped before or after it has begun.
pub(super) struct EndGuard<C>(pub(super) Arc<Shared<C>>);

impl<C> Drop for EndGuard<C> {
    fn drop(&mut self) {
        self.0.end(&ChannelError::Closed);
    }
}

/// Runs the channel until it is over, and closes the connection.
pub(super) async fn drive<C: Codec>(mut framed: Connection, guard: EndGuard<C>) {
    let shared = &*guard.0;
    let mut last = false;
    let reason = match net_core::catch_panic(poll_fn(|cx| poll(&mut framed, shared, &mut last, cx))).await {
        Ok(reason) => reason,
        Err(panic) => ChannelError::Net(panic.at(&shared.peer)),
    };
    shared.end(&reason);
    let linger = shared.options.linger;
    if let ChannelError::Protocol(error) = reason {
        // The connection's own events tell the cause too.
        let cause = Error::new(ErrorKind::BadFrame, Operation::Read).detail(error.to_string());
        if let Ok(Ok(mut stream)) = shared.net.timeout(linger, framed.into_stream()).await {
            stream.fault(&cause);
            // Those who wait have been told; that the peer goes its own way changes nothing.
            let _ = stream.close(linger).await;
        }
    } else {
        framed.close(linger).await;
    }
}

/// `last`: the peer has ended its side.
fn poll<C: Codec>(
    framed: &mut Connection,
    shared: &Shared<C>,
    last: &mut bool,
    cx: &mut Context<'_>,
) -> Poll<ChannelError> {
    shared.task.get_or_init(|| cx.waker().clone());
    loop {
        if shared.is_closing() {
            return Poll::Ready(shared.reason());
        }
        if *last {
            return poll_last(framed, shared, cx);
        }
        match ready!(pin!(framed.next()).poll(cx)) {
            Ok(Some((frame, _))) => {
                let outcome = if frame.len() <= COPIED {
                    received(shared, &frame, Bytes::copy_from_slice)
                } else {
                    let packet = frame.into_bytes();
                    received(shared, &packet, |content| packet.slice_ref(content))
                };
                if let Err(error) = outcome {
                    return Poll::Ready(ChannelError::Protocol(error));
                }
            }
            Ok(None) => {
                peer_ended(shared);
                *last = true;
            }
            Err(error) => return Poll::Ready(ChannelError::Net(error)),
        }
    }
}

/// The peer has ended its side. No reply can come any more, but those that it still waits for are sent.
fn poll_last<C: Codec>(framed: &mut Connection, shared: &Shared<C>, cx: &mut Context<'_>) -> Poll<ChannelError> {
    match pin!(framed.flush()).poll(cx) {
        Poll::Ready(Err(error)) => Poll::Ready(ChannelError::Net(error)),
        Poll::Ready(Ok(())) if shared.lock().machine.taken() == 0 => Poll::Ready(ChannelError::PeerClosed),
        _ => Poll::Pending,
    }
}

fn peer_ended<C: Codec>(shared: &Shared<C>) {
    let mut woken = Vec::new();
    {
        let State {
            machine,
            slots,
            receivers,
            no_more,
            ..
        } = &mut *shared.lock();
        *no_more = true;
        for slot in machine.end() {
            woken.extend(slots.settle(slot, Outcome::Ended(ChannelError::PeerClosed)));
        }
        woken.extend(receivers.all());
    }
    woken.into_iter().for_each(Waker::wake);
}

/// Deals with one packet; `own` takes its content out of the read buffer.
#[inline]
fn received<C: Codec>(shared: &Shared<C>, packet: &[u8], own: impl FnOnce(&[u8]) -> Bytes) -> Result<(), CodecError> {
    let woken = {
        let State {
            machine,
            slots,
            queue,
            receivers,
            ..
        } = &mut *shared.lock();
        match machine.receive(&shared.codec, packet)? {
            Event::Request { id, .. } if !shared.options.take_requests => {
                machine.answered();
                Err((id, Fault::message_only("this side takes no requests")))
            }
            Event::Request { id, content } => {
                queue.push_back((id, own(content)));
                Ok(receivers.first())
            }
            Event::Excess { id } => Err((id, too_many(shared.options.limit))),
            Event::Success { waiter, content } => Ok(slots.settle(waiter, Outcome::Success(own(content)))),
            Event::Failure { waiter, fault } => Ok(slots.settle(waiter, Outcome::Failure(fault))),
        }
    };
    match woken {
        Ok(woken) => woken.into_iter().for_each(Waker::wake),
        Err((id, fault)) => refuse(shared, &id, fault),
    }
    Ok(())
}

#[cold]
fn refuse<C: Codec>(shared: &Shared<C>, id: &Id, fault: Fault) {
    // What keeps it from being sent ends the channel, which is told there.
    let _ = shared.refuse(id, fault);
}

#[cold]
fn too_many(limit: usize) -> Fault {
    Fault::new(
        "MessageOverflowError",
        format!("{limit} requests are open, which is the limit: wait for replies before sending more"),
    )
}
