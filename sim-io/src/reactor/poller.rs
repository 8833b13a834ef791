//! What asks the operating system which sockets are ready: one small trait, and the choice among those that have it.

use std::fmt;
use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use crate::environment::core::Alarm;

/// Which of the system's calls an environment waits with; see
/// [`Environment::use_poller`](crate::Environment::use_poller).
///
/// They behave alike. What differs is the cost of many sockets that idle: none with [`Mio`](Self::Mio), some at each
/// wait with the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Poller {
    /// epoll or kqueue, through mio, with a timerfd where there is one, so that timers are better than a millisecond.
    #[default]
    Mio,
    /// `poll`, through rustix.
    Poll,
    /// `select`, through rustix, for descriptors of any number: FD_SETSIZE is no limit.
    Select,
}

/// The poller of an environment can't be changed any more: sockets are registered with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PollerInUse;

impl fmt::Display for PollerInUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the environment has used its sockets already: choose the poller before that")
    }
}

impl std::error::Error for PollerInUse {}

impl Poller {
    pub(super) fn make(self) -> io::Result<Box<dyn Wait>> {
        Ok(match self {
            Self::Mio => Box::new(super::mio::Mio::new()?),
            Self::Poll => Box::new(super::poll::Poll::new()?),
            Self::Select => Box::new(super::select::Select::new()?),
        })
    }
}

/// What an environment needs of a poller.
pub(super) trait Wait {
    /// Whether a change is told once, as epoll does on request: what is not read then is not told again.
    fn is_edge_triggered(&self) -> bool;

    /// Takes a socket in.
    fn add(&mut self, place: u32, socket: BorrowedFd<'_>) -> io::Result<()>;

    /// Lets a socket go, before it is closed.
    fn remove(&mut self, socket: BorrowedFd<'_>);

    /// Waits until one of the wanted sockets is ready, the alarm sounds, or the time is over; without a limit, as long
    /// as it takes. It may return early. What is ready goes behind what `ready` holds.
    fn wait<'a>(
        &mut self,
        wanted: &mut dyn Iterator<Item = Wanted<'a>>,
        limit: Option<Duration>,
        ready: &mut Vec<Ready>,
    ) -> io::Result<()>;

    /// What ends a wait, from any thread.
    fn alarm(&mut self) -> io::Result<Alarm>;
}

/// A socket that somebody waits for.
pub(super) struct Wanted<'a> {
    pub(super) place: u32,
    pub(super) socket: BorrowedFd<'a>,
    pub(super) read: bool,
    pub(super) write: bool,
}

/// What a socket is ready for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ready {
    pub(super) place: u32,
    pub(super) read: bool,
    pub(super) write: bool,
    /// Nothing more will come: the end can be read.
    pub(super) read_closed: bool,
    pub(super) write_closed: bool,
}
