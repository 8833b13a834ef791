//! What happens to a connection, as a stream.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, Weak};

use net_core::{Instant, Net};
use tokio::sync::Notify;

use crate::Connection;
use crate::connection::shared::{Life, Shared};
use crate::lock::lock;
use crate::session::SessionEvent;

/// Most events that wait for a reader; then the oldest are dropped, and counted.
const KEPT: usize = 1024;

/// An event and when it happened; as text, a line for a log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionEvent {
    /// When, on the network's clock.
    pub at: Instant,
    /// What.
    pub event: SessionEvent,
}

impl fmt::Display for ConnectionEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.at, self.event)
    }
}

/// The events of a connection from now on; made by [`Connection::events`]. A reader that is slow loses the oldest of more
/// than 1024.
pub struct Events {
    shared: Arc<Shared>,
    queue: Arc<Queue>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<(VecDeque<ConnectionEvent>, u64)>,
    arrived: Notify,
}

/// Who wants to know.
#[derive(Default)]
pub(crate) struct Subscribers(Vec<Weak<Queue>>);

impl Subscribers {
    pub(crate) fn tell(&mut self, event: &SessionEvent, net: &Net) {
        if self.0.is_empty() {
            return;
        }
        let at = net.now();
        self.0.retain(|queue| {
            let Some(queue) = queue.upgrade() else { return false };
            {
                let (events, missed) = &mut *lock(&queue.state);
                if events.len() >= KEPT {
                    events.pop_front();
                    *missed += 1;
                }
                let event = event.clone();
                events.push_back(ConnectionEvent { at, event });
            }
            queue.arrived.notify_one();
            true
        });
    }
}

impl Connection {
    /// What happens to the connection from now on.
    pub fn events(&self) -> Events {
        let queue = Arc::new(Queue::default());
        self.shared
            .with(|state| state.subscribers.0.push(Arc::downgrade(&queue)));
        Events {
            shared: Arc::clone(&self.shared),
            queue,
        }
    }
}

impl Events {
    /// The next event; `None` once the connection is disabled and has ended. Cancel safe.
    pub async fn next(&mut self) -> Option<ConnectionEvent> {
        loop {
            let shared = Arc::clone(&self.shared);
            let changed = shared.changed.notified();
            let mut changed = std::pin::pin!(changed);
            changed.as_mut().enable();
            let over = self.shared.with(|state| state.life == Life::Disabled);
            if let Some(event) = self.try_next() {
                return Some(event);
            }
            if over {
                return None;
            }
            tokio::select! {
                biased;
                () = self.queue.arrived.notified() => {}
                () = changed => {}
            }
        }
    }

    /// The next event if there is one already.
    pub fn try_next(&mut self) -> Option<ConnectionEvent> {
        lock(&self.queue.state).0.pop_front()
    }

    /// How many events were dropped because nobody read them.
    pub fn missed(&self) -> u64 {
        lock(&self.queue.state).1
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (waiting, missed) = {
            let state = lock(&self.queue.state);
            (state.0.len(), state.1)
        };
        f.debug_struct("Events")
            .field("waiting", &waiting)
            .field("missed", &missed)
            .finish_non_exhaustive()
    }
}
