//! Ctrl-C and SIGTERM.

/// Caught as long as this lives.
pub(crate) struct Signals {
    #[cfg(unix)]
    terminated: bool,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    pub(crate) fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminated: false,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    #[cfg(unix)]
    pub(crate) async fn any(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => self.terminated = true,
        }
    }

    /// Waits for SIGTERM; Ctrl-C meanwhile is for whoever reads the keys, and forgotten here.
    #[cfg(unix)]
    pub(crate) async fn terminate(&mut self) {
        while !self.terminated {
            self.any().await;
        }
    }

    /// Whether SIGTERM has come.
    #[cfg(unix)]
    pub(crate) fn terminated(&self) -> bool {
        self.terminated
    }

    #[cfg(not(unix))]
    pub(crate) fn new() -> std::io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    pub(crate) async fn any(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }

    #[cfg(not(unix))]
    pub(crate) async fn terminate(&mut self) {
        std::future::pending().await
    }

    #[cfg(not(unix))]
    pub(crate) fn terminated(&self) -> bool {
        false
    }
}
