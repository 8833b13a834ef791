//! Keepalive: what finds out about a dead peer while nothing is sent.

use std::io;
use std::time::Duration;

use super::packet::Control;
use super::{CLIENT, Conn, SERVER, Which};
use crate::environment::core::Core;
use crate::environment::queue::Slot;
use crate::network::world::{Fabric, State};

impl Conn {
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
    pub(super) fn watch(&mut self, fabric: &mut Fabric, core: &Core, which: Which) {
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

    pub(super) fn probe(&mut self, fabric: &mut Fabric, core: &Core, slot: Slot, which: Which) {
        let reachable = self.is_reachable(fabric);
        // It does not know of the connection, and did not end it in order.
        let gone = !self.ends[1 - which].alive && !self.ways[1 - which].ended;
        let end = &mut self.ends[which];
        end.probe = None;
        let Some(keepalive) = end.keepalive.filter(|_| end.alive && end.held) else {
            return;
        };
        if reachable {
            end.probes = 0;
            end.heard = core.now();
            let answer = Control::Reset {
                to: which,
                refused: false,
            };
            if gone && !self.control(fabric, core, slot, answer) {
                // The answer was lost: the next probe gets another one.
                let at = core.now() + keepalive.interval.max(Duration::from_millis(1));
                self.ends[which].probe = Some(at);
                self.at(core, at);
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
    /// What lies between two hosts has changed: connections with keepalive take notice.
    pub(in crate::network) fn watch_all(&mut self, core: &Core, which: impl Fn(&Conn) -> bool) {
        for slot in self.slots(which) {
            if let Some(conn) = self.conns.get_mut(slot) {
                conn.watch(&mut self.fabric, core, CLIENT);
                conn.watch(&mut self.fabric, core, SERVER);
            }
        }
    }
}
