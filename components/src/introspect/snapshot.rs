//! The running graph at one moment.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use net_core::Instant;

use super::is_stranded;
use crate::boxes::AnyNode;
use crate::lock::lock;
use crate::owner::Owner;
use crate::{Counts, Direction, System, SystemCounts};

/// The components that run, their boxes and links, at one moment.
///
/// It is drawn by [`to_dot`](Self::to_dot), [`to_mermaid`](Self::to_mermaid), [`to_json`](Self::to_json) and
/// [`to_lines`](Self::to_lines).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Snapshot {
    /// When.
    pub at: Instant,
    /// In the order in which they began.
    pub components: Vec<ComponentView>,
    /// From box to box, by their numbers.
    pub links: Vec<LinkView>,
    /// Those that wait for room in each other's boxes, in a circle: for each circle its links, as
    /// `from.outbox -> to.inbox`.
    pub circles: Vec<Vec<String>>,
    /// Those that wait for what will never come, by name: everything that sent to them has ended, and nobody tells them to
    /// end. See [`Event::Stranded`](crate::Event::Stranded).
    pub stranded: Vec<Arc<str>>,
    /// What the system has counted.
    pub counts: SystemCounts,
}

/// A component in a [`Snapshot`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ComponentView {
    /// Its number.
    pub id: u64,
    /// Its name: that of its type, and the number.
    pub name: Arc<str>,
    /// The name of its type.
    pub kind: Arc<str>,
    /// The component that started it.
    pub parent: Option<u64>,
    /// How long it has been running.
    pub age: Duration,
    /// How long its sends have been waiting for room, in all.
    pub time_blocked: Duration,
    /// Its boxes.
    pub boxes: Vec<BoxView>,
}

/// A box in a [`Snapshot`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BoxView {
    /// Its number.
    pub id: u64,
    /// Its name: `inbox`.
    pub name: String,
    /// Inbox or outbox.
    pub direction: Direction,
    /// What it is for.
    pub documentation: String,
    /// The type of its messages.
    pub message: &'static str,
    /// Messages that wait in it.
    pub depth: usize,
    /// How many it holds at most.
    pub capacity: Option<usize>,
    /// What it has counted, if it is an inbox.
    pub counts: Counts,
    /// Messages that have left by it, if it is an outbox.
    pub sent: u64,
    /// Messages that left by it while nothing was linked.
    pub discarded: u64,
    /// Messages each second since the component began, or in a [difference](Snapshot::since).
    pub rate: f64,
    /// Whether something is linked to it, or it to something.
    pub linked: bool,
}

/// A link in a [`Snapshot`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkView {
    /// The number of the box that messages leave by.
    pub from: u64,
    /// The number of the box that they go to.
    pub to: u64,
    /// How long a send by the source has been waiting for room at the end.
    pub blocked: Option<Duration>,
}

impl System {
    /// The components that run now, their boxes, links, depths and rates.
    pub fn snapshot(&self) -> Snapshot {
        let at = self.net().now();
        let running: Vec<Arc<Owner>> = lock(&self.0.running).values().cloned().collect();
        let mut nodes: BTreeMap<u64, Arc<dyn AnyNode>> = BTreeMap::new();
        let mut waiting: BTreeMap<u64, Duration> = BTreeMap::new();
        let mut circles: Vec<Vec<String>> = Vec::new();
        let mut components = Vec::new();
        for owner in &running {
            let age = at - owner.started();
            let boxes = owner.boxes();
            for block in owner.blocks() {
                waiting.insert(block.by.number(), at - block.since);
                if let Some(circle) = owner.circle(&block.by, &block.at)
                    && !circles
                        .iter()
                        .any(|known| known.iter().all(|link| circle.contains(link)))
                {
                    circles.push(circle);
                }
            }
            components.push(ComponentView {
                id: owner.id(),
                name: Arc::clone(owner.name()),
                kind: owner.kind().into(),
                parent: owner.parent(),
                age,
                time_blocked: owner.time_blocked(at),
                boxes: boxes.iter().map(|node| view(node.as_ref(), age)).collect(),
            });
            nodes.extend(boxes.into_iter().map(|node| (node.number(), node)));
        }
        let links = nodes.values().filter_map(|node| {
            Some(LinkView {
                from: node.number(),
                to: node.next_node()?.number(),
                blocked: waiting.get(&node.number()).copied(),
            })
        });
        let stranded = running.iter().filter(|owner| is_stranded(owner, self.services()));
        Snapshot {
            at,
            stranded: stranded.map(|owner| Arc::clone(owner.name())).collect(),
            links: links.collect(),
            components,
            circles,
            counts: self.counts(),
        }
    }
}

fn view(node: &dyn AnyNode, age: Duration) -> BoxView {
    let (sent, discarded) = node.sent_and_discarded();
    let counts = node.counts();
    BoxView {
        id: node.number(),
        name: node.box_name().into_owned(),
        direction: node.direction(),
        documentation: node.documentation().into_owned(),
        message: node.type_name(),
        depth: node.len(),
        capacity: node.options().capacity,
        counts,
        sent,
        discarded,
        rate: rate(passed(node.direction(), sent, &counts), age),
        linked: node.next_node().is_some() || node.has_sources(),
    }
}

/// The messages that have gone through a box.
fn passed(direction: Direction, sent: u64, counts: &Counts) -> u64 {
    match direction {
        Direction::In => counts.taken,
        Direction::Out => sent,
    }
}

fn rate(messages: u64, time: Duration) -> f64 {
    if time.is_zero() {
        0.0
    } else {
        messages as f64 / time.as_secs_f64()
    }
}

impl Snapshot {
    /// The same with the rates since an earlier one.
    #[must_use]
    pub fn since(mut self, earlier: &Self) -> Self {
        let time = self.at - earlier.at;
        let boxes = earlier.components.iter().flat_map(|component| &component.boxes);
        let before: BTreeMap<u64, u64> = boxes
            .map(|view| (view.id, passed(view.direction, view.sent, &view.counts)))
            .collect();
        for view in self.components.iter_mut().flat_map(|component| &mut component.boxes) {
            let now = passed(view.direction, view.sent, &view.counts);
            let messages = now.saturating_sub(before.get(&view.id).copied().unwrap_or(0));
            view.rate = rate(messages, time);
        }
        self
    }

    /// A component by its name.
    pub fn component(&self, name: &str) -> Option<&ComponentView> {
        self.components.iter().find(|component| &*component.name == name)
    }

    /// The links on which a sender waits for room, as (its component and box, the box that its link leads to).
    pub fn blocked_links(&self) -> Vec<(String, String)> {
        let blocked = self.links.iter().filter(|link| link.blocked.is_some());
        blocked.map(|link| (self.path(link.from), self.path(link.to))).collect()
    }

    /// `Component_1.inbox`, or the number of a box whose component does not run.
    pub(super) fn path(&self, number: u64) -> String {
        let found = self.components.iter().find_map(|component| {
            let view = component.boxes.iter().find(|view| view.id == number)?;
            Some(format!("{}.{}", component.name, view.name))
        });
        found.unwrap_or_else(|| format!("box {number}"))
    }
}
