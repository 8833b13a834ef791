//! Keeps the promise that each opened connection is closed exactly once, with who and why.

use std::sync::Arc;

use crate::limits::Permit;
use crate::net::Core;
use crate::{ClosedBy, ConnectionId, Endpoint, Error, EventKind};

/// Lives as long as its connection: being made tells `Opened`, being dropped tells `Closed`.
#[derive(Debug)]
pub(crate) struct Tracker {
    core: Arc<Core>,
    id: ConnectionId,
    local: Endpoint,
    peer: Endpoint,
    cause: Option<Error>,
    end: End,
    permit: Option<Permit>,
    #[cfg(feature = "tracing")]
    span: tracing::Span,
}

/// Which side began to close.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Open,
    Local,
    Peer,
}

impl Tracker {
    pub(crate) fn open(core: &Arc<Core>, local: Endpoint, peer: Endpoint, accepted: bool) -> Self {
        let id = core.next_id();
        #[cfg(feature = "tracing")]
        let span = tracing::debug_span!("connection", id = id.0, peer = %peer);
        core.counters().opened.add(1);
        let tracker = Self {
            core: Arc::clone(core),
            id,
            local,
            peer,
            cause: None,
            end: End::Open,
            permit: None,
            #[cfg(feature = "tracing")]
            span,
        };
        tracker.emit(|tracker| EventKind::Opened {
            local: tracker.local.clone(),
            peer: tracker.peer.clone(),
            accepted,
        });
        tracker
    }

    fn emit(&self, kind: impl FnOnce(&Self) -> EventKind) {
        #[cfg(feature = "tracing")]
        let _entered = self.span.enter();
        self.core.emit(Some(self.id), || kind(self));
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    pub(crate) fn id(&self) -> ConnectionId {
        self.id
    }

    pub(crate) fn local(&self) -> &Endpoint {
        &self.local
    }

    pub(crate) fn peer(&self) -> &Endpoint {
        &self.peer
    }

    #[cfg(feature = "tracing")]
    pub(crate) fn span(&self) -> &tracing::Span {
        &self.span
    }

    #[inline]
    pub(crate) fn read(&self, n: usize) {
        self.core.counters().bytes_in.add(n as u64);
    }

    #[inline]
    pub(crate) fn wrote(&self, n: usize) {
        self.core.counters().bytes_out.add(n as u64);
    }

    pub(crate) fn peer_ended(&mut self) {
        if self.end == End::Open {
            self.end = End::Peer;
        }
    }

    pub(crate) fn closing(&mut self) {
        if self.end == End::Open {
            self.end = End::Local;
        }
    }

    /// The first cause is the one that tells why; later ones follow from it.
    pub(crate) fn fault(&mut self, error: &Error) {
        if self.cause.is_none() {
            self.core.counters().faults.add(1);
            self.cause = Some(error.clone());
        }
    }

    /// A fault that the connection survives.
    pub(crate) fn survived(&self, error: Error) {
        self.core.counters().faults.add(1);
        self.emit(|_| EventKind::Fault(error));
    }

    pub(crate) fn backpressure(&self, on: bool) {
        if on {
            self.core.counters().read_pauses.add(1);
        }
        self.emit(|_| EventKind::Backpressure(on));
    }

    /// What was `tcp://` is `tls://` from now on.
    #[cfg(feature = "tls")]
    pub(crate) fn encrypted(&mut self) {
        for end in [&mut self.local, &mut self.peer] {
            if let Endpoint::Tcp(host, port) = end {
                *end = Endpoint::Tls(host.clone(), *port);
            }
        }
    }

    #[cfg(feature = "tls")]
    pub(crate) fn upgraded(&self) {
        self.emit(|_| EventKind::Upgraded);
    }

    pub(crate) fn hold(&mut self, permit: Permit) {
        self.permit = Some(permit);
    }
}

impl Drop for Tracker {
    fn drop(&mut self) {
        self.core.counters().closed.add(1);
        let by = match (&self.cause, self.end) {
            (Some(_), _) => ClosedBy::Error,
            (None, End::Peer) => ClosedBy::Peer,
            (None, End::Open | End::Local) => ClosedBy::Local,
        };
        self.emit(|tracker| EventKind::Closed {
            by,
            cause: tracker.cause.clone(),
        });
        // The place is free only when the event has told so.
        self.permit = None;
    }
}
