//! Buffers that wait on the thread for the next busy connection, so that idle ones hold none.

use std::cell::RefCell;

use bytes::BytesMut;

use super::input::{LARGEST_CHUNK, SMALLEST_CHUNK};

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
    let pooled = POOL.try_with(|pool| {
        let pool = &mut *pool.borrow_mut();
        // The newest is the warmest in the cache, and nearly always large enough.
        let index = pool.read.iter().rposition(|buffer| buffer.capacity() >= room)?;
        let buffer = pool.read.swap_remove(index);
        pool.read_bytes -= buffer.capacity();
        Some(buffer)
    });
    pooled.ok().flatten().unwrap_or_else(|| BytesMut::with_capacity(room))
}

/// Takes an empty buffer of `size` bytes back, unless some of its memory is still lent out as `Bytes`, or it is one of
/// the few large ones. After the thread's end has begun there is no pool, and it is just dropped.
pub(super) fn give_read(mut buffer: BytesMut, size: usize) {
    buffer.clear();
    // What was split off must have come back too, or the pool would keep more than it counts.
    let whole = buffer.capacity() >= size;
    if !(SMALLEST_CHUNK..=2 * LARGEST_CHUNK).contains(&size) || !whole && !buffer.try_reclaim(size) {
        return;
    }
    let _ = POOL.try_with(|pool| {
        let pool = &mut *pool.borrow_mut();
        if pool.read_bytes + buffer.capacity() <= KEPT {
            pool.read_bytes += buffer.capacity();
            pool.read.push(buffer);
        }
    });
}

/// An empty write buffer.
pub(super) fn take_write() -> Vec<u8> {
    let pooled = POOL.try_with(|pool| {
        let pool = &mut *pool.borrow_mut();
        let buffer = pool.write.pop()?;
        pool.write_bytes -= buffer.capacity();
        Some(buffer)
    });
    pooled.ok().flatten().unwrap_or_default()
}

/// Takes a write buffer back.
pub(super) fn give_write(mut buffer: Vec<u8>) {
    buffer.clear();
    if buffer.capacity() == 0 {
        return;
    }
    let _ = POOL.try_with(|pool| {
        let pool = &mut *pool.borrow_mut();
        if pool.write_bytes + buffer.capacity() <= KEPT {
            pool.write_bytes += buffer.capacity();
            pool.write.push(buffer);
        }
    });
}
