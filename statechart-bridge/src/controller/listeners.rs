//! Who gets what is raised on outports.

use std::fmt;
use std::sync::Arc;

use crate::{Output, OutputListener};

/// A listener with its ports; none means all.
pub(crate) type WithPorts = (Vec<Arc<str>>, Arc<dyn OutputListener>);

/// All listeners.
#[derive(Clone, Default)]
pub(crate) struct Listeners(Vec<WithPorts>);

impl Listeners {
    pub(crate) fn add(&mut self, ports: &[&str], listener: Arc<dyn OutputListener>) {
        self.add_named(ports.iter().map(|port| Arc::from(*port)).collect(), listener);
    }

    pub(crate) fn add_named(&mut self, ports: Vec<Arc<str>>, listener: Arc<dyn OutputListener>) {
        self.0.push((ports, listener));
    }

    /// Tells all that nothing more will come.
    pub(crate) fn end(&mut self) {
        for (_, listener) in self.0.drain(..) {
            if net_core::catch_panic_in(|| listener.ended()).is_err() {
                log_warn!("an output listener panicked");
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn tell(&self, output: &Output) {
        let port = output.event.port();
        for (ports, listener) in &self.0 {
            if !ports.is_empty() && !ports.contains(port) {
                continue;
            }
            // Who panics hurts itself only.
            if net_core::catch_panic_in(|| listener.output(output)).is_err() {
                log_warn!(%port, "an output listener panicked");
            }
        }
    }
}

impl fmt::Debug for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(ports, _)| ports)).finish()
    }
}
