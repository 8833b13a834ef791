//! From the socket to the outbox.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll, ready};

use bytes::Bytes;
use futures_sink::Sink;
use net_core::Operation;

use super::super::options::HalfClose;
use super::super::scratch;
use super::super::socket_end::HowDied;
use super::{Connection, Reading};
use crate::Signal;
use crate::boxes::AnyNode;
use crate::introspect::{fed_by, tell_stranded};

impl Connection {
    /// Delivers what is held and reads; whether anything moved.
    pub(super) fn poll_receive(&mut self, read: bool, cx: &mut Task<'_>) -> bool {
        let held = self.held > 0;
        if held && self.poll_deliver(cx).is_pending() {
            return false;
        }
        if self.reading != Reading::Open || !read || self.dry {
            return held;
        }
        match self.poll_read(cx) {
            Poll::Pending => {
                // In the explicit form it may be told in between.
                self.dry = self.explicit.is_none();
                held
            }
            Poll::Ready(Ok(bytes)) if bytes.is_empty() => {
                self.reading = Reading::Ended;
                self.how.get_or_insert(HowDied::PeerClosed);
                let name = Arc::clone(self.context.name());
                self.context.signal(Signal::finished_by(name));
                if !self.others_follow {
                    self.nothing_more_comes();
                }
                // Who waits for the peer's end has it now.
                if self.options.half_close == HalfClose::Close || self.deaf {
                    self.finish(HowDied::PeerClosed);
                }
                true
            }
            Poll::Ready(Ok(bytes)) => {
                let count = bytes.len();
                self.received += count as u64;
                let Err(bytes) = self.ports.outbox.send_simply(bytes) else {
                    return true;
                };
                self.held = count;
                // It was flushed before.
                if Pin::new(&mut self.ports.outbox).start_send(bytes).is_ok() {
                    let _ = self.poll_deliver(cx);
                }
                true
            }
            Poll::Ready(Err(error)) => {
                self.reading = Reading::Failed;
                self.broke(Operation::Read, error);
                true
            }
        }
    }

    /// Its outbox has sent its last message: who waits for more of them waits in vain.
    fn nothing_more_comes(&self) {
        let outbox = self.ports.outbox.node();
        let fed = fed_by(&[Arc::clone(outbox) as Arc<dyn AnyNode>]);
        outbox.spend();
        tell_stranded(&self.context.system().0, &fed, self.context.name());
    }

    fn poll_deliver(&mut self, cx: &mut Task<'_>) -> Poll<()> {
        let outcome = ready!(Pin::new(&mut self.ports.outbox).poll_flush(cx));
        if outcome.is_err() {
            // Refused by the box's policy.
            self.undelivered += self.held as u64;
        }
        self.held = 0;
        Poll::Ready(())
    }

    fn poll_read(&mut self, cx: &mut Task<'_>) -> Poll<io::Result<Bytes>> {
        let Some(stream) = &mut self.stream else {
            return Poll::Pending;
        };
        let chunk = self.options.chunk;
        match &mut self.explicit {
            None => scratch::poll_read(stream, chunk, cx),
            Some(explicit) => explicit.read(&self.ports, |cx| scratch::poll_read(stream, chunk, cx)),
        }
    }
}
