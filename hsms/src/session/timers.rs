//! The time limits of a session, and the moments that they end.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use net_core::Instant;

/// What waits for a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Timer {
    /// Reply: how long a reply may take. It ends the transaction, and the connection goes on.
    T3,
    /// Connect separation: how long to wait between two tries to connect. The first try is free.
    T5,
    /// Control transaction: how long Select, Deselect and Linktest may take. It ends the connection.
    T6,
    /// Not selected: how long a connection may go without being selected. It ends the connection.
    T7,
    /// Inter-byte: how long the next byte of a begun message may take. It ends the connection.
    T8,
    /// How long a selected connection may be silent before a Linktest asks whether the peer is there.
    Linktest,
    /// How long the side that connects waits before its Select.
    SelectDelay,
}

impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::T3 => "T3 (reply)",
            Self::T5 => "T5 (connect separation)",
            Self::T6 => "T6 (control transaction)",
            Self::T7 => "T7 (not selected)",
            Self::T8 => "T8 (inter-byte)",
            Self::Linktest => "the linktest interval",
            Self::SelectDelay => "the delay before Select",
        })
    }
}

/// How long each of the standard's timers runs.
///
/// ```
/// use std::time::Duration;
/// use hsms::Timers;
///
/// let timers = Timers::default().t3(Duration::from_secs(120));
/// assert_eq!(timers.t6, Duration::from_secs(5));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timers {
    /// [`Timer::T3`], reply. Default: 45 s.
    pub t3: Duration,
    /// [`Timer::T5`], connect separation. Default: 10 s.
    pub t5: Duration,
    /// [`Timer::T6`], control transaction. Default: 5 s.
    pub t6: Duration,
    /// [`Timer::T7`], not selected. Default: 10 s.
    pub t7: Duration,
    /// [`Timer::T8`], inter-byte. Default: 5 s.
    pub t8: Duration,
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            t3: Duration::from_secs(45),
            t5: Duration::from_secs(10),
            t6: Duration::from_secs(5),
            t7: Duration::from_secs(10),
            t8: Duration::from_secs(5),
        }
    }
}

impl Timers {
    /// Sets the reply time.
    #[must_use]
    pub fn t3(mut self, time: Duration) -> Self {
        self.t3 = time;
        self
    }

    /// Sets the connect separation time.
    #[must_use]
    pub fn t5(mut self, time: Duration) -> Self {
        self.t5 = time;
        self
    }

    /// Sets the control transaction time.
    #[must_use]
    pub fn t6(mut self, time: Duration) -> Self {
        self.t6 = time;
        self
    }

    /// Sets the not selected time.
    #[must_use]
    pub fn t7(mut self, time: Duration) -> Self {
        self.t7 = time;
        self
    }

    /// Sets the inter-byte time.
    #[must_use]
    pub fn t8(mut self, time: Duration) -> Self {
        self.t8 = time;
        self
    }
}

/// Room for so many is kept when there are none.
const KEPT: usize = 32;

/// The deadlines of open transactions, the earliest first.
///
/// Nearly all come in order and go in order; so a queue is quicker than a tree. One that is closed out of order stays
/// until it is first, or until there are more of such than of open ones.
#[derive(Debug, Default)]
pub(super) struct Deadlines(VecDeque<(Instant, u32)>);

impl Deadlines {
    /// Adds one, behind those of the same moment.
    #[inline]
    pub(super) fn insert(&mut self, at: Instant, system: u32) {
        let place = match self.0.back() {
            Some((last, _)) if *last > at => self.0.partition_point(|(other, _)| *other <= at),
            _ => self.0.len(),
        };
        self.0.insert(place, (at, system));
    }

    /// Drops those at the front that are not open any more, and all of them if they are many.
    #[inline]
    pub(super) fn tidy(&mut self, open: usize, is_open: impl Fn(Instant, u32) -> bool) {
        while let Some((at, system)) = self.0.front() {
            if is_open(*at, *system) {
                break;
            }
            super::pop(&mut self.0);
        }
        if self.0.len() > 2 * open + 32 {
            self.0.retain(|(at, system)| is_open(*at, *system));
        }
        if self.0.is_empty() && self.0.capacity() > KEPT {
            self.0.shrink_to(KEPT);
        }
    }

    /// The earliest.
    #[inline]
    pub(super) fn first(&self) -> Option<(Instant, u32)> {
        self.0.front().copied()
    }
}
