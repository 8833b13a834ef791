//! HTTP and WebSocket: round trips on one connection, by ours on the simulated network and by bare libraries on a pipe.

pub mod bare;
pub mod ours;

/// What is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// GET requests.
    Http,
    /// The same over TLS.
    Https,
    /// Texts over WebSocket, echoed.
    Ws,
    /// The same over TLS.
    Wss,
}

impl Scheme {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Http, Self::Https, Self::Ws, Self::Wss];

    /// What a URL begins with.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Ws => "ws",
            Self::Wss => "wss",
        }
    }

    /// Whether it goes over TLS.
    #[must_use]
    pub fn is_encrypted(self) -> bool {
        matches!(self, Self::Https | Self::Wss)
    }

    /// Whether it is WebSocket.
    #[must_use]
    pub fn is_websocket(self) -> bool {
        matches!(self, Self::Ws | Self::Wss)
    }
}

/// What comes back.
const TEXT: &str = "ohai";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::groups::bulk::Tls;

    #[test]
    fn every_way_does_the_work() {
        let tls = Tls::new().unwrap();
        for scheme in Scheme::ALL {
            ours::run(scheme, &tls, 20).unwrap_or_else(|error| panic!("{scheme:?}: {error}"));
            bare::run(scheme, &tls, 20).unwrap_or_else(|error| panic!("{scheme:?}, bare: {error}"));
        }
    }
}
