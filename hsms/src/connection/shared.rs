//! What a connection's task and its handles share.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock};
use std::task::Waker;

use bytes::Bytes;
use net_core::framing::LengthPrefix;
use net_core::{Endpoint, ErrorKind, Net, Sender};
use tokio::sync::{Notify, oneshot};

use super::ConnectionOptions;
use super::selected::Failure;
use crate::client::events::Subscribers;
use crate::lock::lock;
use crate::session::{Action, CloseReason, Entities, Outcome, Outgoing, Session};
use crate::{Header, Message, Result};

/// Where the end of a transaction goes.
pub(crate) type Ticket = oneshot::Sender<Result<Message, Outcome>>;

/// Starts the connection's task; it knows the delegate's type.
pub(crate) type Start = Box<dyn Fn() -> Result<()> + Send + Sync>;

/// While a request of ours is open, so many times the usual may wait, so that its reply gets through.
const WHILE_ASKING: usize = 4;
/// Control messages that may wait for a peer that does not read, before reading from it pauses.
const MAX_CONTROL: usize = 256;

/// With thousands of sessions each has left the caches when it is its turn again. So the order of the fields counts, here and
/// in the session: what every message needs lies together, and in front.
#[repr(C)]
pub(crate) struct Shared {
    pub(crate) net: Net,
    state: Mutex<State>,
    /// The life changed: enabled, stopping, stopped; or the state of the session did.
    pub(crate) changed: Notify,
    /// A message waits for [`Primaries`](crate::Primaries), or none will come any more.
    pub(crate) arrived: Notify,
    pub(crate) active: bool,
    /// It has no task of its own: a server gives it its peers.
    served: bool,
    pub(crate) options: ConnectionOptions,
    /// Where to connect to or to listen; the real port is in the state.
    pub(crate) endpoint: Endpoint,
    pub(crate) start: OnceLock<Start>,
}

#[repr(C)]
pub(crate) struct State {
    pub(crate) life: Life,
    /// A task of the server's carries a connection.
    pub(crate) serving: bool,
    /// The next peer waits for the end of this connection.
    pub(crate) next: bool,
    /// No more is read: the rest is the end.
    pub(crate) ending: bool,
    /// What still comes is for nobody.
    pub(crate) deaf: bool,
    /// The primary that the delegate has, until it is answered.
    pub(crate) unanswered: Option<Header>,
    /// A frame of the session's that did not fit into the output.
    pending: Option<Outgoing>,
    /// The session wants the connection closed.
    pub(crate) close: Option<CloseReason>,
    /// The connection's task.
    pub(crate) driver: Option<Waker>,
    /// The user takes messages from [`Primaries`](crate::Primaries); so many of them there are.
    pub(crate) listeners: usize,
    /// Messages for the user, in order.
    inbound: VecDeque<Message>,
    /// The way out, while there is a connection.
    pub(crate) sender: Option<Sender<LengthPrefix>>,
    pub(crate) session: Session<Ticket>,
    inbound_bytes: usize,
    /// Counts the connections, so that what belongs to an earlier one is not taken for this one's.
    pub(crate) epoch: u64,
    pub(crate) local: Option<Endpoint>,
    pub(crate) peer: Option<Endpoint>,
    pub(crate) subscribers: Subscribers,
    /// Why it is not selected, for who waits for that.
    pub(crate) failure: Failure,
}

/// Whether the connection process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// It was never enabled.
    Fresh,
    Enabled,
    /// It is being disabled; true to begin again right afterwards.
    Stopping(bool),
    Disabled,
}

impl Shared {
    pub(crate) fn new(net: &Net, active: bool, endpoint: Endpoint, options: ConnectionOptions) -> Arc<Self> {
        Self::make(net, active, false, endpoint, options)
    }

    /// For a server's connection.
    pub(crate) fn served(net: &Net, endpoint: Endpoint, options: ConnectionOptions) -> Arc<Self> {
        Self::make(net, false, true, endpoint, options)
    }

    fn make(net: &Net, active: bool, served: bool, endpoint: Endpoint, options: ConnectionOptions) -> Arc<Self> {
        let entities = options.entities.clone().unwrap_or_else(Entities::single);
        let session = if active {
            Session::active(options.session.clone(), entities)
        } else {
            Session::passive(options.session.clone(), entities)
        };
        let state = State {
            session,
            life: Life::Fresh,
            serving: false,
            next: false,
            sender: None,
            epoch: 0,
            local: None,
            peer: None,
            inbound: VecDeque::new(),
            inbound_bytes: 0,
            listeners: 0,
            ending: false,
            deaf: false,
            unanswered: None,
            pending: None,
            close: None,
            driver: None,
            subscribers: Subscribers::default(),
            failure: Failure::default(),
        };
        Arc::new(Self {
            net: net.clone(),
            options,
            active,
            served,
            endpoint,
            start: OnceLock::new(),
            state: Mutex::new(state),
            changed: Notify::new(),
            arrived: Notify::new(),
        })
    }

    /// The state, for a moment: no user's code runs meanwhile.
    #[inline]
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut State) -> R) -> R {
        work(&mut lock(&self.state))
    }

    /// The same for what makes the session send, do or tell something.
    #[inline]
    pub(crate) fn with_session<R>(&self, work: impl FnOnce(&mut State) -> R) -> R {
        self.with_session_then(work, |result, _| result)
    }

    /// The same, with a look at the state after all that is done.
    #[inline]
    pub(crate) fn with_session_then<R, T>(
        &self,
        work: impl FnOnce(&mut State) -> R,
        then: impl FnOnce(R, &mut State) -> T,
    ) -> T {
        let (result, changed) = {
            let state = &mut *lock(&self.state);
            let result = work(state);
            let changed = state.settle(&self.net);
            (then(result, state), changed)
        };
        if changed {
            self.changed.notify_waiters();
        }
        result
    }

    /// Waits until something holds of the state. Cancel safe.
    pub(crate) async fn until<R>(&self, mut what: impl FnMut(&mut State) -> Option<R>) -> R {
        loop {
            let changed = self.changed.notified();
            let mut changed = std::pin::pin!(changed);
            changed.as_mut().enable();
            if let Some(result) = self.with(&mut what) {
                return result;
            }
            changed.await;
        }
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.with(|state| state.is_stopping())
    }

    /// Waits until the connection process is to end.
    pub(crate) async fn stopping(&self) {
        self.until(|state| state.is_stopping().then_some(())).await;
    }

    /// The connection process has ended.
    pub(crate) fn stopped(&self) {
        let again = self.with(|state| {
            let again = state.life == Life::Stopping(true);
            state.life = Life::Disabled;
            again
        });
        self.changed.notify_waiters();
        self.arrived.notify_waiters();
        if again {
            // Without a runtime there is nobody to tell.
            let _ = self.enable();
        }
    }

    /// A server's connection is without a peer again; with `for_good` it was made for that one.
    pub(crate) fn free(&self, for_good: bool) {
        let stopping = self.with(|state| {
            state.serving = false;
            if for_good {
                state.life = Life::Disabled;
            }
            state.is_stopping()
        });
        self.changed.notify_waiters();
        if stopping {
            self.stopped();
        } else if for_good {
            self.arrived.notify_waiters();
        }
    }

    /// Starts the connection's task, unless it runs.
    pub(crate) fn enable(&self) -> Result<()> {
        let begin = self.with(|state| match state.life {
            Life::Enabled => false,
            Life::Stopping(_) => {
                state.life = Life::Stopping(true);
                false
            }
            Life::Fresh | Life::Disabled => {
                state.life = Life::Enabled;
                state.session.forget_t5();
                true
            }
        });
        if !begin {
            return Ok(());
        }
        let started = self.start.get().map_or(Ok(()), |start| start());
        if started.is_err() {
            self.with(|state| state.life = Life::Disabled);
        }
        self.changed.notify_waiters();
        started
    }

    pub(crate) fn disable(&self) {
        let driver = self.with(|state| {
            match state.life {
                Life::Enabled | Life::Stopping(_) if self.served && !state.serving => state.life = Life::Disabled,
                Life::Enabled | Life::Stopping(_) => state.life = Life::Stopping(false),
                Life::Fresh | Life::Disabled => {}
            }
            state.driver.take()
        });
        self.changed.notify_waiters();
        self.arrived.notify_waiters();
        driver.into_iter().for_each(Waker::wake);
    }
}

impl State {
    pub(crate) fn is_stopping(&self) -> bool {
        matches!(self.life, Life::Stopping(_))
    }

    /// Whether the connection to the peer is being closed.
    pub(crate) fn is_ending(&self) -> bool {
        self.ending || self.deaf || self.is_stopping()
    }

    /// Sends a message, if there is room.
    #[inline]
    pub(crate) fn push(&self, header: &Header, text: &[u8]) -> Result<(), net_core::Error> {
        match &self.sender {
            Some(sender) => sender.push_parts(&[&header.to_bytes(), text]),
            None => Err(net_core::Error::new(ErrorKind::Closed, net_core::Operation::Write)),
        }
    }

    /// Sends what the session wants sent, and does what it wants done. True if somebody may wait for the change.
    #[inline]
    pub(crate) fn settle(&mut self, net: &Net) -> bool {
        while let Some(outgoing) = self.pending.take().or_else(|| self.session.transmit()) {
            let mut place = [0; 12];
            match self.push(&outgoing.header, outgoing.text(&mut place)) {
                Err(error) if error.kind() == ErrorKind::Limit => {
                    // The peer does not read. It goes out as soon as there is room.
                    self.pending = Some(outgoing);
                    break;
                }
                // A connection that is broken needs no answers.
                _ => {}
            }
        }
        let mut changed = false;
        while let Some(action) = self.session.action() {
            changed = true;
            match action {
                Action::Completed(ticket, Outcome::Done) => {
                    let done = Message::header_only(Header::from_bytes([0; Header::LENGTH]));
                    let _ = ticket.send(Ok(done));
                }
                // Whoever asked may have gone.
                Action::Completed(ticket, outcome) => drop(ticket.send(Err(outcome))),
                Action::Close(reason) => {
                    self.close.get_or_insert(reason);
                    self.driver.take().into_iter().for_each(Waker::wake);
                }
                Action::Dial => {}
                Action::Event(event) => {
                    #[cfg(feature = "tracing")]
                    tracing::debug!(target: "hsms", ?event);
                    self.failure.note(&event);
                    self.subscribers.tell(&event, net);
                }
            }
        }
        changed
    }

    /// Whether what the session wants sent waits for room.
    #[inline]
    pub(crate) fn is_blocked(&self) -> bool {
        self.pending.is_some()
    }

    /// Keeps a message for the user.
    #[inline]
    pub(crate) fn deliver(&mut self, header: Header, text: Bytes) {
        self.inbound_bytes += text.len();
        self.inbound.push_back(Message { header, text });
    }

    /// The next message for the user.
    #[inline]
    pub(crate) fn take(&mut self, options: &ConnectionOptions) -> Option<Message> {
        let was_full = self.is_full(options);
        let message = self.inbound.pop_front()?;
        self.inbound_bytes -= message.text.len();
        if was_full && !self.is_full(options) {
            self.driver.take().into_iter().for_each(Waker::wake);
        }
        Some(message)
    }

    /// Forgets the messages that nobody has taken; gives those that wait for an answer.
    pub(crate) fn drop_inbound(&mut self) -> Vec<Header> {
        self.inbound_bytes = 0;
        let dropped = self.inbound.drain(..).map(|message| message.header);
        dropped.filter(|header| header.is_data() && header.w()).collect()
    }

    /// Whether nothing more should be read for now.
    #[inline]
    pub(crate) fn is_full(&self, options: &ConnectionOptions) -> bool {
        let waiting = self.session.waiting() >= MAX_CONTROL;
        if self.inbound.is_empty() {
            // Mostly; and what may wait lies far from here.
            return waiting;
        }
        let reached = |times: usize| {
            self.inbound.len() >= options.max_inbound.saturating_mul(times)
                || self.inbound_bytes >= options.max_inbound_bytes.saturating_mul(times)
        };
        reached(1) && (self.session.open_data() == 0 || reached(WHILE_ASKING)) || waiting
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (life, state) = self.with(|state| (state.life, state.session.state()));
        f.debug_struct("Connection")
            .field("active", &self.active)
            .field("endpoint", &self.endpoint)
            .field("life", &life)
            .field("state", &state)
            .finish_non_exhaustive()
    }
}
