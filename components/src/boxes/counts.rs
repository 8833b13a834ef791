//! What a box counts.

#[cfg(doc)]
use crate::WhenFull;

/// What a box has counted since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Messages that were put in.
    pub received: u64,
    /// Messages that were taken out by the component.
    pub taken: u64,
    /// The most messages that it held at once.
    pub high_water: usize,
    /// Times that a sender had to wait for room.
    pub blocked: u64,
    /// Messages given back to their senders: [`WhenFull::Refuse`], and `try_send`.
    pub refused: u64,
    /// Messages dropped because the box was full.
    pub dropped: u64,
    /// Messages that came when the component had ended, or that it left behind.
    pub undeliverable: u64,
}
