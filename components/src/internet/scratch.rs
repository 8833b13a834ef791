//! Reading into messages: an idle connection holds no buffer, and a small message keeps no large one.

use std::cell::Cell;
use std::io;
use std::pin::pin;
use std::task::{Context as Task, Poll};

use bytes::{BufMut, Bytes, BytesMut};
use net_core::Stream;
use tokio::io::AsyncReadExt;

/// Up to here a message is copied out of the buffer, which stays; a larger one is given the buffer.
const SMALL: usize = 4 * 1024;

thread_local! {
    static BUFFER: Cell<Option<BytesMut>> = const { Cell::new(None) };
}

/// Reads up to `most` bytes; none at the end.
pub(super) fn poll_read(stream: &mut Stream, most: usize, cx: &mut Task<'_>) -> Poll<io::Result<Bytes>> {
    // After the thread's end has begun there is none.
    let kept = BUFFER.try_with(Cell::take).ok().flatten();
    let mut buffer = kept
        .filter(|buffer| buffer.capacity() >= most)
        .unwrap_or_else(|| BytesMut::with_capacity(most));
    // Cancel safe: a future that is dropped has read nothing.
    let outcome = pin!(stream.read_buf(&mut (&mut buffer).limit(most))).poll(cx);
    let bytes = match &outcome {
        Poll::Ready(Ok(count)) if *count > SMALL => return Poll::Ready(Ok(buffer.freeze())),
        Poll::Ready(Ok(_)) => Bytes::copy_from_slice(&buffer),
        Poll::Ready(Err(_)) | Poll::Pending => Bytes::new(),
    };
    buffer.clear();
    // Nothing to be done about it but to drop the buffer.
    let _ = BUFFER.try_with(|kept| kept.set(Some(buffer)));
    outcome.map_ok(|_| bytes)
}
