//! Limits on connections: in all, and for each peer address.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use crate::lock::lock;

/// Counts a listener's open connections against its limits.
#[derive(Debug)]
pub(crate) struct Gate {
    max: usize,
    max_per_peer: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    open: usize,
    peers: BTreeMap<IpAddr, usize>,
    waiting: Option<Waker>,
}

/// A place at a [`Gate`]; given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    gate: Arc<Gate>,
    peer: Option<IpAddr>,
}

impl Gate {
    pub(crate) fn new(max: Option<usize>, max_per_peer: Option<usize>) -> Option<Arc<Self>> {
        if max.is_none() && max_per_peer.is_none() {
            return None;
        }
        Some(Arc::new(Self {
            max: max.unwrap_or(usize::MAX),
            max_per_peer: max_per_peer.unwrap_or(usize::MAX),
            state: Mutex::new(State::default()),
        }))
    }

    /// Ready while there is room for one more.
    pub(crate) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = lock(&self.state);
        if state.open < self.max {
            return Poll::Ready(());
        }
        state.waiting = Some(cx.waker().clone());
        Poll::Pending
    }

    /// A place for a connection from there, or which limit is reached.
    pub(crate) fn enter(self: &Arc<Self>, peer: Option<IpAddr>) -> Result<Permit, String> {
        let mut state = lock(&self.state);
        if state.open >= self.max {
            return Err(format!(
                "{} connections are open, the limit of this listener",
                state.open
            ));
        }
        if let Some(address) = peer {
            let count = state.peers.entry(address).or_default();
            if *count >= self.max_per_peer {
                return Err(format!(
                    "{count} connections from {address} are open, the limit for one peer"
                ));
            }
            *count += 1;
        }
        state.open += 1;
        Ok(Permit {
            gate: Arc::clone(self),
            peer,
        })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let waiting = {
            let mut state = lock(&self.gate.state);
            state.open -= 1;
            if let Some(address) = self.peer
                && let Some(count) = state.peers.get_mut(&address)
            {
                *count -= 1;
                if *count == 0 {
                    state.peers.remove(&address);
                }
            }
            state.waiting.take()
        };
        waiting.into_iter().for_each(Waker::wake);
    }
}
