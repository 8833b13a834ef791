//! Bandwidth: how bytes wait for a line that carries only so many at a time.

use std::collections::VecDeque;
use std::time::Duration;

use net_core::Instant;

/// When the first packet of a burst has passed, and the last one. The first may be far ahead on the next line while the
/// others still pass this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Passage {
    pub(super) first: Instant,
    pub(super) last: Instant,
}

impl Passage {
    pub(super) fn at(now: Instant) -> Self {
        Self { first: now, last: now }
    }
}

/// How long so many bytes take.
fn time(bits: u64, bytes: usize) -> Duration {
    let nanos = (bytes as u128 * 8_000_000_000).div_ceil(u128::from(bits.max(1)));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// How many bytes that time is good for.
fn bytes(bits: u64, time: Duration) -> usize {
    usize::try_from(time.as_nanos() * u128::from(bits) / 8_000_000_000).unwrap_or(usize::MAX)
}

/// A line that bytes enter in the order in which they are sent.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// Until when it is used.
    busy: Instant,
}

impl Line {
    /// Bytes that find room in its queue now.
    pub(super) fn room(&self, bits: u64, queue: usize, packet: usize, now: Instant) -> usize {
        match bytes(bits, self.busy - now) {
            // Whatever the queue's size: one packet is on the wire itself.
            0 => queue.max(packet),
            queued => queue.saturating_sub(queued),
        }
    }

    /// When that many bytes will find room.
    pub(super) fn when_room(&self, bits: u64, queue: usize, bytes: usize, now: Instant) -> Instant {
        let may_wait = queue.saturating_sub(bytes);
        (self.busy - time(bits, may_wait)).max(now + Duration::from_nanos(1))
    }

    /// Lets a burst pass, behind what waits already.
    pub(super) fn pass(&mut self, bits: u64, burst: Passage, bytes: usize, packet: usize) -> Passage {
        let packet = time(bits, packet.min(bytes));
        let start = self.busy.max(burst.first);
        self.busy = (start + time(bits, bytes)).max(burst.last + packet);
        Passage {
            first: start + packet,
            last: self.busy,
        }
    }
}

/// Bytes that wait at a host's own lines, beside those of the paths.
const QUEUE: usize = 256 * 1024;

/// What a host can send, to all others together.
#[derive(Debug)]
pub(super) struct Uplink {
    bits: u64,
    line: Line,
}

impl Uplink {
    pub(super) fn new(bits: u64) -> Self {
        Self {
            bits: bits.max(1),
            line: Line::default(),
        }
    }

    pub(super) fn room(&self, packet: usize, now: Instant) -> usize {
        self.line.room(self.bits, QUEUE, packet, now)
    }

    pub(super) fn when_room(&self, bytes: usize, now: Instant) -> Instant {
        self.line.when_room(self.bits, QUEUE, bytes, now)
    }

    pub(super) fn pass(&mut self, burst: Passage, bytes: usize, packet: usize) -> Passage {
        self.line.pass(self.bits, burst, bytes, packet)
    }
}

/// What a host can receive, from all others together. Bursts are sent in another order than they arrive in: each takes
/// the first time that is free from its arrival on.
#[derive(Debug)]
pub(super) struct Downlink {
    bits: u64,
    /// When it is used, in order; those that touch are one.
    used: VecDeque<(Instant, Instant)>,
}

impl Downlink {
    pub(super) fn new(bits: u64) -> Self {
        Self {
            bits: bits.max(1),
            used: VecDeque::new(),
        }
    }

    /// Lets a burst pass, and tells whether its wait was within the queue; if it was not, it has used nothing.
    pub(super) fn pass(&mut self, now: Instant, burst: Passage, length: usize, packet: usize) -> (Passage, bool) {
        while self.used.front().is_some_and(|(_, end)| *end <= now) {
            self.used.pop_front();
        }
        let packet = time(self.bits, packet.min(length));
        let needed = time(self.bits, length);
        let (mut start, mut index) = (burst.first, 0);
        let end_from = |start: Instant| (start + needed).max(burst.last + packet);
        for (from, upto) in &self.used {
            if *from >= end_from(start) {
                break;
            }
            start = start.max(*upto);
            index += 1;
        }
        let end = end_from(start);
        let passage = Passage {
            first: start + packet,
            last: end,
        };
        let waits = bytes(self.bits, start - burst.first);
        self.used.insert(index, (start, end));
        for index in [index + 1, index] {
            if let (Some(before), Some(this)) = (index.checked_sub(1), self.used.get(index).copied())
                && let Some(one) = self.used.get_mut(before)
                && one.1 >= this.0
            {
                one.1 = one.1.max(this.1);
                self.used.remove(index);
            }
        }
        (passage, waits <= QUEUE)
    }
}
