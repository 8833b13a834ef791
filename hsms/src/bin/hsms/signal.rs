//! Ctrl-C and SIGTERM.

use hsms::net_core::{self, Signal};

/// Caught from when this is made; remembers SIGTERM.
pub(crate) struct Signals {
    caught: net_core::Signals,
    terminated: bool,
}

impl Signals {
    pub(crate) fn new() -> std::io::Result<Self> {
        Ok(Self {
            caught: net_core::Signals::new()?,
            terminated: false,
        })
    }

    pub(crate) async fn any(&mut self) {
        if self.caught.next().await == Signal::Terminate {
            self.terminated = true;
        }
    }

    /// Waits for SIGTERM; Ctrl-C meanwhile is for whoever reads the keys, and forgotten here.
    pub(crate) async fn terminate(&mut self) {
        while !self.terminated {
            self.any().await;
        }
    }

    /// Whether SIGTERM has come.
    pub(crate) fn terminated(&self) -> bool {
        self.terminated
    }
}
