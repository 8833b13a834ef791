//! The reading side: one buffer with a cursor, chunks that grow while reads fill them.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::AsyncReadExt;

use super::Frame;
use super::buffers;
use crate::framing::{Decoded, FrameFault, Framing, Located};
use crate::net::Core;
use crate::{Result, Stream};

/// The first read of a connection, and the least.
pub(super) const SMALLEST_CHUNK: usize = 8 * 1024;
/// The largest single read: beyond this, bulk transfer gains nothing.
pub(super) const LARGEST_CHUNK: usize = 256 * 1024;

#[repr(C)]
pub(super) struct Input<F: Framing> {
    buffer: Buffer,
    /// The last read left room: mostly there was no more.
    drained: bool,
    pub(super) framing: F,
    state: F::State,
    /// How much the next read asks for.
    chunk: usize,
    /// How many bytes the unfinished frame is known to need.
    needed: usize,
    pub(super) frames: u64,
    /// Frames that the network's counters know of.
    counted: u64,
    /// Bytes read since the output was last written.
    pub(super) unflushed: usize,
    core: Arc<Core>,
}

/// What was read: everything before `head` is used up, the frame that is lent included.
///
/// Where that frame lies is kept here and not handed from function to function: a frame is then one pointer, which stays
/// in a register, and that is worth more than half the cost of a short frame.
#[derive(Default)]
pub(super) struct Buffer {
    bytes: BytesMut,
    /// How much it holds in all, what is split off included.
    size: usize,
    head: usize,
    start: usize,
    end: usize,
    fault: Option<FrameFault>,
}

impl Buffer {
    /// The frame that was found last.
    #[inline(always)]
    pub(super) fn frame(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    #[inline(always)]
    pub(super) fn fault(&self) -> Option<FrameFault> {
        self.fault
    }

    /// Splits the frame off.
    ///
    /// What lies before it goes with it: moving the buffer's own front twice would stall on its own stores.
    #[inline]
    pub(super) fn split(&mut self) -> Bytes {
        self.head -= self.end;
        let mut frame = self.bytes.split_to(self.end).freeze();
        frame.advance(self.start);
        (self.start, self.end) = (0, 0);
        frame
    }

    #[inline]
    fn unread(&self) -> &[u8] {
        &self.bytes[self.head..]
    }

    /// Makes room for `chunk` more bytes behind the unread ones, or for what is `missing` of a frame, if it has to move them:
    /// to the front, at most once per read.
    fn reserve(&mut self, chunk: usize, missing: usize) {
        if self.head == self.bytes.len() {
            self.bytes.clear();
            self.head = 0;
            // What was split off may have come back. Now nothing would have to be moved for it.
            if self.bytes.capacity() < self.size {
                let _ = self.bytes.try_reclaim(self.size);
            }
        }
        if self.bytes.capacity() == 0 {
            self.bytes = buffers::take_read(chunk);
            self.size = self.bytes.capacity();
        }
        // Half a chunk of room is worth a read; moving bytes for less than that would not be.
        if self.bytes.capacity() - self.bytes.len() < chunk / 2 {
            self.bytes.advance(self.head);
            self.head = 0;
            self.bytes.reserve(chunk.max(missing));
            self.size = self.bytes.capacity();
        }
    }

    /// Gives the memory back; nothing must be unread.
    fn release(&mut self) {
        buffers::give_read(std::mem::take(&mut self.bytes), self.size);
        *self = Self::default();
    }
}

impl<F: Framing> Input<F> {
    pub(super) fn new(framing: F, core: &Arc<Core>) -> Self {
        Self {
            core: Arc::clone(core),
            counted: 0,
            framing,
            state: F::State::default(),
            buffer: Buffer::default(),
            chunk: SMALLEST_CHUNK,
            drained: false,
            needed: 0,
            frames: 0,
            unflushed: 0,
        }
    }

    pub(super) fn unread(&self) -> &[u8] {
        self.buffer.unread()
    }

    pub(super) fn at_boundary(&self) -> bool {
        self.framing.at_boundary(&self.state, self.buffer.unread())
    }

    /// Forgets what the framing remembers.
    #[cfg(feature = "tls")]
    pub(super) fn forget(&mut self) {
        self.state = F::State::default();
    }

    #[inline(always)]
    pub(super) fn decode(&mut self) -> Result<Decoded> {
        let decoded = self.framing.decode(&mut self.state, self.buffer.unread());
        if let Ok(Decoded::More(needed)) = decoded {
            self.needed = needed;
        }
        decoded
    }

    #[inline(always)]
    pub(super) fn consume(&mut self, located: &Located) {
        let start = self.buffer.head;
        self.buffer.head += located.consumed;
        self.buffer.start = start + located.content.start;
        self.buffer.end = start + located.content.end;
        self.buffer.fault = None;
        self.frames += 1;
    }

    #[cold]
    pub(super) fn consume_fault(&mut self, fault: FrameFault, consumed: usize) {
        self.buffer.head += consumed;
        (self.buffer.start, self.buffer.end) = (self.buffer.head, self.buffer.head);
        self.buffer.fault = Some(fault);
        self.frames += 1;
    }

    pub(super) fn discard(&mut self, n: usize) {
        self.buffer.head += n;
    }

    #[inline(always)]
    pub(super) fn lend(&mut self) -> (Frame<'_>, &F) {
        (
            Frame {
                buffer: &mut self.buffer,
            },
            &self.framing,
        )
    }

    /// Counts frames a batch at a time.
    fn count(&mut self) {
        if self.frames == self.counted {
            return;
        }
        self.core.counters().frames_in.add(self.frames - self.counted);
        self.counted = self.frames;
    }

    /// Reads once; 0 at the end. While nothing comes and nothing is unread, no buffer is held.
    pub(super) fn poll_read(&mut self, stream: &mut Stream, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.count();
        let unread = self.buffer.unread().len();
        if self.drained && unread == 0 {
            self.drained = false;
            if stream.poll_readable(cx).is_pending() {
                self.buffer.release();
                return Poll::Pending;
            }
        }
        // For a large frame room grows with what has really come, never by the peer's claim alone: to four times that, since
        // each growth copies it.
        let missing = self.needed.saturating_sub(unread).min(3 * unread);
        self.buffer.reserve(self.chunk, missing);
        let room = self.buffer.bytes.capacity() - self.buffer.bytes.len();
        let read = {
            let mut stream = Pin::new(stream);
            pin!(stream.read_buf(&mut self.buffer.bytes)).poll(cx)
        };
        if read.is_pending() && self.buffer.unread().is_empty() {
            self.buffer.release();
        }
        let n = ready!(read)?;
        self.unflushed += n;
        self.drained = n < room;
        if n == room {
            self.chunk = (self.chunk * 2).min(LARGEST_CHUNK);
        } else if n < self.chunk / 8 {
            self.chunk = (self.chunk / 2).max(SMALLEST_CHUNK);
        }
        Poll::Ready(Ok(n))
    }

    /// What was read and not used.
    pub(super) fn into_unread(mut self) -> Bytes {
        let mut bytes = std::mem::take(&mut self.buffer.bytes);
        bytes.advance(self.buffer.head);
        bytes.freeze()
    }

    #[cfg(all(test, feature = "os"))]
    pub(super) fn holds_buffer(&self) -> bool {
        self.buffer.bytes.capacity() > 0
    }
}

impl<F: Framing> Drop for Input<F> {
    fn drop(&mut self) {
        self.count();
        self.buffer.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A buffer that has read this, with all of it as the frame.
    fn filled(content: &[u8]) -> Buffer {
        let mut buffer = Buffer::default();
        buffer.reserve(SMALLEST_CHUNK, 0);
        read(&mut buffer, content);
        buffer
    }

    fn read(buffer: &mut Buffer, content: &[u8]) {
        buffer.start = buffer.bytes.len();
        buffer.bytes.extend_from_slice(content);
        buffer.end = buffer.bytes.len();
        buffer.head = buffer.end;
    }

    #[test]
    fn the_room_of_a_frame_that_came_back_is_used_again_from_its_beginning() {
        let mut buffer = filled(b"split off");
        let (at, room) = (buffer.bytes.as_ptr(), buffer.bytes.capacity());
        drop(buffer.split());
        assert!(buffer.bytes.capacity() < room);
        buffer.reserve(SMALLEST_CHUNK, 0);
        assert_eq!((buffer.bytes.as_ptr(), buffer.bytes.capacity()), (at, room));
    }

    #[test]
    fn a_frame_that_somebody_keeps_is_left_alone() {
        let mut buffer = filled(b"kept");
        let frame = buffer.split();
        buffer.reserve(SMALLEST_CHUNK, 0);
        read(&mut buffer, b"next");
        assert_eq!((&*frame, buffer.frame()), (&b"kept"[..], &b"next"[..]));
    }
}
