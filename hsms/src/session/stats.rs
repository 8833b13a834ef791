//! What a session has counted.

use std::fmt;

/// Counters of a session, over all its connections. Bytes are counted as they are on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionStats {
    /// Connections that were established.
    pub connections: u64,
    /// Messages received.
    pub messages_in: u64,
    /// Bytes of them, lengths included.
    pub bytes_in: u64,
    /// Messages sent.
    pub messages_out: u64,
    /// Bytes of them, lengths included.
    pub bytes_out: u64,
    /// Data transactions that we opened.
    pub requests: u64,
    /// Replies to them.
    pub replies: u64,
    /// Transactions without a reply in time (T3).
    pub timeouts: u64,
    /// Replies that came too late, or fitted no open transaction.
    pub unmatched: u64,
    /// Primary messages with the W-bit that nobody answered, and that were aborted for it.
    pub unanswered: u64,
    /// Data with another session id than ours.
    pub foreign: u64,
    /// Messages that we rejected.
    pub rejected: u64,
    /// Messages that the peer rejected.
    pub peer_rejected: u64,
    /// Linktests sent.
    pub linktests: u64,
    /// Linktests that traffic made needless.
    pub linktests_suppressed: u64,
    /// Linktests without an answer that traffic made up for.
    pub linktests_forgiven: u64,
    /// Linktests without an answer.
    pub linktests_failed: u64,
}

impl SessionStats {
    /// The bytes of a message besides its text.
    const HEAD: u64 = 14;

    #[inline]
    pub(super) fn received(&mut self, text: usize) {
        self.messages_in += 1;
        self.bytes_in += Self::HEAD + text as u64;
    }

    #[inline]
    pub(super) fn sent(&mut self, text: usize) {
        self.messages_out += 1;
        self.bytes_out += Self::HEAD + text as u64;
    }
}

impl fmt::Display for SessionStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} messages ({} B) in, {} ({} B) out, {} requests, {} replies, {} timeouts",
            self.messages_in,
            self.bytes_in,
            self.messages_out,
            self.bytes_out,
            self.requests,
            self.replies,
            self.timeouts
        )
    }
}
