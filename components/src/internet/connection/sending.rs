//! From the inbox to the socket.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context as Task, Poll};

use bytes::{Buf, Bytes};
use net_core::{Operation, Stream};
use tokio::io::AsyncWrite;

use super::super::explicit::Explicit;
use super::{Connection, Ports, Writing};

/// The most messages, and about the most bytes, that are written at once.
const GATHERED: usize = 32;
const GATHERED_BYTES: usize = 256 * 1024;

impl Connection {
    /// Takes from the inbox.
    fn take(&mut self, cx: &mut Task<'_>) {
        let mut bytes = 0;
        while self.out.len() < GATHERED && bytes < GATHERED_BYTES {
            if self.finishing.is_none() && self.ports.inbox.is_quiet() {
                break;
            }
            let message = match &mut self.finishing {
                Some(0) => break,
                Some(left) => match self.ports.inbox.try_recv() {
                    Some(message) => {
                        *left -= 1;
                        message
                    }
                    None => {
                        *left = 0;
                        break;
                    }
                },
                None => match self.ports.inbox.poll_recv(cx) {
                    Poll::Ready(Some(message)) => message,
                    Poll::Ready(None) | Poll::Pending => break,
                },
            };
            if !message.is_empty() {
                bytes += message.len();
                self.out.push_back(message);
            }
        }
    }

    /// Writes what there is; whether anything moved.
    pub(super) fn poll_send(&mut self, take: bool, cx: &mut Task<'_>) -> bool {
        let mut moved = false;
        loop {
            match self.writing {
                Writing::Open => {}
                Writing::Closing => match self.write_with(cx, |stream, cx| stream.poll_shutdown(cx)) {
                    Poll::Ready(Ok(())) => {
                        self.writing = Writing::Closed;
                        return true;
                    }
                    Poll::Ready(Err(error)) => {
                        self.write_failed(error);
                        return true;
                    }
                    Poll::Pending => return moved,
                },
                Writing::Closed => return moved,
                Writing::Failed => {
                    // So that nobody waits for room here.
                    while let Poll::Ready(Some(bytes)) = self.ports.inbox.poll_recv(cx) {
                        self.unsent += bytes.len() as u64;
                    }
                    return moved;
                }
            }
            if self.out.is_empty() {
                if take {
                    self.take(cx);
                }
                if self.out.is_empty() {
                    if self.dirty {
                        match self.write_with(cx, |stream, cx| stream.poll_flush(cx)) {
                            Poll::Ready(Ok(())) => self.dirty = false,
                            Poll::Ready(Err(error)) => self.write_failed(error),
                            Poll::Pending => return moved,
                        }
                        continue;
                    }
                    if take && self.finishing == Some(0) {
                        self.writing = Writing::Closing;
                        continue;
                    }
                    if self.out.capacity() > 4 {
                        // An idle connection holds as little as it can.
                        self.out = VecDeque::new();
                    }
                    return moved;
                }
            }
            match self.poll_write(cx) {
                Poll::Ready(Ok(0)) => self.write_failed(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(count)) => {
                    self.wrote(count);
                    moved = true;
                }
                Poll::Ready(Err(error)) => self.write_failed(error),
                Poll::Pending => return moved,
            }
        }
    }

    fn write_failed(&mut self, error: io::Error) {
        self.writing = Writing::Failed;
        self.unsent += self.out.drain(..).map(|bytes| bytes.len() as u64).sum::<u64>();
        self.broke(Operation::Write, error);
    }

    fn poll_write(&mut self, cx: &mut Task<'_>) -> Poll<io::Result<usize>> {
        let Self {
            stream: Some(stream),
            explicit,
            ports,
            out,
            ..
        } = self
        else {
            return Poll::Pending;
        };
        write_with(stream, explicit, ports, cx, |stream, cx| match out.front() {
            Some(only) if out.len() == 1 => stream.poll_write(cx, only),
            _ => write_gathered(stream, cx, out),
        })
    }

    fn wrote(&mut self, count: usize) {
        self.dirty = true;
        self.sent += count as u64;
        let mut left = count;
        while let Some(first) = self.out.front_mut() {
            if left < first.len() {
                first.advance(left);
                return;
            }
            left -= first.len();
            self.out.pop_front();
        }
    }

    /// Has the socket do something for the writing side.
    fn write_with<T>(
        &mut self,
        cx: &mut Task<'_>,
        work: impl FnOnce(Pin<&mut Stream>, &mut Task<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match &mut self.stream {
            Some(stream) => write_with(stream, &mut self.explicit, &self.ports, cx, work),
            None => Poll::Pending,
        }
    }
}

/// Has the socket do something for the writing side, with the waker of whoever watches it.
fn write_with<T>(
    stream: &mut Stream,
    explicit: &mut Option<Box<Explicit>>,
    ports: &Ports,
    cx: &mut Task<'_>,
    work: impl FnOnce(Pin<&mut Stream>, &mut Task<'_>) -> Poll<io::Result<T>>,
) -> Poll<io::Result<T>> {
    match explicit {
        None => work(Pin::new(stream), cx),
        Some(explicit) => explicit.write(ports, |cx| work(Pin::new(stream), cx)),
    }
}

fn write_gathered(stream: Pin<&mut Stream>, cx: &mut Task<'_>, out: &VecDeque<Bytes>) -> Poll<io::Result<usize>> {
    let mut slices = [IoSlice::new(&[]); GATHERED];
    for (slice, bytes) in slices.iter_mut().zip(out) {
        *slice = IoSlice::new(bytes);
    }
    let count = out.len().min(GATHERED);
    stream.poll_write_vectored(cx, slices.get(..count).unwrap_or(&[]))
}
