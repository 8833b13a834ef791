//! The bounds of one framed connection.

use std::time::Duration;

/// Limits of a [`Framed`](super::Framed) connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FramedLimits {
    /// Gathered output, in bytes, above which reading pauses until it is written. Default: 64 KiB.
    ///
    /// `usize::MAX` for never. Where both ends send at will, and not only answers, both could pause and wait for each
    /// other; then [`max_output`](Self::max_output) is what bounds the senders.
    pub high_water: usize,
    /// Most gathered output, in bytes: beyond it pushing fails, and [`Sender::send`](super::Sender::send) waits.
    /// One frame may go over it. Default: 16 MiB.
    pub max_output: usize,
    /// How long the peer may take nothing of what is written. Default: 30 s.
    pub write_timeout: Duration,
    /// How long a frame may take from its first byte to its last. Default: 30 s; `None` for no limit.
    pub frame_timeout: Option<Duration>,
    /// How long the next byte of a begun frame may take. However large the frame, a slow but steady peer keeps it.
    /// Default: `None`.
    pub byte_timeout: Option<Duration>,
    /// How long the peer may send no frame. Default: `None`, for ever: many protocols are silent for hours, and
    /// keepalive or a link test of their own tell whether the peer still lives.
    pub idle_timeout: Option<Duration>,
}

impl Default for FramedLimits {
    fn default() -> Self {
        Self {
            high_water: 64 * 1024,
            max_output: 16 * 1024 * 1024,
            write_timeout: Duration::from_secs(30),
            frame_timeout: Some(Duration::from_secs(30)),
            byte_timeout: None,
            idle_timeout: None,
        }
    }
}

impl FramedLimits {
    /// The gathered output at which reading pauses.
    pub(super) fn pause_at(&self) -> usize {
        match self.high_water {
            usize::MAX => usize::MAX,
            // Above what may gather at all it would never be reached, and at zero nothing would ever be read.
            bytes => bytes.clamp(1, self.max_output.max(1)),
        }
    }

    /// Sets the high-water mark, in bytes.
    #[must_use]
    pub fn high_water(mut self, bytes: usize) -> Self {
        self.high_water = bytes.max(1);
        self
    }

    /// Sets the most gathered output, in bytes.
    #[must_use]
    pub fn max_output(mut self, bytes: usize) -> Self {
        self.max_output = bytes.max(1);
        self
    }

    /// Sets how long the peer may take nothing.
    #[must_use]
    pub fn write_timeout(mut self, limit: Duration) -> Self {
        self.write_timeout = limit;
        self
    }

    /// Sets how long a frame may take.
    #[must_use]
    pub fn frame_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.frame_timeout = limit.into();
        self
    }

    /// Sets how long the next byte of a begun frame may take.
    #[must_use]
    pub fn byte_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.byte_timeout = limit.into();
        self
    }

    /// Sets how long the peer may send no frame.
    #[must_use]
    pub fn idle_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.idle_timeout = limit.into();
        self
    }
}
