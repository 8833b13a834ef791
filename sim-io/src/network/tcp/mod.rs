//! Connections: TCP as Linux shows it to a program.
//!
//! One event moves a burst, not a byte or a segment. The bytes of a direction stay in one ring from writing to reading;
//! what travels is counters. Acknowledgements cost an event only while somebody waits for one.

mod closing;
mod faults;
mod flow;
mod handshake;
mod keepalive;
mod listener;
mod loss;
mod packet;
mod stream;
mod time_wait;

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::rc::{Rc, Weak};
use std::time::Duration;

use net_core::{Endpoint, Instant, Keepalive, Lane, SocketOptions};

use super::world::{Fabric, State, Waiter, World};
use crate::environment::core::{Core, Fire, Fired};
use crate::environment::queue::{Priority, Slot};
pub(super) use listener::{ListenAddress, Listening};
use packet::Control;
pub(super) use packet::Parked;
pub(super) use time_wait::TimeWait;

/// Which end of a connection.
pub(super) type Which = usize;
/// The end that connected.
pub(super) const CLIENT: Which = 0;
/// The end that was accepted.
pub(super) const SERVER: Which = 1;

/// How far the handshake is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    SynSent,
    SynReceived,
    /// The client is connected, the server does not know it yet.
    AckSent,
    Established,
}

/// A connection, with both its ends.
///
/// In a large simulation a connection has left the caches by its next event. So the order of the fields counts here: what
/// each event looks at lies together.
#[repr(C)]
pub(super) struct Conn {
    phase: Phase,
    tries: u32,
    /// The latest event of it that is in the queue, so that one instant needs one event.
    scheduled: Option<Instant>,
    fire: Rc<Arrival>,
    control: VecDeque<(Instant, Control)>,
    /// When the handshake's last packet is sent again.
    retry: Option<Instant>,
    /// What the end of the same number sends.
    pub(super) ways: [Way; 2],
    pub(super) ends: [End; 2],
    pub(super) name: Rc<str>,
    listener: Option<Slot>,
}

#[repr(C)]
pub(super) struct End {
    /// A program has it.
    pub(super) held: bool,
    /// TCP knows it: packets for it are not answered by a reset.
    alive: bool,
    crashed: bool,
    /// It sent its end before the other's came.
    closed_first: bool,
    /// SO_REUSEADDR.
    reuse: bool,
    /// Told once, as on Linux; then reading gives the end and writing a broken pipe.
    error: Option<io::ErrorKind>,
    pub(super) host: usize,
    reader: Option<Waiter>,
    writer: Option<Waiter>,
    /// When it last heard from the other end.
    heard: Instant,
    /// When the next probe goes, and how many are unanswered.
    probe: Option<Instant>,
    probes: u32,
    pub(super) address: SocketAddr,
    pub(super) endpoint: Endpoint,
    keepalive: Option<Keepalive>,
}

/// One direction of a connection; its order counts too.
#[derive(Debug, Default)]
#[repr(C)]
pub(super) struct Way {
    /// How far the program has written, TCP has sent, the other end has it, and its program has read.
    written: u64,
    sent: u64,
    arrived: u64,
    read: u64,
    /// The end was asked for, was sent, has arrived.
    closing: bool,
    closed: bool,
    ended: bool,
    /// Something was lost: nothing more is sent before it is sent again.
    stalled: bool,
    /// An acknowledgement could not be sent.
    unanswered: bool,
    /// It waits for a path that is held.
    parked: bool,
    resend: Option<Instant>,
    flight: Lane<Burst>,
    answers: Lane<Answer>,
    /// How far the sender knows that it has arrived, and may send.
    acknowledged: u64,
    edge: u64,
    /// How far the receiver has told that it may send.
    told: u64,
    last_arrival: Instant,
    last_answer: Instant,
    /// The bytes from `read` to `written`.
    ring: VecDeque<u8>,
    send_room: u64,
    receive_room: u64,
    /// Since when, and how often, it was sent again without an answer.
    trouble: Option<(Instant, u32)>,
}

#[derive(Debug)]
struct Burst {
    at: Instant,
    upto: u64,
    end: bool,
}

#[derive(Debug)]
struct Answer {
    at: Instant,
    arrived: u64,
    edge: u64,
}

/// The event of a connection.
pub(super) struct Arrival {
    world: Weak<World>,
    slot: std::cell::Cell<Option<Slot>>,
    name: Rc<str>,
}

impl Fire for Arrival {
    fn fire(self: Rc<Self>, _: &Rc<Core>) -> Fired {
        if let (Some(world), Some(slot)) = (self.world.upgrade(), self.slot.get()) {
            world.with_event(|state, core| state.tick(core, slot));
        }
        Fired::On
    }

    fn name(&self) -> Option<Rc<str>> {
        Some(Rc::clone(&self.name))
    }
}

impl Way {
    fn new(send_room: usize, receive_room: usize) -> Self {
        let edge = receive_room.max(1) as u64;
        Self {
            send_room: send_room.max(1) as u64,
            receive_room: edge,
            edge,
            told: edge,
            ..Self::default()
        }
    }

    fn room(&self) -> usize {
        self.send_room.saturating_sub(self.written - self.acknowledged) as usize
    }

    fn has_to_send(&self) -> bool {
        self.sent < self.written || self.closing && !self.closed
    }

    #[inline]
    fn hear(&mut self, now: Instant) {
        while let Some(answer) = self.answers.front()
            && answer.at <= now
        {
            self.acknowledged = self.acknowledged.max(answer.arrived);
            self.edge = self.edge.max(answer.edge);
            self.answers.pop_front();
        }
    }

    /// What has not been sent is gone.
    fn discard(&mut self) {
        let kept = usize::try_from(self.sent.saturating_sub(self.read)).unwrap_or(usize::MAX);
        self.ring.truncate(kept);
        self.written = self.sent;
        self.closing = self.closed;
        self.stalled = false;
        self.unanswered = false;
        self.resend = None;
    }

    /// What is on its way is lost: it counts as not sent.
    fn rewind(&mut self) {
        self.flight.clear();
        self.sent = self.arrived;
        self.closed = self.ended;
    }
}

impl End {
    fn new(host: usize, address: SocketAddr, endpoint: Endpoint, options: &SocketOptions) -> Self {
        Self {
            host,
            address,
            endpoint,
            held: false,
            alive: false,
            crashed: false,
            closed_first: false,
            reuse: options.reuse_address,
            error: None,
            reader: None,
            writer: None,
            keepalive: options.keepalive,
            heard: Instant::ZERO,
            probes: 0,
            probe: None,
        }
    }

    fn wake(&mut self, woken: &mut Vec<Waiter>) {
        woken.extend(self.reader.take());
        woken.extend(self.writer.take());
    }
}

impl Conn {
    /// Has an event at that time, if there is none yet.
    #[inline]
    fn at(&mut self, core: &Core, at: Instant) {
        if self.scheduled != Some(at) {
            self.scheduled = Some(at);
            let fire: Rc<dyn Fire> = Rc::<Arrival>::clone(&self.fire);
            core.schedule(fire, at, Priority::NORMAL);
        }
    }

    /// About twice the way.
    fn round_trip(&self, fabric: &mut Fabric) -> Duration {
        let hosts = [self.ends[CLIENT].host, self.ends[SERVER].host];
        let mut way = |from, to| fabric.path(from, to).map_or(Duration::ZERO, |path| path.link.typical());
        way(hosts[0], hosts[1]).saturating_add(way(hosts[1], hosts[0]))
    }
}

impl State {
    /// Does what is due on a connection.
    fn tick(&mut self, core: &Rc<Core>, slot: Slot) {
        let now = core.now();
        let Some(conn) = self.conns.get_mut(slot) else { return };
        if conn.scheduled == Some(now) {
            conn.scheduled = None;
        }
        let mut index = 0;
        while let Some(conn) = self.conns.get_mut(slot)
            && let Some(&(at, what)) = conn.control.get(index)
        {
            if at > now {
                index += 1;
                continue;
            }
            conn.control.remove(index);
            if let Control::Reset { .. } = what {
                // Data that were sent before it arrive before it.
                conn.arrive(&mut self.fabric, core, slot, what.from());
            }
            self.on_control(core, slot, what);
        }
        let Some(conn) = self.conns.get_mut(slot) else { return };
        // Data speak for a lost acknowledgement.
        if conn.phase == Phase::AckSent && conn.ways[CLIENT].flight.front().is_some_and(|burst| burst.at <= now) {
            self.complete(core, slot);
        }
        let Some(conn) = self.conns.get_mut(slot) else { return };
        let fabric = &mut self.fabric;
        for from in [CLIENT, SERVER] {
            if conn.ways[from].flight.front().is_some_and(|burst| burst.at <= now) {
                conn.arrive(fabric, core, slot, from);
            }
            let way = &conn.ways[from];
            if way.answers.front().is_some_and(|answer| answer.at <= now) {
                conn.heard(fabric, core, from);
            } else if way.has_to_send() && !way.stalled {
                conn.pump(fabric, core, from);
            }
            if conn.ways[from].resend.is_some_and(|at| at <= now) {
                conn.resend(fabric, core, slot, from);
            }
            if conn.ends[from].probe.is_some_and(|at| at <= now) {
                conn.probe(fabric, core, slot, from);
            }
        }
        if conn.retry.is_some_and(|at| at <= now) {
            conn.retry = None;
            self.try_handshake(core, slot);
        }
        self.free(core.now(), slot);
    }
}
