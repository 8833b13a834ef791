//! What is left of a connection for a while at the host that closed it first: its pair of addresses is not given anew, so
//! that late packets can't get into another connection.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use net_core::Instant;

use super::{Conn, SERVER, Which};
use crate::network::world::{Fabric, State};

/// As long as Linux holds them.
const HOLD: Duration = Duration::from_secs(60);

/// The pairs that a host holds: its own address, and the other one's.
#[derive(Debug, Default)]
pub(in crate::network) struct TimeWait {
    pairs: BTreeMap<(SocketAddr, SocketAddr), Held>,
    in_order: VecDeque<(Instant, (SocketAddr, SocketAddr))>,
}

#[derive(Clone, Copy, Debug)]
struct Held {
    until: Instant,
    /// SO_REUSEADDR of the listener that accepted it.
    reuse: bool,
}

impl TimeWait {
    fn enter(&mut self, now: Instant, pair: (SocketAddr, SocketAddr), reuse: bool) {
        while let Some((until, pair)) = self.in_order.front().copied()
            && until <= now
        {
            self.in_order.pop_front();
            if self.pairs.get(&pair).is_some_and(|held| held.until <= now) {
                self.pairs.remove(&pair);
            }
        }
        let until = now + HOLD;
        self.pairs.insert(pair, Held { until, reuse });
        self.in_order.push_back((until, pair));
    }

    /// Whether it holds that pair.
    pub(in crate::network) fn holds(&self, now: Instant, here: SocketAddr, there: SocketAddr) -> bool {
        self.pairs.get(&(here, there)).is_some_and(|held| held.until > now)
    }

    /// Whether it holds a pair that keeps a listener from that address.
    fn keeps_from(&self, now: Instant, at: SocketAddr, reuse: bool) -> bool {
        let held = self
            .pairs
            .iter()
            .filter(|(_, held)| held.until > now && !(held.reuse && reuse));
        held.into_iter().any(|((here, _), _)| covers(at, *here))
    }
}

/// Whether a listener at that address would get what is for the other.
fn covers(at: SocketAddr, address: SocketAddr) -> bool {
    at.port() == address.port() && (at.ip().is_unspecified() || at.ip() == address.ip())
}

impl Conn {
    /// An end that was the first to close goes into its host's list when the other end has closed too.
    pub(super) fn time_wait(&mut self, fabric: &mut Fabric, now: Instant, which: Which) {
        // Within a host Linux gives pairs anew at once, to those who connect.
        let matters = which == SERVER || self.ends[0].host != self.ends[1].host;
        let end = &mut self.ends[which];
        if !std::mem::take(&mut end.closed_first) || !matters || end.address.port() == 0 {
            return;
        }
        let (pair, reuse) = ((end.address, self.ends[1 - which].address), self.ends[which].reuse);
        if let Some(host) = fabric.hosts.get_mut(self.ends[which].host) {
            host.time_wait.enter(now, pair, reuse);
        }
    }
}

impl State {
    /// Whether connections that were accepted at that address, or what is left of them, keep a listener from it: they do
    /// unless both it and theirs said that the address may be used again.
    pub(super) fn is_kept_from(&self, now: Instant, host: usize, at: SocketAddr, reuse: bool) -> bool {
        let accepted = |conn: &Conn| {
            let end = &conn.ends[SERVER];
            end.host == host
                && covers(at, end.address)
                && !(end.reuse && reuse)
                && (end.alive || conn.ways[SERVER].ended)
        };
        let time_wait = self.fabric.hosts.get(host).map(|host| &host.time_wait);
        time_wait.is_some_and(|held| held.keeps_from(now, at, reuse))
            || self.conns.iter().any(|(_, conn)| accepted(conn))
    }
}
