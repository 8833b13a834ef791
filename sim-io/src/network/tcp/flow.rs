//! The flow of data: sending, arriving, and the acknowledgements that open the window.

use super::packet::header;
use super::{Answer, Burst, Conn, Phase, SERVER, Which};
use crate::environment::core::Core;
use crate::environment::queue::Slot;
use crate::network::bandwidth::Passage;
use crate::network::path::Fate;
use crate::network::tap::{Outcome, PacketKind};
use crate::network::world::Fabric;

impl Conn {
    /// Sends what may be sent.
    pub(super) fn pump(&mut self, fabric: &mut Fabric, core: &Core, from: Which) {
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
            let limited = fabric.limited;
            let Some(mut path) = fabric.path(here, there) else {
                return;
            };
            if path.held {
                way.parked = true;
                return;
            }
            let segment = path.link.largest_packet() - header;
            let queue = path.link.queue;
            if path.link.bandwidth.is_some() || limited {
                if let Some(room) = fabric.room(here, there, now) {
                    // Bursts stay small beside the window, so that acknowledgements keep coming while it is sent.
                    let burst = (way.receive_room / 8) as usize / segment.max(1) * segment;
                    let burst = burst.min(queue / 2 / (segment + header) * segment).max(segment);
                    let wanted = bytes.min(burst);
                    let needed = wanted + wanted.div_ceil(segment).max(1) * header;
                    if needed > room {
                        let at = fabric.when_room(here, there, now, needed);
                        self.at(core, at);
                        return;
                    }
                    if wanted < bytes {
                        (bytes, end) = (wanted, false);
                    }
                }
                let Some(again) = fabric.path(here, there) else { return };
                path = again;
            }
            let segments = bytes.div_ceil(segment).max(1);
            let (mut lost, mut whole) = (None, segments);
            if path.cut {
                (lost, whole, bytes, end) = (Some(Fate::Lost), 0, 0, false);
            } else if let Some((first, fate)) = path.first_lost(segments, core) {
                (lost, whole, bytes, end) = (Some(fate), first, bytes.min(first * segment), false);
            }
            let later = path.reordering(whole, core);
            // Mostly there is nothing but the path, which is at hand.
            let carried = !limited && whole > 0;
            let carried = carried.then(|| path.pass(Passage::at(now), bytes + whole * header, core).last);
            fabric.stats.packets += segments as u64;
            fabric.stats.lost += u64::from(lost.is_some());
            fabric.stats.corrupt += u64::from(lost == Some(Fate::Corrupt));
            if whole > 0 {
                let at = carried.unwrap_or_else(|| fabric.carry(here, there, now, bytes + whole * header, core).0);
                let at = (at + later).max(way.last_arrival);
                way.last_arrival = at;
                let before = way.sent;
                way.sent += bytes as u64;
                way.closed |= end;
                self.ends[from].closed_first |= end && !self.ways[1 - from].ended;
                let way = &mut self.ways[from];
                if !way.unanswered && fabric.is_up(there) {
                    // It gets on: the next loss begins with the shortest timer again. To a host that is down nothing does.
                    way.trouble = None;
                }
                let sent = way.sent;
                match way.flight.back_mut() {
                    Some(burst) if burst.at == at => {
                        burst.upto = sent;
                        burst.end |= end;
                    }
                    _ => {
                        let alone = way.flight.is_empty();
                        way.flight.push_back(Burst { at, upto: sent, end });
                        if alone {
                            self.at(core, at);
                        }
                    }
                }
                if fabric.watched {
                    let kind = if end { PacketKind::Fin } else { PacketKind::Data };
                    self.show(fabric, core, from, kind, (before, sent), Outcome::Arrives(at));
                }
            }
            if let Some(fate) = lost {
                if fabric.watched {
                    let way = &self.ways[from];
                    let range = (way.sent, way.written.min(way.sent + segment as u64));
                    self.show(fabric, core, from, PacketKind::Data, range, fate.into());
                }
                self.stall(fabric, core, from);
                return;
            }
        }
    }

    /// The receiver tells the sender of `way` how far it is.
    pub(super) fn answer(&mut self, fabric: &mut Fabric, core: &Core, from: Which) {
        let now = core.now();
        let (sender, receiver) = (self.ends[from].host, self.ends[1 - from].host);
        // Sent again, it counts only once both ways are open.
        let is_retry = self.ways[from].unanswered;
        let one_way = is_retry && fabric.path(sender, receiver).is_none_or(|path| path.cut);
        let up = fabric.is_up(sender);
        let Some(path) = fabric.path(receiver, sender) else {
            return;
        };
        let way = &mut self.ways[from];
        if path.cut || path.held || !up || one_way {
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
    pub(super) fn heard(&mut self, fabric: &mut Fabric, core: &Core, from: Which) {
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

    /// What has come of a direction by now.
    pub(super) fn arrive(&mut self, fabric: &mut Fabric, core: &Core, slot: Slot, from: Which) {
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
                self.refuse(fabric, core, slot, from);
            }
        }
        // An end that is closed lives until all that it sent has arrived.
        let way = &self.ways[from];
        if way.ended && !self.ends[from].held {
            self.ends[from].alive = false;
        }
    }
}
