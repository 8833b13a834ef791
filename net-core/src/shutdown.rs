//! Stopping in three phases: stop, drain, abort at a deadline; and a report of what was dropped.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::watch;

use crate::lock::lock;
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
    phase: watch::Sender<Phase>,
    /// How many guards there are; separate from the phase, so that only who waits for it is woken by it.
    guards: watch::Sender<usize>,
    report: Mutex<Option<ShutdownReport>>,
    finished: AtomicUsize,
    aborted: AtomicUsize,
    lost: AtomicUsize,
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
        Self {
            net: net.clone(),
            shared: Arc::new(Shared {
                phase: watch::Sender::new(Phase::Running),
                guards: watch::Sender::new(0),
                report: Mutex::default(),
                finished: AtomicUsize::new(0),
                aborted: AtomicUsize::new(0),
                lost: AtomicUsize::new(0),
            }),
        }
    }

    /// Registers a piece of work; the shutdown waits until the guard is dropped.
    ///
    /// # Errors
    /// [`ErrorKind::Cancelled`] once the shutdown has begun.
    pub fn guard(&self) -> Result<Guard> {
        // Counted first and looked at then, so that no guard slips in between a stop's look and its wait.
        self.shared.guards.send_modify(|count| *count += 1);
        let guard = Guard {
            shared: Arc::clone(&self.shared),
            phase: self.shared.phase.subscribe(),
            void: false,
        };
        if self.phase() > Phase::Running {
            let mut guard = guard;
            guard.void = true;
            return Err(Error::new(ErrorKind::Cancelled, Operation::Run).detail("shutting down"));
        }
        Ok(guard)
    }

    /// Which phase it is in.
    pub fn phase(&self) -> Phase {
        *self.shared.phase.borrow()
    }

    /// How many pieces of work there are.
    pub fn guards(&self) -> usize {
        *self.shared.guards.borrow()
    }

    /// Waits until the shutdown begins. Cancel safe.
    pub async fn draining(&self) {
        wait(self.shared.phase.subscribe(), |phase| *phase >= Phase::Draining).await;
    }

    /// Stops: refuses new work, gives what runs the time until `deadline` from now, then aborts it. A second stop
    /// waits for the first and gives the same report. If this future is dropped, the shutdown stays in its phase, and
    /// calling again goes on with it.
    pub async fn stop(&self, deadline: Duration) -> ShutdownReport {
        let began = self.net.now();
        if self.advance(Phase::Draining) {
            self.net.0.emit(None, || EventKind::Draining);
        }
        let none_left = wait(self.shared.guards.subscribe(), |count| *count == 0);
        if self.net.within(deadline, none_left).await.is_none() {
            self.advance(Phase::Aborting);
            let none_left = wait(self.shared.guards.subscribe(), |count| *count == 0);
            if self.net.within(ABORT_GRACE, none_left).await.is_none() {
                self.shared.aborted.fetch_add(self.guards(), Ordering::Relaxed);
            }
        }
        let report = ShutdownReport {
            finished: self.shared.finished.load(Ordering::Relaxed),
            aborted: self.shared.aborted.load(Ordering::Relaxed),
            bytes_lost: self.shared.lost.load(Ordering::Relaxed),
            took: self.net.now() - began,
        };
        *lock(&self.shared.report).get_or_insert(report)
    }

    /// Goes on to a later phase; false if it was there already.
    fn advance(&self, to: Phase) -> bool {
        self.shared.phase.send_if_modified(|phase| {
            let later = *phase < to;
            *phase = to.max(*phase);
            later
        })
    }
}

async fn wait<T>(mut receiver: watch::Receiver<T>, until: impl FnMut(&T) -> bool) {
    // The sender lives in the `Shared` that the caller holds.
    let _ = receiver.wait_for(until).await;
}

/// A registered piece of work; see [`Shutdown::guard`].
#[derive(Debug)]
pub struct Guard {
    shared: Arc<Shared>,
    phase: watch::Receiver<Phase>,
    /// Never was work: refused at once.
    void: bool,
}

impl Guard {
    /// Waits until the shutdown begins: time to finish. Cancel safe.
    pub async fn draining(&self) {
        wait(self.phase.clone(), |phase| *phase >= Phase::Draining).await;
    }

    /// Waits until the deadline of the shutdown: time to go at once. Cancel safe.
    pub async fn aborting(&self) {
        wait(self.phase.clone(), |phase| *phase >= Phase::Aborting).await;
    }

    /// Whether the shutdown has begun.
    pub fn is_draining(&self) -> bool {
        *self.phase.borrow() >= Phase::Draining
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
        if !self.void {
            match *self.phase.borrow() {
                Phase::Running => {}
                Phase::Draining => {
                    self.shared.finished.fetch_add(1, Ordering::Relaxed);
                }
                Phase::Aborting => {
                    self.shared.aborted.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        self.shared.guards.send_modify(|count| *count -= 1);
    }
}
