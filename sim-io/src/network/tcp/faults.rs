//! Faults: hosts that crash, paths that are held and released.

use std::io;
use std::rc::Rc;

use super::packet::{Control, Parked};
use super::{CLIENT, Conn, Phase, SERVER, TimeWait};
use crate::environment::core::Core;
use crate::environment::queue::Slot;
use crate::network::world::{State, World};

impl State {
    pub(super) fn slots(&self, which: impl Fn(&Conn) -> bool) -> Vec<Slot> {
        let chosen = self.conns.iter().filter(|(_, conn)| which(conn));
        chosen.map(|(slot, _)| slot).collect()
    }

    /// Every connection with an end on this host.
    fn of_host(&self, host: usize) -> Vec<Slot> {
        let there = |conn: &Conn| conn.ends.iter().any(|end| end.host == host);
        self.slots(there)
    }

    /// A host loses all that it knew.
    pub(in crate::network) fn crash(&mut self, core: &Rc<Core>, host: usize) {
        let Some(state) = self.fabric.hosts.get_mut(host) else {
            return;
        };
        state.up = false;
        state.outgoing.clear();
        state.time_wait = TimeWait::default();
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
            self.free(core.now(), slot);
        }
        self.watch_all(core, |conn| conn.ends.iter().any(|end| end.host == host));
    }

    /// What was held goes on.
    pub(in crate::network) fn release(&mut self, world: &World, from: usize, to: usize) {
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
                        // One timer serves both: what was lost still waits for it.
                        if !conn.ways[1 - which].stalled {
                            conn.ways[1 - which].resend = None;
                        }
                        conn.answer(&mut self.fabric, core, 1 - which);
                    }
                }
            }
        }
    }
}
