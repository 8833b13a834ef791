//! Counters: one plain struct of numbers, kept as atomics inside.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a [`Net`](crate::Net) and its clones have counted since they began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Connections opened, by connecting or accepting.
    pub opened: u64,
    /// Connections closed; `opened - closed` are open now.
    pub closed: u64,
    /// Connections turned away by a limit.
    pub rejected: u64,
    /// Faults: errors on connections, frames that broke the framing or a limit.
    pub faults: u64,
    /// Times that accepting paused because the system was out of descriptors or memory.
    pub accept_pauses: u64,
    /// Bytes read, after TLS.
    pub bytes_in: u64,
    /// Bytes written, before TLS.
    pub bytes_out: u64,
    /// Frames decoded by [`Framed`](crate::Framed).
    pub frames_in: u64,
    /// Times that reading paused because the peer did not take what was written.
    pub read_pauses: u64,
}

impl Stats {
    /// Connections that are open now.
    pub fn open(&self) -> u64 {
        self.opened.saturating_sub(self.closed)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) opened: Counter,
    pub(crate) closed: Counter,
    pub(crate) rejected: Counter,
    pub(crate) faults: Counter,
    pub(crate) accept_pauses: Counter,
    pub(crate) bytes_in: Counter,
    pub(crate) bytes_out: Counter,
    pub(crate) frames_in: Counter,
    pub(crate) read_pauses: Counter,
}

impl Counters {
    pub(crate) fn snapshot(&self) -> Stats {
        // Closed first: a connection that opens and closes between the two reads must not make `open` negative.
        let closed = self.closed.get();
        Stats {
            opened: self.opened.get(),
            closed,
            rejected: self.rejected.get(),
            faults: self.faults.get(),
            accept_pauses: self.accept_pauses.get(),
            bytes_in: self.bytes_in.get(),
            bytes_out: self.bytes_out.get(),
            frames_in: self.frames_in.get(),
            read_pauses: self.read_pauses.get(),
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
