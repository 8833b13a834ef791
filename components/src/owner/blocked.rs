//! Where components wait for room, and whether they wait for each other.

use std::sync::{Arc, Weak};
use std::time::Duration;

use net_core::Instant;

use super::Owner;
use crate::Event;
use crate::boxes::{AnyNode, Node};
use crate::lock::lock;

/// The longest circle that is looked for.
const MOST_LINKS: usize = 256;

#[derive(Default)]
pub(super) struct Blocks {
    now: Vec<Block>,
    total: Duration,
}

struct Block {
    by: Weak<dyn AnyNode>,
    at: Weak<dyn AnyNode>,
    since: Instant,
}

/// A wait for room.
pub(crate) struct Blocked {
    /// The outbox whose message waits.
    pub(crate) by: Arc<dyn AnyNode>,
    /// The full inbox.
    pub(crate) at: Arc<dyn AnyNode>,
    pub(crate) since: Instant,
}

impl Owner {
    /// A part of it begins to wait for room in another box.
    pub(crate) fn blocked_on<T: Send + 'static>(&self, by: &Arc<Node<T>>, at: &Arc<Node<T>>) {
        let Some(system) = self.system.upgrade() else { return };
        let by: Arc<dyn AnyNode> = Arc::clone(by) as Arc<dyn AnyNode>;
        let at: Arc<dyn AnyNode> = Arc::clone(at) as Arc<dyn AnyNode>;
        lock(&self.blocked).get_or_insert_default().now.push(Block {
            by: Arc::downgrade(&by),
            at: Arc::downgrade(&at),
            since: system.net.now(),
        });
        if let Some(circle) = self.circle(&by, &at) {
            system.tell(&Event::Circle { links: circle });
        }
    }

    pub(crate) fn unblocked(&self, by: u64) {
        let Some(system) = self.system.upgrade() else { return };
        let mut blocked = lock(&self.blocked);
        let Some(blocked) = blocked.as_mut() else { return };
        let found = blocked
            .now
            .iter()
            .position(|block| block.by.upgrade().is_some_and(|node| node.number() == by));
        if let Some(at) = found {
            let block = blocked.now.swap_remove(at);
            blocked.total += system.net.now() - block.since;
        }
    }

    /// The boxes in which it waits for room now.
    pub(crate) fn blocks(&self) -> Vec<Blocked> {
        let blocked = lock(&self.blocked);
        let upgraded = |block: &Block| {
            Some(Blocked {
                by: block.by.upgrade()?,
                at: block.at.upgrade()?,
                since: block.since,
            })
        };
        let now = blocked.iter().flat_map(|blocked| &blocked.now);
        now.filter_map(upgraded).collect()
    }

    pub(crate) fn time_blocked(&self, now: Instant) -> Duration {
        let blocked = lock(&self.blocked);
        let Some(blocked) = blocked.as_ref() else {
            return Duration::ZERO;
        };
        blocked
            .now
            .iter()
            .fold(blocked.total, |sum, block| sum + (now - block.since))
    }

    /// Whether those who wait for room wait for each other: the links, by name.
    pub(crate) fn circle(&self, by: &Arc<dyn AnyNode>, at: &Arc<dyn AnyNode>) -> Option<Vec<String>> {
        let link = |by: &Arc<dyn AnyNode>, at: &Arc<dyn AnyNode>| format!("{} -> {}", by.box_path(), at.box_path());
        // First whether there is one: most waits are none, and they should cost little.
        self.round(at, |_, _| {})?;
        let mut links = vec![link(by, at)];
        self.round(at, |by, at| links.push(link(by, at)))?;
        Some(links)
    }

    /// Goes from who holds a full box to where that one waits, and so on, until it is back here.
    fn round(&self, at: &Arc<dyn AnyNode>, mut step: impl FnMut(&Arc<dyn AnyNode>, &Arc<dyn AnyNode>)) -> Option<()> {
        let mut holder = at.any_owner()?;
        // A longer way than this may be a circle that leads past us.
        for _ in 0..MOST_LINKS {
            if holder.id == self.id {
                return Some(());
            }
            // The first place where each waits: a component that waits in two at once is rare, and shown in the picture.
            let (by, at) = {
                let blocked = lock(&holder.blocked);
                let block = blocked.as_ref()?.now.first()?;
                (block.by.upgrade()?, block.at.upgrade()?)
            };
            step(&by, &at);
            holder = at.any_owner()?;
        }
        None
    }
}
