//! What a session is told beforehand.

use std::time::Duration;

use super::Timers;
use crate::Header;

/// Settings of a session. The defaults are the standard's, for a device with the id 0.
///
/// ```
/// use std::time::Duration;
/// use hsms::{SessionOptions, Timers};
///
/// let options = SessionOptions::new(7)
///     .timers(Timers::default().t3(Duration::from_secs(60)))
///     .linktest(None);
/// assert_eq!(options.session_id, 7);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionOptions {
    /// The session id of data messages: in HSMS-SS the device id, 0 to 32 767. Default: 0.
    pub session_id: u16,
    /// Whether data of another session id are refused: equipment answers S9F1, a host aborts the transaction. Default:
    /// true. HSMS-GS takes data for selected entities only, whatever this says.
    pub check_session_id: bool,
    /// On which side of the factory this end is. Default: `None`, which is the host on the side that connects, and the
    /// equipment on the other.
    pub device: Option<Device>,
    /// The standard's timers.
    pub timers: Timers,
    /// Tests of the link while it is selected. Default: after 30 s of silence; `None` for none.
    pub linktest: Option<Linktest>,
    /// Which entities the side that connects selects. Default: [`Header::CONTROL`], which is HSMS-SS. None: it waits to
    /// be selected, or told to select.
    pub select: Vec<u16>,
    /// How long the side that connects waits before its Select: some equipment needs a moment. Default: zero. It counts
    /// into T7.
    pub select_delay: Duration,
    /// Most transactions that may be open at once. Default: 10 000.
    pub max_open: usize,
}

/// Which part an end plays. Only equipment reports errors in stream 9.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Device {
    /// What commands.
    Host,
    /// What is commanded.
    Equipment,
}

/// How a selected link is tested.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Linktest {
    /// How long the link may be silent. Default: 30 s.
    pub interval: Duration,
    /// How many tests in a row must fail to end the connection. Default: 1, as the standard has it. Old equipment that is
    /// slow to answer while it works may need 3. A link that is dead while nothing is sent is found after that many times
    /// the interval and T6.
    pub failures: u32,
    /// Whether traffic stands for a test. Default: true.
    ///
    /// Then a test is sent only after a whole interval without a message either way, while no reply is waited for, which
    /// T3 guards, and no part of a message has passed, whose rest T8 and the write timeout guard. A test that is not
    /// answered is forgiven if another message came meanwhile or is half received, while a reply is waited for, and if it
    /// had not left itself yet behind what was sent before.
    ///
    /// But after four intervals without a word from it, five at the most, the peer is tested whatever is sent to it and
    /// asked of it; and if nothing comes from it then either, no reply that is waited for makes up for that. So a peer that
    /// is dead is found within five intervals and T6, even by a host that always has a request open.
    pub suppress: bool,
}

impl Default for Linktest {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(30),
            failures: 1,
            suppress: true,
        }
    }
}

impl Linktest {
    /// A test after each such time of silence.
    #[must_use]
    pub fn every(interval: Duration) -> Self {
        Self {
            interval,
            ..Self::default()
        }
    }

    /// Sets how many tests in a row must fail; 0 counts as 1.
    #[must_use]
    pub fn failures(mut self, count: u32) -> Self {
        self.failures = count.max(1);
        self
    }

    /// Sets whether traffic stands for a test.
    #[must_use]
    pub fn suppress(mut self, on: bool) -> Self {
        self.suppress = on;
        self
    }
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self::new(0)
    }
}

impl SessionOptions {
    /// The defaults for a device of this id.
    #[must_use]
    pub fn new(session_id: u16) -> Self {
        Self {
            session_id,
            check_session_id: true,
            device: None,
            timers: Timers::default(),
            linktest: Some(Linktest::default()),
            select: vec![Header::CONTROL],
            select_delay: Duration::ZERO,
            max_open: 10_000,
        }
    }

    /// Sets whether data of another session id are refused.
    #[must_use]
    pub fn check_session_id(mut self, on: bool) -> Self {
        self.check_session_id = on;
        self
    }

    /// Sets on which side of the factory this end is.
    #[must_use]
    pub fn device(mut self, device: Device) -> Self {
        self.device = Some(device);
        self
    }

    /// Sets the standard's timers.
    #[must_use]
    pub fn timers(mut self, timers: Timers) -> Self {
        self.timers = timers;
        self
    }

    /// Sets how the link is tested; `None` for not at all.
    #[must_use]
    pub fn linktest(mut self, linktest: impl Into<Option<Linktest>>) -> Self {
        self.linktest = linktest.into();
        self
    }

    /// Sets which entities the side that connects selects.
    #[must_use]
    pub fn select(mut self, ids: impl IntoIterator<Item = u16>) -> Self {
        self.select = ids.into_iter().collect();
        self
    }

    /// Sets how long the side that connects waits before its Select.
    #[must_use]
    pub fn select_delay(mut self, delay: Duration) -> Self {
        self.select_delay = delay;
        self
    }

    /// Sets how many transactions may be open at once.
    #[must_use]
    pub fn max_open(mut self, count: usize) -> Self {
        self.max_open = count;
        self
    }
}
