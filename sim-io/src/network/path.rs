//! Paths: what becomes of packets that go from one host to another.

use std::rc::Rc;
use std::time::Duration;

use net_core::Instant;

use super::bandwidth::{Line, Passage};
use super::link::{Link, Loss, fraction};
use super::tcp::Parked;
use super::world::Fabric;
use crate::environment::core::Core;

/// Draws only if the outcome is open, so that an unused setting changes no other draw.
fn happens(probability: f64, core: &Core) -> bool {
    probability > 0.0 && fraction(core) < probability
}

/// One direction between two hosts: its link, and the state that it is in.
#[derive(Debug)]
pub(super) struct Path {
    pub(super) link: Rc<Link>,
    /// The link is its own, not the network's default.
    pub(super) own: bool,
    line: Line,
    /// The bad state of a link that loses in bursts.
    bad: bool,
    pub(super) cut: bool,
    pub(super) held: bool,
    /// What waits until it is released.
    pub(super) parked: Vec<Parked>,
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It arrives; perhaps twice.
    Arrives(Instant, Option<Instant>),
    Lost,
    Corrupt,
    /// It waits until the path is released.
    Held,
}

impl Path {
    pub(super) fn new(link: Rc<Link>, own: bool) -> Self {
        Self {
            link,
            own,
            line: Line::default(),
            bad: false,
            cut: false,
            held: false,
            parked: Vec::new(),
        }
    }

    /// Bytes that find room in the queue now; none if there is no limit.
    pub(super) fn room(&self, now: Instant) -> Option<usize> {
        let bits = self.link.bandwidth?;
        Some(self.line.room(bits, self.link.queue, self.link.largest_packet(), now))
    }

    /// When that many bytes will find room.
    pub(super) fn when_room(&self, now: Instant, bytes: usize) -> Instant {
        match self.link.bandwidth {
            Some(bits) => self.line.when_room(bits, self.link.queue, bytes, now),
            None => now,
        }
    }

    /// When so many bytes arrive, behind what waits already.
    #[inline]
    pub(super) fn pass(&mut self, mut passage: Passage, bytes: usize, core: &Core) -> Passage {
        if let Some(bits) = self.link.bandwidth {
            passage = self.line.pass(bits, passage, bytes, self.link.largest_packet());
        }
        let latency = self.link.draw(core);
        Passage {
            first: passage.first + latency,
            last: passage.last + latency,
        }
    }

    /// When an acknowledgement arrives that leaves now: it takes no bandwidth.
    #[inline]
    pub(super) fn acknowledgement(&self, now: Instant, core: &Core) -> Instant {
        now + self.link.draw(core)
    }

    /// The first of so many packets that is lost or damaged, and which of the two.
    #[inline]
    pub(super) fn first_lost(&mut self, packets: usize, core: &Core) -> Option<(usize, Fate)> {
        let (loss, corrupt) = (self.link.loss, self.link.corrupt);
        if loss == Loss::None && corrupt <= 0.0 {
            return None;
        }
        match loss {
            Loss::Bursts { .. } => (0..packets).find_map(|index| Some((index, self.harm(core)?))),
            Loss::None => Some((first(corrupt, packets, core)?, Fate::Corrupt)),
            Loss::Random(loss) => {
                let index = first(1.0 - (1.0 - loss) * (1.0 - corrupt), packets, core)?;
                let any = loss + corrupt - loss * corrupt;
                let lost = corrupt <= 0.0 || fraction(core) * any < loss;
                Some((index, if lost { Fate::Lost } else { Fate::Corrupt }))
            }
        }
    }

    /// What befalls the next packet.
    fn harm(&mut self, core: &Core) -> Option<Fate> {
        if self.loses(core) {
            Some(Fate::Lost)
        } else {
            happens(self.link.corrupt, core).then_some(Fate::Corrupt)
        }
    }

    /// How much later a burst of a stream is there for one of its packets that came too late.
    #[inline]
    pub(super) fn reordering(&self, packets: usize, core: &Core) -> Duration {
        match first(self.link.reorder, packets, core) {
            Some(_) => self.link.reorder_by,
            None => Duration::ZERO,
        }
    }

    fn loses(&mut self, core: &Core) -> bool {
        match self.link.loss {
            Loss::None => false,
            Loss::Random(probability) => happens(probability, core),
            Loss::Bursts {
                worsen,
                mend,
                good,
                bad,
            } => {
                if happens(if self.bad { mend } else { worsen }, core) {
                    self.bad = !self.bad;
                }
                happens(if self.bad { bad } else { good }, core)
            }
        }
    }

    /// What becomes of a packet that is no stream data and would arrive then; `packets` is the number of its fragments.
    fn fate(&mut self, mut at: Instant, now: Instant, packets: usize, core: &Core) -> Fate {
        if let Some(harm) = (0..packets).find_map(|_| self.harm(core)) {
            return harm;
        }
        if happens(self.link.reorder, core) {
            at += self.link.reorder_by;
        }
        let copy = happens(self.link.duplicate, core).then(|| self.acknowledgement(now, core));
        Fate::Arrives(at, copy)
    }
}

impl Fabric {
    /// Bytes that find room on the way to a host now; none if there is no limit.
    pub(super) fn room(&mut self, from: usize, to: usize, now: Instant) -> Option<usize> {
        let path = self.path(from, to)?;
        let (room, packet) = (path.room(now), path.link.largest_packet());
        if !self.limited || from == to {
            return room;
        }
        let up = self.hosts.get(from).and_then(|host| host.up_line.as_ref());
        let up = up.map(|up| up.room(packet, now));
        // What comes down waits at the other end; but bursts are to be small then, too.
        let down = self.hosts.get(to).and_then(|host| host.down_line.as_ref());
        let down = down.map(|_| usize::MAX);
        [room, up, down].into_iter().flatten().min()
    }

    /// When that many bytes will find room.
    pub(super) fn when_room(&mut self, from: usize, to: usize, now: Instant, bytes: usize) -> Instant {
        let at = self.path(from, to).map_or(now, |path| path.when_room(now, bytes));
        let up = self.hosts.get(from).and_then(|host| host.up_line.as_ref());
        let up = up.filter(|_| from != to).map_or(now, |up| up.when_room(bytes, now));
        at.max(up).max(now + Duration::from_nanos(1))
    }

    /// When so many bytes arrive that leave now, and whether they found room at the other end's line.
    #[inline]
    pub(super) fn carry(&mut self, from: usize, to: usize, now: Instant, bytes: usize, core: &Core) -> (Instant, bool) {
        let mut passage = Passage::at(now);
        if !self.limited || from == to {
            let path = self.path(from, to);
            return (path.map_or(now, |path| path.pass(passage, bytes, core).last), true);
        }
        let packet = self.path(from, to).map_or(0, |path| path.link.largest_packet());
        if let Some(up) = self.hosts.get_mut(from).and_then(|host| host.up_line.as_mut()) {
            passage = up.pass(passage, bytes, packet);
        }
        if let Some(path) = self.path(from, to) {
            passage = path.pass(passage, bytes, core);
        }
        let mut found_room = true;
        if let Some(down) = self.hosts.get_mut(to).and_then(|host| host.down_line.as_mut()) {
            (passage, found_room) = down.pass(now, passage, bytes, packet);
        }
        (passage.last, found_room)
    }

    /// Sends a packet that is no stream data; `packets` is the number of its fragments.
    pub(super) fn send(&mut self, [from, to]: [usize; 2], bytes: usize, packets: usize, core: &Core) -> Fate {
        let now = core.now();
        let Some(path) = self.path(from, to) else {
            return Fate::Lost;
        };
        if path.cut {
            return Fate::Lost;
        }
        if path.held {
            return Fate::Held;
        }
        if self.room(from, to, now).is_some_and(|room| bytes > room) {
            return Fate::Lost;
        }
        let (at, found_room) = self.carry(from, to, now, bytes, core);
        match self.path(from, to) {
            Some(path) if found_room => path.fate(at, now, packets, core),
            _ => Fate::Lost,
        }
    }
}

/// The first of so many independent events that happens, by one draw.
fn first(probability: f64, count: usize, core: &Core) -> Option<usize> {
    if probability <= 0.0 {
        return None;
    }
    if probability >= 1.0 {
        return Some(0);
    }
    let before = ((1.0 - fraction(core)).ln() / (1.0 - probability).ln()).floor();
    (before < count as f64).then_some(before as usize)
}
