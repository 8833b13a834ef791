//! A session without I/O: frames, commands and the time go in; frames, ends of transactions and the next deadline come
//! out.
//!
//! [`Session`] decides everything that E37 decides, for HSMS-SS and HSMS-GS alike, and touches neither a socket nor a
//! clock. The connections of this crate drive it; who has a transport of his own can do so too:
//!
//! ```
//! use hsms::session::{Action, Entities, Received, Session, SessionEvent, State};
//! use hsms::{Header, SessionOptions, StreamFunction};
//! use net_core::Instant;
//!
//! let now = Instant::ZERO;
//! let mut equipment: Session<()> = Session::passive(SessionOptions::new(0), Entities::single());
//! equipment.connected(now);
//!
//! // The state has changed before the answer goes out.
//! let select = Header::select_req(Header::CONTROL, 1);
//! assert_eq!(equipment.received(&select, &[], now), Received::Handled);
//! assert_eq!(equipment.state(), State::Selected);
//! assert_eq!(equipment.transmit().unwrap().header.to_string().find("s_type:0x02").is_some(), true);
//!
//! let s1f1 = Header::data(0, StreamFunction::new(1, 1), true, 2);
//! assert_eq!(equipment.received(&s1f1, &[], now), Received::Primary);
//! ```

mod control;
mod data;
mod entities;
mod linktest;
mod options;
mod outcome;
mod stats;
mod timers;
mod transaction;

use std::collections::VecDeque;
use std::time::Duration;

use net_core::Instant;

pub use entities::Entities;
pub use options::{Device, Linktest, SessionOptions};
pub use outcome::{Action, CloseReason, Outcome, Outgoing, Received, Refused, SessionEvent, State};
pub use stats::SessionStats;
pub use timers::{Timer, Timers};

use crate::{Header, RejectReason, SType};
use entities::Claim;
use linktest::Link;
use transaction::Transactions;

/// One end of an HSMS session. `T` is whatever the caller ties to a transaction, and gets back at its end.
///
/// After each call: send what [`transmit`](Self::transmit) gives, in order; then do what [`action`](Self::action) says;
/// then call [`expire`](Self::expire) when [`deadline`](Self::deadline) has come.
// In this order because of the caches: what every message needs is in front.
#[derive(Debug)]
#[repr(C)]
pub struct Session<T> {
    state: State,
    device: Device,
    /// This is the side that connects.
    active: bool,
    ready: bool,
    busy: bool,
    /// The connection is being closed, and this is why.
    closing: Option<CloseReason>,
    out: VecDeque<Outgoing>,
    actions: VecDeque<Action<T>>,
    t5: Option<Instant>,
    t7: Option<Instant>,
    select_at: Option<Instant>,
    link: Link,
    open: Transactions<T>,
    stats: SessionStats,
    selected: Vec<Claim>,
    entities: Entities,
    options: SessionOptions,
}

/// The least pause between two tries to connect.
const LEAST_PAUSE: Duration = Duration::from_millis(1);

/// The earlier of two moments that may be.
fn earliest(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// The first of a queue. One that is empty begins at its front again: else a queue of one at a time would pass through all
/// of its memory, which then is in no cache.
#[inline]
fn pop<T>(queue: &mut VecDeque<T>) -> Option<T> {
    let first = queue.pop_front();
    if queue.is_empty() {
        queue.clear();
    }
    first
}

impl<T> Session<T> {
    /// The side that connects, and selects.
    pub fn active(options: SessionOptions, entities: Entities) -> Self {
        Self::new(true, options, entities)
    }

    /// The side that is connected to.
    pub fn passive(options: SessionOptions, entities: Entities) -> Self {
        Self::new(false, options, entities)
    }

    fn new(active: bool, options: SessionOptions, entities: Entities) -> Self {
        let device = match options.device {
            Some(device) => device,
            None if active => Device::Host,
            None => Device::Equipment,
        };
        Self {
            options,
            device,
            entities,
            active,
            state: State::NotConnected,
            ready: true,
            busy: false,
            closing: None,
            selected: Vec::new(),
            open: Transactions::default(),
            out: VecDeque::new(),
            actions: VecDeque::new(),
            t5: None,
            t7: None,
            select_at: None,
            link: Link::default(),
            stats: SessionStats::default(),
        }
    }

    /// The state.
    #[inline]
    pub fn state(&self) -> State {
        self.state
    }

    /// The settings.
    pub fn options(&self) -> &SessionOptions {
        &self.options
    }

    /// Which part this end plays.
    pub fn device(&self) -> Device {
        self.device
    }

    /// Whether this is the side that connects.
    pub fn is_active(&self) -> bool {
        self.active
    }

    /// The entities that are selected.
    pub fn selected(&self) -> impl Iterator<Item = u16> + '_ {
        self.selected.iter().map(|claim| claim.id)
    }

    /// Whether this entity is selected.
    #[inline]
    pub fn is_selected(&self, id: u16) -> bool {
        self.selected.iter().any(|claim| claim.id == id)
    }

    fn has_selected(&self) -> bool {
        !self.selected.is_empty()
    }

    /// Whether HSMS-SS is selected.
    #[inline]
    fn is_single(&self) -> bool {
        self.selected.first().is_some_and(|claim| claim.id == Header::CONTROL)
    }

    /// How many transactions of ours are open, control transactions included.
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// Whether our transaction with these system bytes is open.
    #[cfg(feature = "gem")]
    pub(crate) fn is_open(&mut self, system: u32) -> bool {
        self.open.get(system).is_some()
    }

    /// How many data transactions of ours are open.
    pub fn open_data(&self) -> usize {
        self.open.data()
    }

    /// How many frames wait to be [transmitted](Self::transmit).
    #[inline]
    pub fn waiting(&self) -> usize {
        self.out.len()
    }

    /// What it has counted.
    pub fn stats(&self) -> SessionStats {
        self.stats
    }

    /// There is a connection.
    pub fn connected(&mut self, now: Instant) {
        if self.state != State::NotConnected {
            return;
        }
        self.state = State::NotSelected;
        self.stats.connections += 1;
        self.t5 = None;
        self.t7 = Some(now + self.options.timers.t7);
        self.tell(SessionEvent::Connected);
        if self.active && !self.options.select.is_empty() {
            if self.options.select_delay.is_zero() {
                self.select_all(now);
            } else {
                self.select_at = Some(now + self.options.select_delay);
            }
        }
    }

    /// The connection is gone; every open transaction fails. The reason does not count if the session itself wanted it
    /// closed. T5 begins on the side that connects.
    pub fn disconnected(&mut self, reason: CloseReason, now: Instant) {
        if self.state == State::NotConnected {
            return;
        }
        self.close(reason);
        self.actions.retain(|action| !matches!(action, Action::Close(_)));
        self.out.clear();
        self.state = State::NotConnected;
        if let Some(reason) = self.closing.take() {
            self.tell(SessionEvent::Disconnected(reason));
        }
        self.begin_t5(now);
    }

    /// A try to connect or to listen failed: T5 begins.
    pub fn connect_failed(&mut self, error: net_core::Error, now: Instant) {
        self.tell(SessionEvent::ConnectFailed(error));
        self.begin_t5(now);
        // A T5 of zero must not become a loop that does nothing else.
        self.t5 = self.t5.map(|at| at.max(now + LEAST_PAUSE));
    }

    /// Begins T5 on the side that connects.
    pub fn begin_t5(&mut self, now: Instant) {
        self.t5 = self.active.then(|| now + self.options.timers.t5);
    }

    /// Whether the side that connects may try to: there is no connection, and T5 does not run.
    pub fn may_dial(&self) -> bool {
        self.active && self.state == State::NotConnected && self.t5.is_none()
    }

    /// Makes the next try free, as the first is.
    pub fn forget_t5(&mut self) {
        self.t5 = None;
    }

    /// Ends the session's part of the connection, whose transport is still to be closed.
    fn close(&mut self, reason: CloseReason) {
        if self.closing.is_some() {
            return;
        }
        self.closing = Some(reason.clone());
        for claim in std::mem::take(&mut self.selected) {
            let id = claim.id;
            drop(claim);
            self.tell(SessionEvent::Deselected(id));
        }
        self.state = State::NotSelected;
        (self.t7, self.select_at, self.link.next) = (None, None, None);
        for open in self.open.close_where(|_| true) {
            self.complete(open.tied, Outcome::Closed(reason.clone()));
        }
        self.actions.push_back(Action::Close(reason));
    }

    /// A frame was received. Its text is looked at in stream 9 only.
    #[inline]
    pub fn received(&mut self, header: &Header, text: &[u8], now: Instant) -> Received<T> {
        self.stats.received(text.len());
        if self.state == State::NotConnected || self.closing.is_some() {
            return Received::Handled;
        }
        self.link.received(now);
        if header.p_type() != 0 {
            // A Reject.req is never answered.
            if header.s_type() != SType::RejectReq {
                self.reject(header, RejectReason::PTypeNotSupported, now);
            }
            return Received::Handled;
        }
        if header.is_data() {
            return self.data(header, text, now);
        }
        self.control(header, !text.is_empty(), now);
        Received::Handled
    }

    /// The next moment at which something is due.
    pub fn deadline(&self) -> Option<Instant> {
        let waits = earliest(earliest(self.t5, self.t7), earliest(self.select_at, self.link.next));
        earliest(waits, self.open.deadline())
    }

    /// Does what is due.
    pub fn expire(&mut self, now: Instant) {
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if due(self.t5) {
            self.t5 = None;
            self.actions.push_back(Action::Dial);
        }
        if due(self.select_at) {
            self.select_all(now);
        }
        while let Some(open) = self.open.close_due(now) {
            self.transaction_due(open, now);
        }
        if due(self.t7) {
            self.close(CloseReason::TimedOut(Timer::T7));
        }
        if due(self.link.next) {
            self.linktest_due(now);
        }
        self.link.hindered = false;
    }

    fn transaction_due(&mut self, open: transaction::Open<T>, now: Instant) {
        let kind = open.header.s_type();
        let timer = match kind {
            SType::Data => Timer::T3,
            _ => Self::CONTROL_TIMER,
        };
        let near_miss = open.near_miss;
        self.complete(open.tied, Outcome::TimedOut { timer, near_miss });
        match kind {
            SType::Data => {
                self.stats.timeouts += 1;
                self.report(9, &open.header, now);
            }
            SType::LinktestReq => self.linktest_unanswered(now),
            _ => self.close(CloseReason::TimedOut(timer)),
        }
    }

    /// The next frame to send.
    #[inline]
    pub fn transmit(&mut self) -> Option<Outgoing> {
        pop(&mut self.out)
    }

    /// The next thing to do, once everything from [`transmit`](Self::transmit) is sent.
    #[inline]
    pub fn action(&mut self) -> Option<Action<T>> {
        pop(&mut self.actions)
    }

    fn send(&mut self, header: Header, now: Instant) {
        self.push(Outgoing { header, about: None }, now);
    }

    fn push(&mut self, outgoing: Outgoing, now: Instant) {
        self.stats.sent(if outgoing.about.is_some() { 12 } else { 0 });
        self.link.sent(now);
        self.out.push_back(outgoing);
    }

    fn tell(&mut self, event: SessionEvent) {
        self.actions.push_back(Action::Event(event));
    }
}
