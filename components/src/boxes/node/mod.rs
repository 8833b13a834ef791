//! A box in the net of links: where its messages go, who may send to it, and whose it is.

mod any;
mod links;

use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};

use super::store::Store;
use crate::lock::lock;
use crate::owner::Owner;
use crate::{BoxOptions, WhenFull};

pub(crate) use any::AnyNode;
pub(crate) use links::{Place, Target};

static NUMBERS: AtomicU64 = AtomicU64::new(1);

/// Which way messages go through a box, seen from its component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// An inbox.
    In,
    /// An outbox.
    Out,
}

impl Direction {
    /// `inbox` or `outbox`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::In => "inbox",
            Self::Out => "outbox",
        }
    }
}

pub(crate) struct Node<T> {
    number: u64,
    direction: Direction,
    /// An outbox that keeps messages while it is not linked.
    holds: bool,
    label: OnceLock<Label>,
    /// Counts the changes of the links ahead, so that senders know when to look anew.
    generation: AtomicU64,
    wiring: Mutex<Wiring<T>>,
    /// Where messages wait, for boxes that keep them; in boxes that are made late, once the first one is sent.
    store: OnceLock<Arc<Store<T>>>,
    /// Messages that an outbox has sent.
    pub(crate) sent: AtomicU64,
    /// Messages that an outbox sent while nothing was linked.
    pub(crate) discarded: AtomicU64,
    /// A signal to end has left by this outbox.
    pub(crate) said_end: AtomicBool,
}

/// The name of a box, and its component's.
struct Label {
    name: Cow<'static, str>,
    documentation: Cow<'static, str>,
    owner: Option<Arc<Owner>>,
}

struct Wiring<T> {
    next: Option<Arc<Node<T>>>,
    when_full: Option<WhenFull>,
    sources: Vec<Weak<Node<T>>>,
    /// Who gets what is unread when the receiver goes.
    heir: Option<Weak<Node<T>>>,
}

impl<T: Send + 'static> Node<T> {
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn new(direction: Direction, options: BoxOptions, holds: bool) -> Arc<Self> {
        let node = Self::late(direction, holds);
        if node.keeps() {
            let _ = node.store.set(Arc::new(Store::new(options.of::<T>(), None)));
        }
        node
    }

    /// A box whose place for messages is made when the first one is sent to it.
    pub(crate) fn late(direction: Direction, holds: bool) -> Arc<Self> {
        Arc::new(Self {
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            direction,
            holds,
            label: OnceLock::new(),
            generation: AtomicU64::new(0),
            wiring: Mutex::new(Wiring {
                next: None,
                when_full: None,
                sources: Vec::new(),
                heir: None,
            }),
            store: OnceLock::new(),
            sent: AtomicU64::new(0),
            discarded: AtomicU64::new(0),
            said_end: AtomicBool::new(false),
        })
    }

    #[inline]
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    #[inline]
    pub(crate) fn owner(&self) -> Option<&Arc<Owner>> {
        self.label.get().and_then(|label| label.owner.as_ref())
    }

    fn keeps(&self) -> bool {
        self.direction == Direction::In || self.holds
    }

    /// Where messages wait, if there ever were any.
    #[inline]
    pub(crate) fn store(&self) -> Option<&Arc<Store<T>>> {
        self.store.get()
    }

    /// Where messages wait; made if need be, with the task of the component as its receiver.
    pub(crate) fn place(&self) -> &Arc<Store<T>> {
        match self.store.get() {
            Some(store) => store,
            None => {
                let _wiring = lock(&self.wiring);
                self.store.get_or_init(|| {
                    let receiver = self.owner().and_then(|owner| owner.task()).cloned();
                    Arc::new(Store::new(BoxOptions::default().of::<T>(), receiver))
                })
            }
        }
    }

    /// Does something while no place for messages is being made.
    pub(crate) fn unplaced(&self, work: impl FnOnce()) {
        let _wiring = lock(&self.wiring);
        work();
    }

    fn next(&self) -> Option<Arc<Self>> {
        lock(&self.wiring).next.clone()
    }

    /// The component's name and the box's: `Doubler_3.inbox`.
    pub(crate) fn path(&self) -> String {
        match self.label.get() {
            Some(label) => match &label.owner {
                Some(owner) => format!("{}.{}", owner.name(), label.name),
                None => label.name.to_string(),
            },
            None => format!("{} {}", self.direction.word(), self.number),
        }
    }

    pub(crate) fn name(&self) -> Cow<'static, str> {
        match self.label.get() {
            Some(label) => label.name.clone(),
            None => format!("{} {}", self.direction.word(), self.number).into(),
        }
    }

    pub(crate) fn is_linked(&self) -> bool {
        lock(&self.wiring).next.is_some()
    }
}

impl<T> fmt::Debug for Node<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node")
            .field("number", &self.number)
            .field("direction", &self.direction)
            .finish_non_exhaustive()
    }
}
