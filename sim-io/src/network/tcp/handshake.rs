//! The handshake: from a call of connect to a connection that can be accepted.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use net_core::{Endpoint, SocketOptions};

use super::packet::Control;
use super::{Arrival, CLIENT, Conn, End, Phase, SERVER, Way};
use crate::environment::core::Core;
use crate::environment::queue::Slot;
use crate::network::world::{State, Waiter, World};

/// How long the first packet of a handshake waits for its answer.
const FIRST_RETRY: Duration = Duration::from_secs(1);

impl State {
    /// Begins a connection; the answer comes by `poll_connect`.
    pub(in crate::network) fn connect(
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
    pub(super) fn try_handshake(&mut self, core: &Rc<Core>, slot: Slot) {
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
            self.free(core.now(), slot);
            return;
        }
        if !conn.control(&mut self.fabric, core, slot, what) {
            self.retry_handshake(core, slot);
        }
    }

    pub(super) fn retry_handshake(&mut self, core: &Core, slot: Slot) {
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

    pub(super) fn on_control(&mut self, core: &Rc<Core>, slot: Slot, what: Control) {
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
        end.reuse = options.reuse_address;
        let receive = options.receive_buffer.unwrap_or(settings.receive_buffer).max(1) as u64;
        let way = &mut conn.ways[CLIENT];
        (way.receive_room, way.edge, way.told) = (receive, receive, receive);
        conn.ways[SERVER].send_room = options.send_buffer.unwrap_or(settings.send_buffer).max(1) as u64;
        self.try_handshake(core, slot);
    }

    /// The server knows of the connection: it can be accepted.
    pub(super) fn complete(&mut self, core: &Rc<Core>, slot: Slot) {
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
    pub(in crate::network) fn poll_connect(
        &mut self,
        slot: Slot,
        waiter: impl FnOnce() -> Waiter,
    ) -> Option<io::Result<()>> {
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
}
