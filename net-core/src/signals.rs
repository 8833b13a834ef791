//! What the operating system asks of the program: Ctrl-C and SIGTERM.

use std::io;

use crate::backend::os::runtime;

/// Ctrl-C and SIGTERM, caught from when this is made.
///
/// They then no longer end the program at once, not even when this is dropped: whoever catches them has to end it in
/// order. What comes before [`next`](Self::next) is called is not lost. Where there is no SIGTERM, Ctrl-C alone counts.
///
/// ```
/// use std::time::Duration;
/// use net_core::{Net, Shutdown, Signals, race};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let net = Net::os();
/// let shutdown = Shutdown::new(&net);
/// let mut signals = Signals::new()?; // before anybody is told that we are there
///
/// let work = async { /* serve until there is nothing left to do */ };
/// let asked = async {
///     signals.next().await;
/// };
/// race(work, asked).await;
/// shutdown.stop(Duration::from_secs(5)).await;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

/// What [`Signals`] catch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Signal {
    /// Ctrl-C, SIGINT: somebody at the keyboard wants the program to end.
    Interrupt,
    /// SIGTERM: the system, or a supervisor, wants it to end.
    Terminate,
}

impl Signals {
    /// Catches them from now on.
    ///
    /// # Errors
    /// If there is no tokio runtime around the call, or the system refuses.
    #[cfg(unix)]
    pub fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        runtime()?;
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the next one; for an interrupt first if both have come. Cancel safe.
    #[cfg(unix)]
    pub async fn next(&mut self) -> Signal {
        let interrupt = async {
            self.interrupt.recv().await;
            Signal::Interrupt
        };
        let terminate = async {
            self.terminate.recv().await;
            Signal::Terminate
        };
        crate::race(interrupt, terminate).await
    }

    /// Catches Ctrl-C as soon as [`next`](Self::next) is called.
    ///
    /// # Errors
    /// If there is no tokio runtime around the call.
    #[cfg(not(unix))]
    pub fn new() -> io::Result<Self> {
        runtime()?;
        Ok(Self {})
    }

    /// Waits for Ctrl-C. Cancel safe.
    #[cfg(not(unix))]
    pub async fn next(&mut self) -> Signal {
        if tokio::signal::ctrl_c().await.is_err() {
            // It can't be caught: then it ends the program at once, as usual.
            std::future::pending::<()>().await;
        }
        Signal::Interrupt
    }
}
