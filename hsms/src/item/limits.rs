//! How large an item from outside may be.

/// What a decoder accepts.
///
/// The memory that decoding takes does not depend on what the bytes announce: a list's count is checked against the
/// bytes that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How many lists may lie inside each other. Default: 64.
    pub depth: u8,
    /// How many items there may be in all, lists included. Default: 1 048 576.
    pub items: u32,
    /// How many bytes there may be. Default: 4 294 967 285, the most that fits a frame; the frame's own limit is what
    /// keeps memory small.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 64,
            items: 1 << 20,
            bytes: (u32::MAX - 10) as usize,
        }
    }
}

impl Limits {
    /// No limit but those of the format itself, and a depth of 255.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            depth: u8::MAX,
            items: u32::MAX,
            bytes: usize::MAX,
        }
    }

    /// Sets how many lists may lie inside each other.
    #[must_use]
    pub const fn depth(mut self, lists: u8) -> Self {
        self.depth = lists;
        self
    }

    /// Sets how many items there may be in all.
    #[must_use]
    pub const fn items(mut self, items: u32) -> Self {
        self.items = items;
        self
    }

    /// Sets how many bytes there may be.
    #[must_use]
    pub const fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }
}
