//! A record of a network's events.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use net_core::{ClosedBy, ConnectionId, Error, EventKind, Net, NetEvent};

/// Every event of a network, in order.
#[derive(Clone, Default)]
pub(crate) struct Events(Arc<Mutex<Vec<NetEvent>>>);

impl Events {
    /// The same network, recorded.
    pub(crate) fn of(net: &Net) -> (Net, Self) {
        let events = Self::default();
        let record = events.clone();
        let net = net.observed(move |event| record.0.lock().unwrap().push(event.clone()));
        (net, events)
    }

    pub(crate) fn all(&self) -> Vec<NetEvent> {
        self.0.lock().unwrap().clone()
    }

    /// What happened to one connection.
    pub(crate) fn about(&self, id: ConnectionId) -> Vec<EventKind> {
        let about_it = |event: &NetEvent| event.connection == Some(id);
        self.all()
            .into_iter()
            .filter(about_it)
            .map(|event| event.kind)
            .collect()
    }

    /// How a connection ended, if it has.
    pub(crate) fn end_of(&self, id: ConnectionId) -> Option<(ClosedBy, Option<Error>)> {
        self.about(id).into_iter().find_map(|kind| match kind {
            EventKind::Closed { by, cause } => Some((by, cause)),
            _ => None,
        })
    }

    /// Checks the promise: once everything is dropped, each connection's events begin with its one `Opened` and end with
    /// its one `Closed`, time never goes back, and the counters agree.
    pub(crate) fn check_all_closed(&self, net: &Net) {
        let events = self.all();
        assert!(events.is_sorted_by_key(|event| event.at), "time went back: {events:?}");
        let mut lives: BTreeMap<ConnectionId, Vec<EventKind>> = BTreeMap::new();
        for event in &events {
            if let Some(id) = event.connection {
                lives.entry(id).or_default().push(event.kind.clone());
            }
        }
        for (id, life) in &lives {
            let opened = life
                .iter()
                .filter(|kind| matches!(kind, EventKind::Opened { .. }))
                .count();
            let closed = life
                .iter()
                .filter(|kind| matches!(kind, EventKind::Closed { .. }))
                .count();
            assert_eq!((opened, closed), (1, 1), "{id}: {life:?}");
            assert!(matches!(life.first(), Some(EventKind::Opened { .. })), "{id}: {life:?}");
            assert!(matches!(life.last(), Some(EventKind::Closed { .. })), "{id}: {life:?}");
            if let Some(EventKind::Closed { by, cause }) = life.last() {
                assert_eq!(*by == ClosedBy::Error, cause.is_some(), "{id}: {life:?}");
            }
        }
        let stats = net.stats();
        let count = |which: fn(&EventKind) -> bool| events.iter().filter(|event| which(&event.kind)).count() as u64;
        assert_eq!(stats.opened, lives.len() as u64);
        assert_eq!(stats.closed, stats.opened);
        assert_eq!(stats.open(), 0);
        assert_eq!(stats.rejected, count(|kind| matches!(kind, EventKind::Rejected { .. })));
        assert_eq!(
            stats.accept_pauses,
            count(|kind| matches!(kind, EventKind::AcceptPaused { .. }))
        );
        assert_eq!(
            stats.read_pauses,
            count(|kind| matches!(kind, EventKind::Backpressure(true)))
        );
        let faults = count(|kind| matches!(kind, EventKind::Fault(_)))
            + count(|kind| matches!(kind, EventKind::Closed { cause: Some(_), .. }));
        assert_eq!(stats.faults, faults);
    }
}
