//! A box in the net of links: where its messages go, who may send to it, and whose it is.

mod any;
mod links;
mod wiring;

use std::any::type_name;
use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use super::store::Store;
use crate::BoxOptions;
use crate::lock::lock;
use crate::owner::Owner;

pub(crate) use any::AnyNode;
pub(crate) use links::{Place, Target};
use wiring::Wiring;

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
    /// Where it was made: its name in errors until its component is known.
    made: &'static Location<'static>,
    /// Counts the changes of the links ahead, so that senders know when to look anew.
    generation: AtomicU32,
    wiring: Mutex<Wiring<T>>,
    /// Where messages wait, for boxes that keep them; made when it is first needed.
    store: OnceLock<Arc<Store<T>>>,
    /// Messages that the receiver has taken out in a batch and not handed to its component yet. Only the receiver writes it.
    pub(crate) in_hand: AtomicUsize,
    /// Messages that an outbox has sent.
    pub(crate) sent: AtomicU64,
    /// Messages that an outbox sent while nothing was linked.
    pub(crate) discarded: AtomicU64,
    /// A signal to end has left by this outbox.
    pub(crate) said_end: AtomicBool,
    /// Nothing more will leave by this outbox, though its component runs.
    spent: AtomicBool,
    /// The receiver went before there was a place for messages. Under the lock of `wiring`.
    closed: AtomicBool,
}

/// The name of a box, and its component's.
struct Label {
    words: Words,
    owner: Option<Arc<Owner>>,
}

/// The name of a box and what it is for: nearly always known to the compiler.
enum Words {
    Fixed(&'static str, &'static str),
    Made(Box<(Cow<'static, str>, Cow<'static, str>)>),
}

impl Words {
    fn new(name: Cow<'static, str>, documentation: Cow<'static, str>) -> Self {
        match (name, documentation) {
            (Cow::Borrowed(name), Cow::Borrowed(documentation)) => Self::Fixed(name, documentation),
            words => Self::Made(Box::new(words)),
        }
    }

    fn name(&self) -> Cow<'static, str> {
        match self {
            Self::Fixed(name, _) => Cow::Borrowed(name),
            Self::Made(words) => words.0.clone(),
        }
    }

    fn documentation(&self) -> Cow<'static, str> {
        match self {
            Self::Fixed(_, documentation) => Cow::Borrowed(documentation),
            Self::Made(words) => words.1.clone(),
        }
    }
}

impl<T: Send + 'static> Node<T> {
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// A box. `holds`: an outbox that keeps messages while it is not linked.
    #[track_caller]
    pub(crate) fn new(direction: Direction, options: BoxOptions, holds: bool) -> Arc<Self> {
        let node = Self {
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            direction,
            holds,
            label: OnceLock::new(),
            made: Location::caller(),
            generation: AtomicU32::new(0),
            wiring: Mutex::new(Wiring::new()),
            store: OnceLock::new(),
            in_hand: AtomicUsize::new(0),
            sent: AtomicU64::new(0),
            discarded: AtomicU64::new(0),
            said_end: AtomicBool::new(false),
            spent: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        };
        let options = options.of::<T>();
        if node.keeps() && options != Self::default_options() {
            let _ = node.store.set(Arc::new(Store::new(options, None)));
        }
        Arc::new(node)
    }

    /// The options of boxes whose place for messages is made late.
    fn default_options() -> BoxOptions {
        BoxOptions::default().of::<T>()
    }

    #[inline]
    pub(crate) fn generation(&self) -> u32 {
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
    #[inline]
    pub(crate) fn place(&self) -> &Arc<Store<T>> {
        match self.store.get() {
            Some(store) => store,
            None => self.make_place(),
        }
    }

    #[cold]
    fn make_place(&self) -> &Arc<Store<T>> {
        let _wiring = lock(&self.wiring);
        self.store.get_or_init(|| {
            let owner = self.owner().filter(|_| self.direction == Direction::In);
            let receiver = owner.and_then(|owner| owner.task()).cloned();
            let store = Store::new(Self::default_options(), receiver);
            if self.closed.load(Ordering::Relaxed) {
                store.close(&self.in_hand, 0);
            }
            Arc::new(store)
        })
    }

    /// Whether there is no place for messages yet. Who makes one from now on has it wake the component's task, if that runs by
    /// now.
    pub(crate) fn is_unplaced(&self) -> bool {
        let _wiring = lock(&self.wiring);
        self.store.get().is_none()
    }

    /// Says how many messages the receiver still has in hand.
    #[inline]
    pub(crate) fn hold(&self, messages: usize) {
        self.in_hand.store(messages, Ordering::Release);
    }

    /// Wakes senders that there is room for.
    pub(crate) fn settle(&self) {
        if let Some(store) = self.store() {
            store.settle(&self.in_hand);
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

    /// The component's name and the box's: `Doubler_3.inbox`. Until it has one: what it is, and where it was made.
    pub(crate) fn path(&self) -> String {
        match self.label.get() {
            Some(label) => match &label.owner {
                Some(owner) => format!("{}.{}", owner.name(), label.words.name()),
                None => label.words.name().into_owned(),
            },
            None => format!(
                "{} {} of {} (made at {})",
                self.direction.word(),
                self.number,
                type_name::<T>(),
                self.made
            ),
        }
    }

    pub(crate) fn name(&self) -> Cow<'static, str> {
        match self.label.get() {
            Some(label) => label.words.name(),
            None => format!("{} {}", self.direction.word(), self.number).into(),
        }
    }

    /// Whether messages may still leave by this outbox.
    fn may_send(&self) -> bool {
        self.direction == Direction::Out && !self.spent.load(Ordering::Acquire)
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
