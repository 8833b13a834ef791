//! Buffers that wait on the thread for the next busy connection, so that idle ones hold none.

use std::cell::RefCell;

use bytes::BytesMut;

use super::input::SMALLEST_CHUNK;

/// Most bytes that a thread keeps of each kind.
const KEPT: usize = 1 << 20;

#[derive(Default)]
struct Pool {
    read: Vec<BytesMut>,
    read_bytes: usize,
    write: Vec<Vec<u8>>,
    write_bytes: usize,
}

thread_local! {
    static POOL: RefCell<Pool> = RefCell::default();
}

/// An empty read buffer with room for at least that many bytes.
pub(super) fn take_read(room: usize) -> BytesMut {
    POOL.with_borrow_mut(|pool| {
        // The newest is the warmest in the cache, and nearly always large enough.
        let index = pool.read.iter().rposition(|buffer| buffer.capacity() >= room)?;
        let buffer = pool.read.swap_remove(index);
        pool.read_bytes -= buffer.capacity();
        Some(buffer)
    })
    .unwrap_or_else(|| BytesMut::with_capacity(room))
}

/// Takes an empty buffer back, unless its memory is still lent out as `Bytes`.
pub(super) fn give_read(mut buffer: BytesMut) {
    buffer.clear();
    if buffer.capacity() == 0 || !buffer.try_reclaim(SMALLEST_CHUNK) {
        return;
    }
    POOL.with_borrow_mut(|pool| {
        if pool.read_bytes + buffer.capacity() <= KEPT {
            pool.read_bytes += buffer.capacity();
            pool.read.push(buffer);
        }
    });
}

/// An empty write buffer.
pub(super) fn take_write() -> Vec<u8> {
    POOL.with_borrow_mut(|pool| {
        let buffer = pool.write.pop()?;
        pool.write_bytes -= buffer.capacity();
        Some(buffer)
    })
    .unwrap_or_default()
}

/// Takes a write buffer back.
pub(super) fn give_write(mut buffer: Vec<u8>) {
    buffer.clear();
    if buffer.capacity() == 0 {
        return;
    }
    POOL.with_borrow_mut(|pool| {
        if pool.write_bytes + buffer.capacity() <= KEPT {
            pool.write_bytes += buffer.capacity();
            pool.write.push(buffer);
        }
    });
}
