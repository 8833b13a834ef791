//! Closing: in order, by a reset, by an error; and forgetting a connection.

use std::io;
use std::rc::Rc;

use net_core::Instant;

use super::packet::Control;
use super::{CLIENT, Conn, Phase, SERVER, Which};
use crate::environment::core::Core;
use crate::environment::queue::Slot;
use crate::network::world::{Fabric, State};

impl Conn {
    /// An end is over with an error: its program hears of it, the other end does not.
    pub(super) fn fail(&mut self, fabric: &mut Fabric, which: Which, error: io::ErrorKind) {
        let end = &mut self.ends[which];
        end.alive = false;
        end.probe = None;
        end.error = Some(error);
        end.wake(&mut fabric.woken);
        self.ways[which].discard();
    }

    /// An end sends a reset and forgets the connection.
    pub(super) fn reset(&mut self, fabric: &mut Fabric, core: &Core, slot: Slot, which: Which) {
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
}

impl State {
    /// Closes the writing side: the end follows everything that was written.
    pub(in crate::network) fn shutdown(&mut self, core: &Core, slot: Slot, which: Which) -> io::Result<()> {
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
    pub(in crate::network) fn close(&mut self, core: &Rc<Core>, slot: Slot, which: Which, hard: bool) {
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
        self.free(core.now(), slot);
    }

    /// Forgets a connection that nobody needs any more.
    pub(super) fn free(&mut self, now: Instant, slot: Slot) {
        let Some(conn) = self.conns.get_mut(slot) else { return };
        let end = &conn.ends[CLIENT];
        if !end.alive && !end.held {
            let port = (end.address.port(), conn.ends[SERVER].address);
            let host = self.fabric.hosts.get_mut(end.host);
            if host.is_some_and(|host| host.outgoing.remove(&port)) && conn.ways[CLIENT].ended {
                conn.time_wait(&mut self.fabric, now, CLIENT);
            }
        }
        if conn.is_over() {
            if conn.ways[CLIENT].ended && conn.ways[SERVER].ended {
                conn.time_wait(&mut self.fabric, now, SERVER);
            }
            self.conns.remove(slot);
        }
    }
}
