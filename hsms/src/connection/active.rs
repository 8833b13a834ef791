//! The side that connects.

use std::ops::Deref;
use std::sync::Arc;

use net_core::{Endpoint, Net};

use super::driver::drive;
use super::shared::Shared;
use super::{Connection, ConnectionOptions, Delegate};
use crate::Result;

/// The connection that connects, again and again: at once when it is enabled, and T5 after each failure or end.
///
/// Dropping it disables it; its [`Connection`] handles go on working until the end.
///
/// ```no_run
/// use hsms::{ActiveConnection, ConnectionOptions, Net, StreamFunction};
/// use std::time::Duration;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let to = "tcp://10.211.55.33:5000".parse()?;
/// let host = ActiveConnection::new(&Net::os(), to, ConnectionOptions::new(0), ());
/// host.enable()?;
/// host.selected(Duration::from_secs(30)).await?;
/// let reply = host.request(StreamFunction::new(1, 1), "").await?;
/// println!("{reply}");
/// host.stop().await;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct ActiveConnection(Connection);

impl ActiveConnection {
    /// A connection to the peer at `endpoint`, not enabled yet. With `()` for a delegate the messages of the peer are for
    /// [`primaries`](Connection::primaries).
    pub fn new(net: &Net, endpoint: Endpoint, options: ConnectionOptions, delegate: impl Delegate) -> Self {
        let shared = Shared::new(net, true, endpoint, options);
        let (weak, delegate) = (Arc::downgrade(&shared), Arc::new(delegate));
        let start = move || -> Result<()> {
            let Some(shared) = weak.upgrade() else { return Ok(()) };
            let connection = Connection::of(&shared);
            let delegate = Arc::clone(&delegate);
            shared.net.spawn(async move { run(&connection, &*delegate).await })?;
            Ok(())
        };
        // It is new: nobody has set it.
        let _ = shared.start.set(Box::new(start));
        Self(Connection { shared })
    }

    /// The handle that delegates get and requests are made with.
    pub fn connection(&self) -> &Connection {
        &self.0
    }
}

impl Deref for ActiveConnection {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl Drop for ActiveConnection {
    fn drop(&mut self) {
        self.0.disable();
    }
}

async fn run<D: Delegate>(connection: &Connection, delegate: &D) {
    let shared = &connection.shared;
    let _end = Ended(shared);
    while !shared.is_stopping() {
        let separation = shared.with(|state| (!state.session.may_dial()).then(|| state.session.deadline()));
        if let Some(until) = separation {
            let wait = async {
                match until {
                    Some(at) => shared.net.sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = shared.stopping() => break,
                () = wait => {}
            }
            shared.with_session(|state| state.session.expire(shared.net.now()));
            continue;
        }
        // Boxed: it is over before the connection begins, and large.
        let connecting = Box::pin(shared.net.connect_with(&shared.endpoint, &shared.options.connect));
        let connected = tokio::select! {
            biased;
            () = shared.stopping() => break,
            connected = connecting => connected,
        };
        match connected {
            Ok(stream) => drive(connection, stream, delegate).await,
            Err(error) => shared.with_session(|state| state.session.connect_failed(error, shared.net.now())),
        }
    }
}

/// Tells that the connection process has ended, however it did.
pub(super) struct Ended<'a>(pub(super) &'a Shared);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.stopped();
    }
}
