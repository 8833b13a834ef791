//! The connection that a request came by.

use net_core::{ConnectionId, Endpoint, Net, Stream};

use super::Request;

/// The connection that a request came by.
#[derive(Clone, Debug)]
pub struct About {
    id: ConnectionId,
    local: Endpoint,
    peer: Endpoint,
    net: Net,
}

impl About {
    pub(super) fn new(stream: &Stream) -> Self {
        Self {
            id: stream.id(),
            local: stream.local().clone(),
            peer: stream.peer().clone(),
            net: stream.net(),
        }
    }

    /// The connection of a request that a [`Server`](super::Server) handed out; `None` for any other.
    pub fn of(request: &Request) -> Option<&Self> {
        request.extensions().get()
    }

    /// The connection's name in events and logs.
    pub fn id(&self) -> ConnectionId {
        self.id
    }

    /// Our end.
    pub fn local(&self) -> &Endpoint {
        &self.local
    }

    /// The client.
    pub fn peer(&self) -> &Endpoint {
        &self.peer
    }

    /// The network, for its clock, timers and tasks.
    pub fn net(&self) -> &Net {
        &self.net
    }
}
