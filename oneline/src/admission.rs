//! What happens to a client that comes while another one is served.

/// How a server admits clients.
///
/// | | serves at once | one more client |
/// |---|---|---|
/// | [`Queue`](Self::Queue) | 1 | waits, unaccepted, until its turn |
/// | [`Reject`](Self::Reject) | 1 | gets a line and is closed |
/// | [`Takeover`](Self::Takeover) | 1 | is served; the one before is closed |
/// | [`Concurrent`](Self::Concurrent) | `max` | waits as in a queue |
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Admission {
    /// One client; others wait in the system's backlog, as with the original. The default, with room for 128.
    ///
    /// Such a client is connected, and gets no answer until its turn. What it sends meanwhile is run then, even if it
    /// has closed its connection long before; where that can harm, [`Reject`](Self::Reject) is the better choice. When
    /// the server stops, those that wait see their connection end.
    Queue {
        /// How many may wait; the system may let in one or two more. Beyond that, connecting takes as long as the
        /// client's time limit.
        max: u32,
    },
    /// One client; others get this line and are closed. Recommended: nobody waits without knowing why, and no command is
    /// run at a time when nobody expects it.
    Reject {
        /// The line, without its terminator. Must not be `pong`, which a client takes for admission.
        line: String,
    },
    /// The newcomer is served, and the client before is closed in order: its command under way may finish within the
    /// [grace time](crate::Server::takeover_grace), and what was answered is sent.
    Takeover,
    /// Several clients at once; beyond that they wait as in a queue.
    Concurrent {
        /// How many, at least 1.
        max: usize,
    },
}

impl Admission {
    /// How many may wait in a queue, unless set otherwise.
    pub const DEFAULT_QUEUE: u32 = 128;
    /// What a rejected client is told, unless set otherwise.
    pub const DEFAULT_LINE: &str = "error: busy, another client is connected";

    /// [`Queue`](Self::Queue) with the default length.
    pub fn queue() -> Self {
        Self::Queue {
            max: Self::DEFAULT_QUEUE,
        }
    }

    /// [`Reject`](Self::Reject) with the default line.
    pub fn reject() -> Self {
        Self::Reject {
            line: Self::DEFAULT_LINE.to_owned(),
        }
    }

    /// How many clients are served at once.
    pub(crate) fn places(&self) -> usize {
        match self {
            Self::Concurrent { max } => (*max).clamp(1, tokio::sync::Semaphore::MAX_PERMITS),
            _ => 1,
        }
    }
}

impl Default for Admission {
    fn default() -> Self {
        Self::queue()
    }
}
