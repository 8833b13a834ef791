//! Stopping in three phases: stop, drain, abort at a deadline; and a report of what was dropped.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use crate::lock::lock;
use crate::wakers::{Wakers, wait, wake};
use crate::{Error, ErrorKind, EventKind, Net, Operation, Result};

/// The phases of a shutdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Phase {
    /// Everything runs.
    Running,
    /// No new work; what was begun finishes.
    Draining,
    /// The deadline has passed; what still runs is dropped.
    Aborting,
}

/// Stops a set of tasks in order. Clones are handles on the same shutdown.
///
/// ```
/// use std::time::Duration;
/// use net_core::{Net, Shutdown};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> net_core::Result<()> {
/// let net = Net::os();
/// let shutdown = Shutdown::new(&net);
/// let work = shutdown.guard()?;
/// net.spawn(async move {
///     work.draining().await; // finish the current command, flush …
///     drop(work);
/// })?;
/// let report = shutdown.stop(Duration::from_secs(5)).await;
/// assert_eq!((report.finished, report.aborted), (1, 0));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Shutdown {
    net: Net,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    finished: AtomicUsize,
    aborted: AtomicUsize,
    lost: AtomicUsize,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    guards: usize,
    report: Option<ShutdownReport>,
    /// Who waits for a later phase.
    phase_waiters: Wakers,
    /// Who waits until no work is left.
    idle_waiters: Wakers,
}

impl Shared {
    fn phase(&self) -> Phase {
        lock(&self.state).phase
    }

    async fn reached(&self, phase: Phase) {
        wait(
            &self.state,
            |state| &mut state.phase_waiters,
            |state| (state.phase >= phase).then_some(()),
        )
        .await;
    }

    async fn idle(&self) {
        wait(
            &self.state,
            |state| &mut state.idle_waiters,
            |state| (state.guards == 0).then_some(()),
        )
        .await;
    }

    /// Goes on to a later phase; false if it was there already.
    fn advance(&self, to: Phase) -> bool {
        let waiting = {
            let mut state = lock(&self.state);
            if state.phase >= to {
                return false;
            }
            state.phase = to;
            state.phase_waiters.take()
        };
        wake(waiting);
        true
    }
}

/// What a shutdown did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Pieces of work that finished after the stop began.
    pub finished: usize,
    /// Pieces of work that were dropped at the deadline.
    pub aborted: usize,
    /// Bytes that were accepted for sending and dropped.
    pub bytes_lost: usize,
    /// How long it took.
    pub took: Duration,
}

/// How long dropped work may take to go, after the deadline: its destructors, and the end of the poll that runs.
const ABORT_GRACE: Duration = Duration::from_secs(1);

impl Shutdown {
    /// A shutdown that has not begun.
    pub fn new(net: &Net) -> Self {
        let state = State {
            phase: Phase::Running,
            guards: 0,
            report: None,
            phase_waiters: Wakers::default(),
            idle_waiters: Wakers::default(),
        };
        let shared = Shared {
            state: Mutex::new(state),
            finished: AtomicUsize::new(0),
            aborted: AtomicUsize::new(0),
            lost: AtomicUsize::new(0),
        };
        Self {
            net: net.clone(),
            shared: Arc::new(shared),
        }
    }

    /// Registers a piece of work; the shutdown waits until the guard is dropped.
    ///
    /// # Errors
    /// [`ErrorKind::Cancelled`] once the shutdown has begun.
    pub fn guard(&self) -> Result<Guard> {
        let mut state = lock(&self.shared.state);
        if state.phase > Phase::Running {
            return Err(Error::new(ErrorKind::Cancelled, Operation::Run).detail("shutting down"));
        }
        state.guards += 1;
        Ok(Guard {
            shared: Arc::clone(&self.shared),
        })
    }

    /// Which phase it is in.
    pub fn phase(&self) -> Phase {
        self.shared.phase()
    }

    /// How many pieces of work there are.
    pub fn guards(&self) -> usize {
        lock(&self.shared.state).guards
    }

    /// Waits until the shutdown begins. Cancel safe.
    pub async fn draining(&self) {
        self.shared.reached(Phase::Draining).await;
    }

    /// Stops: refuses new work, gives what runs the time until `deadline` from now, then aborts it. A second stop
    /// waits for the first and gives the same report. If this future is dropped, the shutdown stays in its phase, and
    /// calling again goes on with it.
    pub async fn stop(&self, deadline: Duration) -> ShutdownReport {
        let began = self.net.now();
        if self.shared.advance(Phase::Draining) {
            self.net.0.emit(None, || EventKind::Draining);
        }
        if self.net.within(deadline, self.shared.idle()).await.is_none() {
            self.shared.advance(Phase::Aborting);
            if self.net.within(ABORT_GRACE, self.shared.idle()).await.is_none() {
                self.shared.aborted.fetch_add(self.guards(), Ordering::Relaxed);
            }
        }
        let report = ShutdownReport {
            finished: self.shared.finished.load(Ordering::Relaxed),
            aborted: self.shared.aborted.load(Ordering::Relaxed),
            bytes_lost: self.shared.lost.load(Ordering::Relaxed),
            took: self.net.now() - began,
        };
        *lock(&self.shared.state).report.get_or_insert(report)
    }
}

/// A registered piece of work; see [`Shutdown::guard`].
#[derive(Debug)]
pub struct Guard {
    shared: Arc<Shared>,
}

impl Guard {
    /// Waits until the shutdown begins: time to finish. Cancel safe.
    pub async fn draining(&self) {
        self.shared.reached(Phase::Draining).await;
    }

    /// Waits until the deadline of the shutdown: time to go at once. Cancel safe.
    pub async fn aborting(&self) {
        self.shared.reached(Phase::Aborting).await;
    }

    /// Whether the shutdown has begun.
    pub fn is_draining(&self) -> bool {
        self.shared.phase() >= Phase::Draining
    }

    /// Adds to the bytes that the shutdown reports as lost.
    pub fn lost(&self, bytes: usize) {
        self.shared.lost.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Runs work to its end, or drops it at the deadline and gives `None`.
    pub async fn run<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let (mut work, mut aborting) = (pin!(work), pin!(self.aborting()));
        poll_fn(|cx| match work.as_mut().poll(cx) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending => aborting.as_mut().poll(cx).map(|()| None),
        })
        .await
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let waiting = {
            let mut state = lock(&self.shared.state);
            match state.phase {
                Phase::Running => {}
                Phase::Draining => {
                    self.shared.finished.fetch_add(1, Ordering::Relaxed);
                }
                Phase::Aborting => {
                    self.shared.aborted.fetch_add(1, Ordering::Relaxed);
                }
            }
            state.guards -= 1;
            if state.guards > 0 {
                return;
            }
            state.idle_waiters.take()
        };
        wake(waiting);
    }
}
