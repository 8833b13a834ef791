//! What was lost is sent again, until the connection is given up.

use std::io;
use std::time::Duration;

use super::packet::Control;
use super::{Conn, Which};
use crate::environment::core::Core;
use crate::environment::queue::Slot;
use crate::network::world::Fabric;

/// Linux's smallest and largest time until lost data are sent again.
const RTO_MIN: Duration = Duration::from_millis(200);
const RTO_MAX: Duration = Duration::from_secs(120);

impl Conn {
    /// Something was lost: it is sent again later.
    pub(super) fn stall(&mut self, fabric: &mut Fabric, core: &Core, from: Which) {
        self.ways[from].stalled = true;
        self.try_later(fabric, core, from);
    }

    pub(super) fn try_later(&mut self, fabric: &mut Fabric, core: &Core, from: Which) {
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

    /// An end that is gone answers what comes by a reset. If that is lost, the next try gets another one.
    pub(super) fn refuse(&mut self, fabric: &mut Fabric, core: &Core, slot: Slot, from: Which) {
        let answer = Control::Reset {
            to: from,
            refused: false,
        };
        if !self.control(fabric, core, slot, answer) {
            self.ways[from].unanswered = true;
            self.try_later(fabric, core, from);
        }
    }

    /// Tries what failed once more; gives the connection up if that has gone on for too long.
    pub(super) fn resend(&mut self, fabric: &mut Fabric, core: &Core, slot: Slot, from: Which) {
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
            if self.ends[1 - from].alive || self.ways[1 - from].ended {
                self.answer(fabric, core, from);
            } else if self.ends[from].alive {
                self.ways[from].unanswered = false;
                self.refuse(fabric, core, slot, from);
            }
        }
        self.pump(fabric, core, from);
    }
}
