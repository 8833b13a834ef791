//! Connections: TCP as Linux shows it to a program.
//!
//! One event moves a burst, not a byte or a segment. The bytes of a direction stay in one ring from writing to reading;
//! what travels is counters. Acknowledgements cost an event only while somebody waits for one.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::rc::{Rc, Weak};
use std::time::Duration;

use net_core::{Endpoint, Instant, Keepalive, SocketOptions, UnixName};

use super::link::Fate;
use super::tap::{Outcome, Packet, PacketKind};
use super::world::{Fabric, State, Waiter, World};
use crate::environment::core::{Core, Fire, Fired};
use crate::environment::queue::{Priority, Slot};

/// Which end of a connection.
pub(super) type Which = usize;
/// The end that connected.
pub(super) const CLIENT: Which = 0;
/// The end that was accepted.
pub(super) const SERVER: Which = 1;

/// What waits on a path that is held.
#[derive(Debug)]
pub(super) enum Parked {
    Control(Slot, Control),
    Datagram(Box<super::udp::Packet>),
}

/// A packet of a connection that carries no data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Control {
    Syn,
    SynAck,
    /// The third one of the handshake.
    Ack,
    /// To this end. Refused: the answer to a SYN.
    Reset {
        to: Which,
        refused: bool,
    },
}

impl Control {
    fn from(self) -> Which {
        match self {
            Self::Syn | Self::Ack => CLIENT,
            Self::SynAck => SERVER,
            Self::Reset { to, .. } => 1 - to,
        }
    }
}

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
pub(super) struct Conn {
    pub(super) name: Rc<str>,
    fire: Rc<Arrival>,
    /// The latest event of it that is in the queue, so that one instant needs one event.
    scheduled: Option<Instant>,
    phase: Phase,
    tries: u32,
    /// When the handshake's last packet is sent again.
    retry: Option<Instant>,
    listener: Option<Slot>,
    control: VecDeque<(Instant, Control)>,
    pub(super) ends: [End; 2],
    /// What the end of the same number sends.
    pub(super) ways: [Way; 2],
}

pub(super) struct End {
    pub(super) host: usize,
    pub(super) address: SocketAddr,
    pub(super) endpoint: Endpoint,
    /// A program has it.
    pub(super) held: bool,
    /// TCP knows it: packets for it are not answered by a reset.
    alive: bool,
    crashed: bool,
    /// Told once, as on Linux; then reading gives the end and writing a broken pipe.
    error: Option<io::ErrorKind>,
    reader: Option<Waiter>,
    writer: Option<Waiter>,
    keepalive: Option<Keepalive>,
    /// When it last heard from the other end.
    heard: Instant,
    /// Unanswered probes, and when the next one goes.
    probes: u32,
    probe: Option<Instant>,
}

/// One direction of a connection.
#[derive(Debug, Default)]
pub(super) struct Way {
    /// The bytes from `read` to `written`.
    ring: VecDeque<u8>,
    /// How far the program has written, TCP has sent, the other end has it, and its program has read.
    written: u64,
    sent: u64,
    arrived: u64,
    read: u64,
    /// How far the sender knows that it has arrived, and may send.
    acknowledged: u64,
    edge: u64,
    /// How far the receiver has told that it may send.
    told: u64,
    send_room: u64,
    receive_room: u64,
    /// The end was asked for, was sent, has arrived.
    closing: bool,
    closed: bool,
    ended: bool,
    flight: VecDeque<Burst>,
    last_arrival: Instant,
    answers: VecDeque<Answer>,
    last_answer: Instant,
    /// Something was lost: nothing more is sent before it is sent again.
    stalled: bool,
    /// An acknowledgement could not be sent.
    unanswered: bool,
    resend: Option<Instant>,
    /// Since when, and how often, it was sent again without an answer.
    trouble: Option<(Instant, u32)>,
    /// It waits for a path that is held.
    parked: bool,
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

/// A bound socket that may listen.
pub(super) struct Listening {
    pub(super) host: usize,
    pub(super) address: ListenAddress,
    pub(super) options: SocketOptions,
    /// None: it is only bound.
    pub(super) backlog: Option<usize>,
    half_open: usize,
    pub(super) pending: VecDeque<Slot>,
    pub(super) waiter: Option<Waiter>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ListenAddress {
    Ip(SocketAddr),
    Unix(UnixName),
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

/// How long the first packet of a handshake waits for its answer.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// Linux's smallest and largest time until lost data are sent again.
const RTO_MIN: Duration = Duration::from_millis(200);
const RTO_MAX: Duration = Duration::from_secs(120);

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

fn header(address: SocketAddr) -> usize {
    if address.is_ipv4() { 40 } else { 60 }
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

    /// Sends a packet without data.
    fn control(&mut self, fabric: &mut Fabric, core: &Core, slot: Slot, what: Control) -> bool {
        let from = what.from();
        let (here, there) = (self.ends[from].host, self.ends[1 - from].host);
        let bytes = header(self.ends[from].address);
        let now = core.now();
        fabric.stats.packets += 1;
        let Some(path) = fabric.path(here, there) else {
            return false;
        };
        let fate = path.send(now, bytes, 1, core);
        if fabric.watched {
            let kind = match what {
                Control::Syn => PacketKind::Syn,
                Control::SynAck => PacketKind::SynAck,
                Control::Ack => PacketKind::Ack,
                Control::Reset { .. } => PacketKind::Reset,
            };
            let sent = self.ways[from].sent;
            self.show(fabric, core, from, kind, (sent, sent), fate.into());
        }
        let at = match fate {
            Fate::Arrives(at, _) => at,
            Fate::Lost | Fate::Corrupt => {
                fabric.stats.lost += 1;
                fabric.stats.corrupt += u64::from(fate == Fate::Corrupt);
                return false;
            }
            Fate::Held => {
                if let Some(path) = fabric.path(here, there) {
                    path.parked.push(Parked::Control(slot, what));
                }
                return true;
            }
        };
        // Not ahead of the data before it, nor behind what follows it.
        let way = &mut self.ways[from];
        let at = at.max(way.last_arrival);
        way.last_arrival = at;
        self.control.push_back((at, what));
        self.at(core, at);
        true
    }

    /// Sends what may be sent.
    fn pump(&mut self, fabric: &mut Fabric, core: &Core, from: Which) {
        let now = core.now();
        if self.ways[from].stalled || !self.ends[from].alive || self.phase != Phase::Established && from == SERVER {
            return;
        }
        if self.phase == Phase::SynSent || self.phase == Phase::SynReceived {
            return;
        }
        let header = header(self.ends[from].address);
        let (here, there) = (self.ends[from].host, self.ends[1 - from].host);
        loop {
            let way = &mut self.ways[from];
            let upto = way.written.min(way.edge);
            let mut bytes = usize::try_from(upto.saturating_sub(way.sent)).unwrap_or(usize::MAX);
            let mut end = way.closing && !way.closed && upto == way.written;
            if bytes == 0 && !end {
                // The window is full: its next opening is an event only now.
                if way.sent < way.written
                    && let Some(answer) = way.answers.front()
                {
                    let at = answer.at;
                    self.at(core, at);
                }
                return;
            }
            let Some(path) = fabric.path(here, there) else { return };
            if path.held {
                way.parked = true;
                return;
            }
            let segment = path.link.largest_packet() - header;
            if let Some(room) = path.room(now) {
                // Bursts stay small beside the window, so that acknowledgements keep coming while it is sent.
                let burst = (way.receive_room / 8) as usize / segment.max(1) * segment;
                let burst = burst
                    .min(path.link.queue / 2 / (segment + header) * segment)
                    .max(segment);
                let wanted = bytes.min(burst);
                let needed = wanted + wanted.div_ceil(segment).max(1) * header;
                if needed > room {
                    let at = path.when_room(now, needed);
                    self.at(core, at);
                    return;
                }
                if wanted < bytes {
                    (bytes, end) = (wanted, false);
                }
            }
            let segments = bytes.div_ceil(segment).max(1);
            let (mut lost, mut whole) = (false, segments);
            if path.cut {
                (lost, whole, bytes, end) = (true, 0, 0, false);
            } else if let Some(first) = path.first_lost(segments, core) {
                (lost, whole, bytes, end) = (true, first, bytes.min(first * segment), false);
            }
            fabric.stats.packets += segments as u64;
            if lost {
                fabric.stats.lost += 1;
            }
            if whole > 0 {
                let Some(path) = fabric.path(here, there) else { return };
                let at = path.arrival(now, bytes + whole * header, core).max(way.last_arrival);
                way.last_arrival = at;
                let before = way.sent;
                way.sent += bytes as u64;
                way.closed |= end;
                let sent = way.sent;
                match way.flight.back_mut() {
                    Some(burst) if burst.at == at => {
                        burst.upto = sent;
                        burst.end |= end;
                    }
                    _ => {
                        way.flight.push_back(Burst { at, upto: sent, end });
                        if way.flight.len() == 1 {
                            self.at(core, at);
                        }
                    }
                }
                if fabric.watched {
                    let kind = if end { PacketKind::Fin } else { PacketKind::Data };
                    self.show(fabric, core, from, kind, (before, sent), Outcome::Arrives(at));
                }
            }
            if lost {
                if fabric.watched {
                    let way = &self.ways[from];
                    let range = (way.sent, way.written.min(way.sent + segment as u64));
                    self.show(fabric, core, from, PacketKind::Data, range, Outcome::Lost);
                }
                self.stall(fabric, core, from);
                return;
            }
            let way = &mut self.ways[from];
            if !way.unanswered {
                way.trouble = None;
            }
        }
    }

    /// Lets a packet be seen. The range is of the bytes that `from` has written.
    #[cold]
    fn show(
        &self,
        fabric: &mut Fabric,
        core: &Core,
        from: Which,
        kind: PacketKind,
        (first, upto): (u64, u64),
        outcome: Outcome,
    ) {
        let (here, there) = (&self.ends[from], &self.ends[1 - from]);
        if here.address.port() == 0 {
            // A Unix socket: there are no packets.
            return;
        }
        let [from_host, to_host] = fabric.names(here.host, there.host);
        let mtu = fabric
            .path(here.host, there.host)
            .map_or(1500, |path| path.link.largest_packet());
        let (out, back) = (&self.ways[from], &self.ways[1 - from]);
        let [skipped, length] = [first.saturating_sub(out.read), upto.saturating_sub(first)]
            .map(|count| usize::try_from(count).unwrap_or(usize::MAX));
        let data: Vec<u8> = out.ring.iter().skip(skipped).take(length).copied().collect();
        // The SYN and the end count as a byte each.
        let after_syn = u64::from(!matches!(kind, PacketKind::Syn | PacketKind::SynAck));
        let after_end = u64::from(out.closed && kind != PacketKind::Fin);
        let number = |which: Which, count: u64| ((which as u64 + 1) * 1_000_000 + count) as u32;
        fabric.seen.push(Packet {
            at: core.now(),
            from_host,
            to_host,
            from: here.address,
            to: there.address,
            kind,
            sequence: number(from, first + after_syn + after_end),
            acknowledgement: number(1 - from, back.arrived + 1 + u64::from(back.ended)),
            window: usize::try_from(back.receive_room.saturating_sub(back.arrived - back.read)).unwrap_or(usize::MAX),
            data: data.into(),
            segment: mtu - header(here.address),
            outcome,
        });
    }

    /// Something was lost: it is sent again later.
    fn stall(&mut self, fabric: &mut Fabric, core: &Core, from: Which) {
        self.ways[from].stalled = true;
        self.try_later(fabric, core, from);
    }

    fn try_later(&mut self, fabric: &mut Fabric, core: &Core, from: Which) {
        let now = core.now();
        let round_trip = self.round_trip(fabric);
        let way = &mut self.ways[from];
        if way.resend.is_some_and(|at| at > now) {
            return;
        }
        let (since, tries) = way.trouble.unwrap_or((now, 0));
        way.trouble = Some((since, tries + 1));
        // Three more segments behind the lost one tell of it after a round trip; otherwise a timer does.
        let more = way.written.saturating_sub(way.sent) > 4 * 1460 && way.edge.saturating_sub(way.sent) > 4 * 1460;
        let timer = RTO_MIN.max(round_trip.saturating_mul(2));
        let delay = if tries == 0 && more && way.stalled {
            round_trip
        } else {
            timer
                .saturating_mul(1_u32.checked_shl(tries).unwrap_or(u32::MAX).max(1))
                .min(RTO_MAX)
        };
        let at = now + delay;
        way.resend = Some(at);
        self.at(core, at);
    }

    /// Tries what failed once more; gives the connection up if that has gone on for too long.
    fn resend(&mut self, fabric: &mut Fabric, core: &Core, from: Which) {
        let now = core.now();
        let way = &mut self.ways[from];
        way.resend = None;
        if let Some((since, _)) = way.trouble
            && now - since >= fabric.settings.give_up
        {
            self.fail(fabric, from, io::ErrorKind::TimedOut);
            return;
        }
        way.stalled = false;
        fabric.stats.retransmissions += 1;
        if self.ways[from].unanswered {
            self.answer(fabric, core, from);
        }
        self.pump(fabric, core, from);
    }

    /// The receiver tells the sender of `way` how far it is.
    fn answer(&mut self, fabric: &mut Fabric, core: &Core, from: Which) {
        let now = core.now();
        let (sender, receiver) = (self.ends[from].host, self.ends[1 - from].host);
        let both_ways = !fabric.path(sender, receiver).is_none_or(|path| path.cut);
        let is_retry = self.ways[from].unanswered;
        let up = fabric.is_up(sender);
        let Some(path) = fabric.path(receiver, sender) else {
            return;
        };
        let way = &mut self.ways[from];
        if path.cut || path.held || !up || is_retry && !both_ways {
            let last = way.answers.back();
            let known = last.map_or(way.acknowledged, |last| last.arrived);
            let edge = last.map_or(way.edge, |last| last.edge);
            // Without it the sender waits for an answer, or for the window; otherwise nobody misses it.
            if known < way.arrived || edge <= way.sent {
                way.unanswered = true;
                self.try_later(fabric, core, from);
            }
            return;
        }
        way.unanswered = false;
        if !way.stalled {
            way.trouble = None;
        }
        let at = path.acknowledgement(now, core).max(way.last_answer);
        way.last_answer = at;
        way.told = way.read + way.receive_room;
        let (arrived, edge) = (way.arrived, way.told);
        match way.answers.back_mut() {
            Some(last) if last.at == at => (last.arrived, last.edge) = (arrived, edge),
            _ => way.answers.push_back(Answer { at, arrived, edge }),
        }
        self.ends[from].heard = at;
        if fabric.watched {
            let sent = self.ways[1 - from].sent;
            self.show(
                fabric,
                core,
                1 - from,
                PacketKind::Ack,
                (sent, sent),
                Outcome::Arrives(at),
            );
        }
        if at <= now {
            self.heard(fabric, core, from);
        } else if self.ends[from].writer.is_some() || self.ways[from].has_to_send() {
            self.at(core, at);
        }
    }

    /// The sender looks at the answers that it has, and goes on.
    fn heard(&mut self, fabric: &mut Fabric, core: &Core, from: Which) {
        let way = &mut self.ways[from];
        way.hear(core.now());
        let room = way.room() as u64;
        if room * 3 >= way.send_room {
            fabric.woken.extend(self.ends[from].writer.take());
        } else if self.ends[from].writer.is_some()
            && let Some(answer) = way.answers.front()
        {
            let at = answer.at;
            self.at(core, at);
        }
        if self.ways[from].has_to_send() {
            self.pump(fabric, core, from);
        }
    }

    /// An end is over with an error: its program hears of it, the other end does not.
    fn fail(&mut self, fabric: &mut Fabric, which: Which, error: io::ErrorKind) {
        let end = &mut self.ends[which];
        end.alive = false;
        end.probe = None;
        end.error = Some(error);
        end.wake(&mut fabric.woken);
        self.ways[which].discard();
    }

    /// What has come of a direction by now.
    fn arrive(&mut self, fabric: &mut Fabric, core: &Core, slot: Slot, from: Which) {
        let now = core.now();
        let to = 1 - from;
        let mut data = false;
        let mut any = false;
        while let Some(burst) = self.ways[from].flight.front()
            && burst.at <= now
        {
            if !fabric.is_up(self.ends[to].host) {
                fabric.stats.lost += 1;
                self.ways[from].rewind();
                if self.ends[from].alive {
                    self.stall(fabric, core, from);
                }
                return;
            }
            let (upto, end) = (burst.upto, burst.end);
            let way = &mut self.ways[from];
            way.flight.pop_front();
            data |= upto > way.arrived;
            any = true;
            way.arrived = upto;
            way.ended |= end;
        }
        if !any {
            return;
        }
        if let Some(burst) = self.ways[from].flight.front() {
            let at = burst.at;
            self.at(core, at);
        }
        let end = &mut self.ends[to];
        if end.alive && end.held {
            end.heard = now;
            fabric.woken.extend(end.reader.take());
            self.answer(fabric, core, from);
        } else if data || end.crashed {
            // Nobody will read this: the sender is told.
            end.alive = false;
            self.ways[to].discard();
            if self.ends[from].alive {
                self.control(
                    fabric,
                    core,
                    slot,
                    Control::Reset {
                        to: from,
                        refused: false,
                    },
                );
            }
        }
        // An end that is closed lives until all that it sent has arrived.
        let way = &self.ways[from];
        if way.ended && !self.ends[from].held {
            self.ends[from].alive = false;
        }
    }

    /// An end sends a reset and forgets the connection.
    fn reset(&mut self, fabric: &mut Fabric, core: &Core, slot: Slot, which: Which) {
        if !self.ends[which].alive {
            return;
        }
        self.ends[which].alive = false;
        self.ways[which].discard();
        if self.ends[1 - which].alive {
            self.control(
                fabric,
                core,
                slot,
                Control::Reset {
                    to: 1 - which,
                    refused: false,
                },
            );
        }
    }

    fn is_over(&self) -> bool {
        self.ends.iter().all(|end| !end.held && !end.alive) && self.phase != Phase::SynSent
    }

    /// Whether packets pass between the ends, both ways.
    fn is_reachable(&self, fabric: &mut Fabric) -> bool {
        let hosts = [self.ends[CLIENT].host, self.ends[SERVER].host];
        let open = |fabric: &mut Fabric, from, to| fabric.path(from, to).is_some_and(|path| !path.cut && !path.held);
        fabric.is_up(hosts[0])
            && fabric.is_up(hosts[1])
            && open(fabric, hosts[0], hosts[1])
            && open(fabric, hosts[1], hosts[0])
    }

    /// Something between the ends has changed: a silent end with keepalive will notice, if it lasts.
    fn watch(&mut self, fabric: &mut Fabric, core: &Core, which: Which) {
        let now = core.now();
        let gone = !self.ends[1 - which].alive;
        let reachable = self.is_reachable(fabric);
        let end = &mut self.ends[which];
        let Some(keepalive) = end.keepalive.filter(|_| end.alive && end.held) else {
            return;
        };
        if reachable && !gone {
            (end.probe, end.probes) = (None, 0);
            return;
        }
        if end.probe.is_none() {
            // Probes went at these distances all the time; only from here on do they matter.
            let idle = keepalive.idle.max(Duration::from_millis(1));
            let silent = (now - end.heard).as_nanos();
            let periods = u32::try_from(silent.div_ceil(idle.as_nanos()).max(1)).unwrap_or(u32::MAX);
            let at = end.heard + idle.saturating_mul(periods);
            end.probe = Some(at);
            self.at(core, at);
        }
    }

    fn probe(&mut self, fabric: &mut Fabric, core: &Core, slot: Slot, which: Which) {
        let reachable = self.is_reachable(fabric);
        let peer = &self.ends[1 - which];
        let (gone, crashed) = (!peer.alive, peer.crashed);
        let end = &mut self.ends[which];
        end.probe = None;
        let Some(keepalive) = end.keepalive.filter(|_| end.alive && end.held) else {
            return;
        };
        if reachable {
            end.probes = 0;
            end.heard = core.now();
            if gone && crashed {
                self.control(
                    fabric,
                    core,
                    slot,
                    Control::Reset {
                        to: which,
                        refused: false,
                    },
                );
            }
        } else if end.probes >= keepalive.count {
            self.fail(fabric, which, io::ErrorKind::TimedOut);
        } else {
            end.probes += 1;
            let at = core.now() + keepalive.interval.max(Duration::from_millis(1));
            end.probe = Some(at);
            self.at(core, at);
        }
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
            conn.arrive(fabric, core, slot, from);
            let way = &conn.ways[from];
            if way.answers.front().is_some_and(|answer| answer.at <= now) {
                conn.heard(fabric, core, from);
            } else if way.has_to_send() && !way.stalled {
                conn.pump(fabric, core, from);
            }
            if conn.ways[from].resend.is_some_and(|at| at <= now) {
                conn.resend(fabric, core, from);
            }
            if conn.ends[from].probe.is_some_and(|at| at <= now) {
                conn.probe(fabric, core, slot, from);
            }
        }
        if conn.retry.is_some_and(|at| at <= now) {
            conn.retry = None;
            self.try_handshake(core, slot);
        }
        self.free(slot);
    }

    /// Forgets a connection that nobody needs any more.
    fn free(&mut self, slot: Slot) {
        let Some(conn) = self.conns.get(slot) else { return };
        for which in [CLIENT, SERVER] {
            let end = &conn.ends[which];
            if which == CLIENT && !end.alive && !end.held {
                let port = (end.address.port(), conn.ends[SERVER].address);
                if let Some(host) = self.fabric.hosts.get_mut(end.host) {
                    host.outgoing.remove(&port);
                }
            }
        }
        if conn.is_over() {
            self.conns.remove(slot);
        }
    }

    // The handshake.

    /// Begins a connection; the answer comes by `poll_connect`.
    pub(super) fn connect(
        &mut self,
        world: &Rc<World>,
        hosts: [usize; 2],
        addresses: [SocketAddr; 2],
        endpoints: [Endpoint; 2],
        options: &SocketOptions,
        listener: Option<Slot>,
    ) -> Slot {
        let core = &world.core;
        let names = hosts.map(|host| self.fabric.hosts.get(host).map_or("?", |host| &*host.name));
        let ports = addresses.map(|address| address.port());
        let name: Rc<str> = format!("{}:{} - {}:{}", names[0], ports[0], names[1], ports[1]).into();
        let fire = Rc::new(Arrival {
            world: Rc::downgrade(world),
            slot: std::cell::Cell::new(None),
            name: Rc::clone(&name),
        });
        let settings = &self.fabric.settings;
        let send = options.send_buffer.unwrap_or(settings.send_buffer);
        let receive = options.receive_buffer.unwrap_or(settings.receive_buffer);
        let [here, there] = endpoints;
        let mut client = End::new(hosts[0], addresses[0], here, options);
        (client.held, client.alive) = (true, true);
        let server = End::new(hosts[1], addresses[1], there, &SocketOptions::default());
        let slot = self.conns.insert(Conn {
            name,
            fire: Rc::clone(&fire),
            scheduled: None,
            phase: Phase::SynSent,
            tries: 0,
            retry: None,
            listener,
            control: VecDeque::new(),
            ends: [client, server],
            ways: [
                Way::new(send, settings.receive_buffer),
                Way::new(settings.send_buffer, receive),
            ],
        });
        fire.slot.set(Some(slot));
        if let Some(host) = self.fabric.hosts.get_mut(hosts[0]) {
            host.outgoing.insert((addresses[0].port(), addresses[1]));
        }
        self.try_handshake(core, slot);
        slot
    }

    /// Sends the packet that the handshake is at, and sees to it that it is sent again if it is lost.
    fn try_handshake(&mut self, core: &Rc<Core>, slot: Slot) {
        let Some(conn) = self.conns.get_mut(slot) else { return };
        let what = match conn.phase {
            Phase::SynSent => Control::Syn,
            Phase::SynReceived => Control::SynAck,
            Phase::AckSent => Control::Ack,
            Phase::Established => return,
        };
        if conn.phase == Phase::SynSent && !conn.ends[CLIENT].alive {
            return;
        }
        if conn.tries > self.fabric.settings.syn_retries {
            if let Phase::SynReceived | Phase::AckSent = conn.phase {
                self.half_open_gone(slot);
            }
            if let Some(conn) = self.conns.get_mut(slot) {
                (conn.ends[SERVER].alive, conn.ends[SERVER].held) = (false, false);
                if conn.phase != Phase::AckSent {
                    conn.fail(&mut self.fabric, CLIENT, io::ErrorKind::TimedOut);
                }
                conn.phase = Phase::Established;
            }
            self.free(slot);
            return;
        }
        if !conn.control(&mut self.fabric, core, slot, what) {
            self.retry_handshake(core, slot);
        }
    }

    fn retry_handshake(&mut self, core: &Core, slot: Slot) {
        let Some(conn) = self.conns.get_mut(slot) else { return };
        let delay = FIRST_RETRY.saturating_mul(1_u32.checked_shl(conn.tries).unwrap_or(u32::MAX));
        conn.tries += 1;
        let at = core.now() + delay;
        conn.retry = Some(at);
        conn.at(core, at);
    }

    fn half_open_gone(&mut self, slot: Slot) {
        let listener = self.conns.get(slot).and_then(|conn| conn.listener);
        if let Some(listener) = listener.and_then(|listener| self.listeners.get_mut(listener)) {
            listener.half_open = listener.half_open.saturating_sub(1);
        }
    }

    fn on_control(&mut self, core: &Rc<Core>, slot: Slot, what: Control) {
        let Some(conn) = self.conns.get_mut(slot) else { return };
        let to = 1 - what.from();
        let host = conn.ends[to].host;
        if !self.fabric.is_up(host) {
            self.fabric.stats.lost += 1;
            if !matches!(what, Control::Reset { .. }) {
                self.retry_handshake(core, slot);
            }
            return;
        }
        match what {
            Control::Syn if conn.phase == Phase::SynSent => self.on_syn(core, slot),
            Control::SynAck if conn.phase == Phase::SynReceived => {
                conn.retry = None;
                conn.tries = 0;
                if !conn.ends[CLIENT].alive {
                    // Who asked has given up meanwhile.
                    conn.ends[CLIENT].alive = true;
                    conn.reset(&mut self.fabric, core, slot, CLIENT);
                    return;
                }
                conn.phase = Phase::AckSent;
                let end = &mut conn.ends[CLIENT];
                end.heard = core.now();
                end.wake(&mut self.fabric.woken);
                self.try_handshake(core, slot);
            }
            Control::Ack if conn.phase == Phase::AckSent => self.complete(core, slot),
            Control::Reset { to, refused } => {
                let was_half_open = matches!(conn.phase, Phase::SynReceived | Phase::AckSent) && to == SERVER;
                let end = &mut conn.ends[to];
                if end.alive {
                    let error = if refused {
                        io::ErrorKind::ConnectionRefused
                    } else if conn.ways[1 - to].ended {
                        // As on Linux, where the connection waits for our end only.
                        io::ErrorKind::BrokenPipe
                    } else {
                        io::ErrorKind::ConnectionReset
                    };
                    conn.fail(&mut self.fabric, to, error);
                }
                if was_half_open {
                    self.half_open_gone(slot);
                }
                if let Some(conn) = self.conns.get_mut(slot)
                    && (refused || was_half_open)
                {
                    conn.retry = None;
                    conn.phase = Phase::Established;
                    conn.ends[SERVER].alive &= !was_half_open;
                    conn.ends[SERVER].held &= !was_half_open;
                }
            }
            // A copy of what was answered already.
            Control::Syn | Control::SynAck | Control::Ack => {}
        }
    }

    fn on_syn(&mut self, core: &Rc<Core>, slot: Slot) {
        let Some(conn) = self.conns.get(slot) else { return };
        let end = &conn.ends[SERVER];
        let found = match conn.listener {
            // Unix sockets know theirs.
            Some(listener) => Some(listener).filter(|listener| self.listeners.get(*listener).is_some()),
            None => self.listener_for(end.host, end.address),
        };
        let listening = found.and_then(|found| self.listeners.get_mut(found));
        let Some((listener, backlog)) = listening
            .and_then(|listener| Some((listener.backlog?, listener)))
            .map(|(b, l)| (l, b))
        else {
            if let Some(conn) = self.conns.get_mut(slot)
                && !conn.control(
                    &mut self.fabric,
                    core,
                    slot,
                    Control::Reset {
                        to: CLIENT,
                        refused: true,
                    },
                )
            {
                // The refusal was lost: the question is asked again.
                self.retry_handshake(core, slot);
            }
            return;
        };
        if listener.pending.len() + listener.half_open > backlog {
            self.fabric.stats.overflows += 1;
            self.retry_handshake(core, slot);
            return;
        }
        listener.half_open += 1;
        let options = listener.options.clone();
        let now = core.now();
        let settings = &self.fabric.settings;
        let Some(conn) = self.conns.get_mut(slot) else { return };
        conn.listener = found;
        conn.phase = Phase::SynReceived;
        (conn.tries, conn.retry) = (0, None);
        let end = &mut conn.ends[SERVER];
        (end.alive, end.held, end.heard) = (true, true, now);
        end.keepalive = options.keepalive;
        let receive = options.receive_buffer.unwrap_or(settings.receive_buffer).max(1) as u64;
        let way = &mut conn.ways[CLIENT];
        (way.receive_room, way.edge, way.told) = (receive, receive, receive);
        conn.ways[SERVER].send_room = options.send_buffer.unwrap_or(settings.send_buffer).max(1) as u64;
        self.try_handshake(core, slot);
    }

    /// The server knows of the connection: it can be accepted.
    fn complete(&mut self, core: &Rc<Core>, slot: Slot) {
        let Some(conn) = self.conns.get_mut(slot) else { return };
        conn.phase = Phase::Established;
        (conn.tries, conn.retry) = (0, None);
        let listener = conn.listener.and_then(|listener| self.listeners.get_mut(listener));
        match listener {
            Some(listener) => {
                listener.half_open = listener.half_open.saturating_sub(1);
                listener.pending.push_back(slot);
                self.fabric.woken.extend(listener.waiter.take());
            }
            None => {
                conn.ends[SERVER].held = false;
                conn.reset(&mut self.fabric, core, slot, SERVER);
            }
        }
    }

    /// Whether a connection that was begun is there yet.
    pub(super) fn poll_connect(&mut self, slot: Slot, waiter: impl FnOnce() -> Waiter) -> Option<io::Result<()>> {
        let Some(conn) = self.conns.get_mut(slot) else {
            return Some(Err(io::ErrorKind::ConnectionReset.into()));
        };
        let end = &mut conn.ends[CLIENT];
        if let Some(error) = end.error.take() {
            return Some(Err(error.into()));
        }
        match conn.phase {
            Phase::AckSent | Phase::Established => Some(Ok(())),
            Phase::SynSent | Phase::SynReceived => {
                end.writer = Some(waiter());
                None
            }
        }
    }

    // Listening.

    /// The listener that a connection to this address is for; the one that is bound to the address itself comes first.
    fn listener_for(&self, host: usize, to: SocketAddr) -> Option<Slot> {
        let slots = self.fabric.hosts.get(host)?.tcp.get(&to.port())?;
        let mut best = None;
        for slot in slots {
            let Some(listener) = self.listeners.get(*slot) else {
                continue;
            };
            let ListenAddress::Ip(at) = listener.address else {
                continue;
            };
            if at.ip() == to.ip() {
                return Some(*slot);
            }
            let both = at.is_ipv6() && listener.options.v6_only != Some(true);
            if at.ip().is_unspecified() && (at.is_ipv4() == to.is_ipv4() || both) {
                best.get_or_insert(*slot);
            }
        }
        best
    }

    pub(super) fn bind_tcp(
        &mut self,
        host: usize,
        mut at: SocketAddr,
        options: &SocketOptions,
    ) -> io::Result<(Slot, SocketAddr)> {
        if !self.fabric.is_up(host) {
            return Err(io::ErrorKind::NetworkDown.into());
        }
        if !self.fabric.owns(host, at.ip()) {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        }
        let Self { fabric, listeners, .. } = self;
        let owner = fabric.hosts.get_mut(host).ok_or(io::ErrorKind::NetworkDown)?;
        let collides = |owner: &super::world::HostState, at: SocketAddr| {
            let slots = owner.tcp.get(&at.port()).into_iter().flatten();
            slots.filter_map(|slot| listeners.get(*slot)).any(|other| {
                let ListenAddress::Ip(there) = other.address else {
                    return false;
                };
                let same = there.ip() == at.ip()
                    || (there.is_ipv4() == at.is_ipv4() && (there.ip().is_unspecified() || at.ip().is_unspecified()))
                    || (there.ip().is_unspecified() && there.is_ipv6() && other.options.v6_only != Some(true))
                    || (at.ip().is_unspecified() && at.is_ipv6() && options.v6_only != Some(true));
                same && !(other.options.reuse_port && options.reuse_port)
            })
        };
        if at.port() == 0 {
            let port = owner
                .ephemeral(|owner, port| !collides(owner, SocketAddr::new(at.ip(), port)))
                .ok_or(io::ErrorKind::AddrInUse)?;
            at.set_port(port);
        } else if collides(owner, at) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        let slot = listeners.insert(Listening::new(host, ListenAddress::Ip(at), options));
        owner.tcp.entry(at.port()).or_default().push(slot);
        Ok((slot, at))
    }

    pub(super) fn bind_unix(&mut self, host: usize, name: &UnixName, options: &SocketOptions) -> io::Result<Slot> {
        let Self { fabric, listeners, .. } = self;
        let owner = fabric.hosts.get_mut(host).filter(|owner| owner.up);
        let owner = owner.ok_or(io::ErrorKind::NetworkDown)?;
        if owner.unix.contains_key(name) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        let slot = listeners.insert(Listening::new(host, ListenAddress::Unix(name.clone()), options));
        owner.unix.insert(name.clone(), slot);
        Ok(slot)
    }

    pub(super) fn close_listener(&mut self, core: &Rc<Core>, slot: Slot) {
        let Some(listener) = self.listeners.remove(slot) else {
            return;
        };
        if let Some(host) = self.fabric.hosts.get_mut(listener.host) {
            match &listener.address {
                ListenAddress::Ip(at) => {
                    if let Some(slots) = host.tcp.get_mut(&at.port()) {
                        slots.retain(|other| *other != slot);
                        if slots.is_empty() {
                            host.tcp.remove(&at.port());
                        }
                    }
                }
                ListenAddress::Unix(name) => drop(host.unix.remove(name)),
            }
        }
        // Who was not accepted must not wait for ever.
        for pending in listener.pending {
            self.close(core, pending, SERVER, true);
        }
    }

    // Reading and writing.

    pub(super) fn read(
        &mut self,
        core: &Core,
        slot: Slot,
        which: Which,
        into: &mut tokio::io::ReadBuf<'_>,
        waiter: impl FnOnce(&Rc<str>) -> Waiter,
    ) -> Option<io::Result<()>> {
        let Some(conn) = self.conns.get_mut(slot) else {
            return Some(Err(io::ErrorKind::ConnectionReset.into()));
        };
        let from = 1 - which;
        let way = &mut conn.ways[from];
        let there = usize::try_from(way.arrived - way.read).unwrap_or(usize::MAX);
        let n = there.min(into.remaining());
        if n == 0 {
            let end = &mut conn.ends[which];
            if into.remaining() == 0 || way.ended && there == 0 {
                return Some(Ok(()));
            }
            if let Some(error) = end.error.take() {
                return Some(Err(error.into()));
            }
            if !end.alive {
                return Some(Ok(()));
            }
            end.reader = Some(waiter(&conn.name));
            return None;
        }
        let (front, back) = way.ring.as_slices();
        let first = n.min(front.len());
        into.put_slice(&front[..first]);
        into.put_slice(&back[..n - first]);
        if n == way.ring.len() {
            way.ring.clear();
            if way.ring.capacity() > KEPT {
                way.ring = VecDeque::new();
            }
        } else {
            way.ring.drain(..n);
        }
        way.read += n as u64;
        // As Linux does: small openings of the window are not told, nor those that the next data's answer tells in time.
        let opened = way.read + way.receive_room - way.told;
        let much = opened * 4 >= way.receive_room || way.read == way.arrived;
        let near = way.written > way.sent || way.told.saturating_sub(way.sent) * 2 < way.receive_room;
        if much && near {
            conn.answer(&mut self.fabric, core, from);
        }
        Some(Ok(()))
    }

    pub(super) fn write(
        &mut self,
        core: &Core,
        slot: Slot,
        which: Which,
        slices: &[io::IoSlice<'_>],
        waiter: impl FnOnce(&Rc<str>) -> Waiter,
    ) -> Option<io::Result<usize>> {
        let Some(conn) = self.conns.get_mut(slot) else {
            return Some(Err(io::ErrorKind::BrokenPipe.into()));
        };
        let end = &mut conn.ends[which];
        if let Some(error) = end.error.take() {
            return Some(Err(error.into()));
        }
        let way = &mut conn.ways[which];
        if !end.alive || way.closing {
            return Some(Err(io::ErrorKind::BrokenPipe.into()));
        }
        way.hear(core.now());
        let mut room = way.room();
        let mut written = 0;
        for slice in slices {
            let n = slice.len().min(room);
            way.ring.extend(&slice[..n]);
            written += n;
            room -= n;
        }
        if written == 0 {
            if slices.iter().all(|slice| slice.is_empty()) {
                return Some(Ok(0));
            }
            end.writer = Some(waiter(&conn.name));
            if let Some(answer) = way.answers.front() {
                let at = answer.at;
                conn.at(core, at);
            }
            return None;
        }
        way.written += written as u64;
        conn.pump(&mut self.fabric, core, which);
        Some(Ok(written))
    }

    /// Closes the writing side: the end follows everything that was written.
    pub(super) fn shutdown(&mut self, core: &Core, slot: Slot, which: Which) -> io::Result<()> {
        let Some(conn) = self.conns.get_mut(slot) else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        if !conn.ends[which].alive {
            return Err(io::ErrorKind::NotConnected.into());
        }
        conn.ways[which].closing = true;
        conn.pump(&mut self.fabric, core, which);
        Ok(())
    }

    /// A program gives its end up.
    pub(super) fn close(&mut self, core: &Rc<Core>, slot: Slot, which: Which, hard: bool) {
        let Some(conn) = self.conns.get_mut(slot) else { return };
        let incoming = &mut conn.ways[1 - which];
        let unread = incoming.arrived > incoming.read;
        let end = &mut conn.ends[which];
        end.held = false;
        (end.reader, end.writer, end.probe) = (None, None, None);
        if hard || unread || matches!(conn.phase, Phase::SynSent | Phase::SynReceived) {
            // Linux tells by a reset that data were not read.
            if matches!(conn.phase, Phase::SynSent | Phase::SynReceived) {
                end.alive = false;
                if conn.phase == Phase::SynSent {
                    // Nobody knows of it yet.
                    conn.phase = Phase::Established;
                }
            } else {
                conn.reset(&mut self.fabric, core, slot, which);
            }
        } else if end.alive {
            conn.ways[which].closing = true;
            conn.pump(&mut self.fabric, core, which);
            if conn.ways[which].ended {
                conn.ends[which].alive = false;
            }
        }
        self.free(slot);
    }

    // Faults.

    fn slots(&self, which: impl Fn(&Conn) -> bool) -> Vec<Slot> {
        let chosen = self.conns.iter().filter(|(_, conn)| which(conn));
        chosen.map(|(slot, _)| slot).collect()
    }

    /// Every connection with an end on this host.
    fn of_host(&self, host: usize) -> Vec<Slot> {
        let there = |conn: &Conn| conn.ends.iter().any(|end| end.host == host);
        self.slots(there)
    }

    /// A host loses all that it knew.
    pub(super) fn crash(&mut self, core: &Rc<Core>, host: usize) {
        let Some(state) = self.fabric.hosts.get_mut(host) else {
            return;
        };
        state.up = false;
        state.outgoing.clear();
        state.unix.clear();
        let listeners: Vec<Slot> = std::mem::take(&mut state.tcp).into_values().flatten().collect();
        for slot in listeners {
            if let Some(listener) = self.listeners.remove(slot) {
                self.fabric.woken.extend(listener.waiter);
                for pending in listener.pending {
                    if let Some(conn) = self.conns.get_mut(pending) {
                        conn.ends[SERVER].held = false;
                    }
                }
            }
        }
        let sockets = self
            .fabric
            .hosts
            .get_mut(host)
            .map(|state| std::mem::take(&mut state.udp));
        for slot in sockets.unwrap_or_default().into_values().flatten() {
            self.crash_udp(slot);
        }
        for slot in self.of_host(host) {
            for which in [CLIENT, SERVER] {
                if let Some(conn) = self.conns.get_mut(slot)
                    && conn.ends[which].host == host
                {
                    let half_open = conn.phase != Phase::Established && which == SERVER;
                    conn.ends[which].crashed = true;
                    conn.fail(&mut self.fabric, which, io::ErrorKind::ConnectionReset);
                    if half_open {
                        conn.ends[which].held = false;
                        if conn.phase == Phase::SynReceived {
                            conn.phase = Phase::SynSent;
                            conn.retry = None;
                            conn.listener = None;
                            conn.ends[which].error = None;
                            conn.ends[which].crashed = false;
                            self.retry_handshake(core, slot);
                        } else if conn.phase == Phase::AckSent {
                            conn.phase = Phase::Established;
                            conn.retry = None;
                        }
                    } else if which == CLIENT && conn.phase == Phase::SynSent {
                        conn.phase = Phase::Established;
                    }
                }
            }
            self.free(slot);
        }
        self.watch_all(core, |conn| conn.ends.iter().any(|end| end.host == host));
    }

    /// What lies between two hosts has changed: connections with keepalive take notice.
    pub(super) fn watch_all(&mut self, core: &Core, which: impl Fn(&Conn) -> bool) {
        for slot in self.slots(which) {
            if let Some(conn) = self.conns.get_mut(slot) {
                conn.watch(&mut self.fabric, core, CLIENT);
                conn.watch(&mut self.fabric, core, SERVER);
            }
        }
    }

    /// What was held goes on.
    pub(super) fn release(&mut self, world: &World, from: usize, to: usize) {
        let core = &world.core;
        let Some(path) = self.fabric.path(from, to) else { return };
        path.held = false;
        for parked in std::mem::take(&mut path.parked) {
            match parked {
                Parked::Control(slot, what) => {
                    if let Some(conn) = self.conns.get_mut(slot)
                        && !conn.control(&mut self.fabric, core, slot, what)
                        && !matches!(what, Control::Reset { .. })
                    {
                        self.retry_handshake(core, slot);
                    }
                }
                Parked::Datagram(packet) => self.send_packet(world, *packet),
            }
        }
        let crosses = |conn: &Conn| {
            let hosts = [conn.ends[CLIENT].host, conn.ends[SERVER].host];
            hosts == [from, to] || hosts == [to, from]
        };
        for slot in self.slots(crosses) {
            let Some(conn) = self.conns.get_mut(slot) else { continue };
            for which in [CLIENT, SERVER] {
                if conn.ends[which].host == from {
                    conn.ways[which].parked = false;
                    conn.pump(&mut self.fabric, core, which);
                    if conn.ways[1 - which].unanswered {
                        conn.ways[1 - which].resend = None;
                        conn.answer(&mut self.fabric, core, 1 - which);
                    }
                }
            }
        }
    }
}

/// Storage of a ring that stays with an idle connection.
const KEPT: usize = 1024;

impl Listening {
    fn new(host: usize, address: ListenAddress, options: &SocketOptions) -> Self {
        Self {
            host,
            address,
            options: options.clone(),
            backlog: None,
            half_open: 0,
            pending: VecDeque::new(),
            waiter: None,
        }
    }
}
