//! The line's controller: the statechart in models/line_controller.xml, which uses sockets by events.

use std::sync::{Arc, Mutex};

use net_core::{Endpoint, Net};
use statechart_bridge::socket::{SocketService, boot_translation_service};
use statechart_bridge::{Document, Runtime};

use super::story::{Story, lock};
use super::{Failed, Outcome};

const MODEL: &str = include_str!("../../models/line_controller.xml");

/// The running controller.
pub(crate) struct Controller {
    runtime: Runtime,
    service: SocketService,
}

/// What went wrong in its code, whichever of them it was; nothing should.
pub(crate) type Faults = Arc<Mutex<Vec<String>>>;

impl Controller {
    /// Starts it; it connects to the host, and tries again until the host is there.
    pub(crate) fn start(net: &Net, host: &Endpoint, story: &Story, faults: &Faults) -> Outcome<Self> {
        let document = Document::parse("line_controller.xml", MODEL)?;
        let (Some(address), Some(port)) = (host.host(), host.port()) else {
            return Err(Failed::text(format!("the controller can't connect to {host}")));
        };
        let named = [("address", format!("'{address}'")), ("port", port.to_string())];
        let arguments = document
            .arguments(named.iter().map(|(name, value)| (*name, value.as_str())))
            .map_err(Failed::text)?;
        let (noted, told, said) = (Arc::clone(faults), story.clone(), story.clone());
        let runtime = Runtime::builder(document.model(), net)
            .arguments(arguments)
            .on_fault(move |fault| {
                told.tell("controller", format_args!("FAULT: {fault}"));
                lock(&noted).push(fault.to_string());
            })
            .on_log(move |line| said.tell("controller", &line.text))
            .build()
            .map_err(|fault| Failed::text(format!("the controller: {fault}")))?;
        // Before the start: it raises its first commands as it enters its first states.
        let service = boot_translation_service(&runtime, net)?;
        runtime.start()?;
        Ok(Self { runtime, service })
    }

    /// Ends it, and its sockets.
    pub(crate) async fn stop(self) {
        self.runtime.stop();
        self.runtime.ended().await;
        self.service.stop().await;
    }
}
