//! A box in the net of links: where its messages go, who may send to it, and whose it is.

use std::any::{Any, type_name};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, Weak};

use super::inbox::Inbox;
use super::outbox::Outbox;
use super::store::{Counts, Store};
use crate::lock::lock;
use crate::owner::Owner;
use crate::{BoxOptions, LinkError, WhenFull};

/// Held while links change or are followed: both are rare, and a chain may cross any number of boxes.
static TOPOLOGY: Mutex<()> = Mutex::new(());

fn topology() -> MutexGuard<'static, ()> {
    lock(&TOPOLOGY)
}

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
    pub(crate) store: Store<T>,
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

/// Where messages of a box end up.
pub(crate) struct Target<T> {
    /// The box at the end of the chain, if it keeps messages.
    pub(crate) node: Option<Arc<Node<T>>>,
    pub(crate) when_full: Option<WhenFull>,
    pub(crate) generation: u64,
}

impl<T: Send + 'static> Node<T> {
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn new(direction: Direction, options: BoxOptions, holds: bool) -> Arc<Self> {
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
            store: Store::new(options.of::<T>()),
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

    fn next(&self) -> Option<Arc<Self>> {
        lock(&self.wiring).next.clone()
    }

    /// Follows the links to the end.
    pub(crate) fn resolve(self: &Arc<Self>) -> Target<T> {
        let _topology = topology();
        let generation = self.generation();
        let mut when_full = None;
        let mut end = Arc::clone(self);
        loop {
            let next = {
                let wiring = lock(&end.wiring);
                when_full = when_full.or(wiring.when_full);
                wiring.next.clone()
            };
            match next {
                Some(next) => end = next,
                None => break,
            }
        }
        Target {
            node: end.keeps().then_some(end),
            when_full,
            generation,
        }
    }

    fn end_of(self: &Arc<Self>) -> Arc<Self> {
        let mut end = Arc::clone(self);
        while let Some(next) = end.next() {
            end = next;
        }
        end
    }

    pub(crate) fn link(
        self: &Arc<Self>,
        to: &Arc<Self>,
        when_full: Option<WhenFull>,
        instead: bool,
    ) -> Result<(), LinkError> {
        let _topology = topology();
        if self.direction == Direction::In && to.direction == Direction::Out {
            return Err(LinkError::Backwards {
                from: self.path(),
                to: to.path(),
            });
        }
        let before = self.next();
        if let Some(there) = &before
            && !instead
        {
            return Err(LinkError::AlreadyLinked {
                from: self.path(),
                there: there.path(),
                to: to.path(),
            });
        }
        let mut end = Arc::clone(to);
        loop {
            if Arc::ptr_eq(&end, self) {
                return Err(LinkError::Circle {
                    from: self.path(),
                    to: to.path(),
                });
            }
            match end.next() {
                Some(next) => end = next,
                None => break,
            }
        }
        if let Some(there) = before {
            self.cut(&there);
        }
        end.store.reopen();
        if self.keeps() {
            let target = end.keeps().then_some(&end.store);
            if let Err((len, size)) = self.store.forward(target) {
                return Err(LinkError::NoSpaceInBox {
                    from: self.path(),
                    to: end.path(),
                    len,
                    size,
                });
            }
        }
        {
            let mut wiring = lock(&self.wiring);
            wiring.next = Some(Arc::clone(to));
            wiring.when_full = when_full;
        }
        lock(&to.wiring).sources.push(Arc::downgrade(self));
        self.changed();
        Ok(())
    }

    /// Takes the link ahead away; false if there was none.
    pub(crate) fn unlink(self: &Arc<Self>) -> bool {
        let _topology = topology();
        let Some(there) = self.next() else { return false };
        self.cut(&there);
        true
    }

    fn cut(self: &Arc<Self>, there: &Arc<Self>) {
        let end = there.end_of();
        lock(&self.wiring).next = None;
        self.store.reopen();
        lock(&there.wiring)
            .sources
            .retain(|source| source.strong_count() > 0 && !std::ptr::eq(source.as_ptr(), Arc::as_ptr(self)));
        self.changed();
        // Who waits for room there may have a new place to send to.
        end.store.wake_all();
        end.finish_if_lonely();
    }

    /// An inbox outside of components ends with its last source.
    fn finish_if_lonely(&self) {
        if self.direction == Direction::In && self.label.get().is_none() && lock(&self.wiring).sources.is_empty() {
            self.store.finish();
        }
    }

    /// The receiver goes, with these messages in hand: what is unread goes back to the heir, or is given up; how many were.
    pub(crate) fn close(self: &Arc<Self>, mut in_hand: VecDeque<T>) -> usize {
        let heir = lock(&self.wiring).heir.take().and_then(|heir| heir.upgrade());
        let Some(heir) = heir else {
            let left = self.store.close(in_hand.len());
            return left.len() + in_hand.len();
        };
        {
            let _topology = topology();
            // First the link, so that what comes from now on waits behind what is unread.
            if heir.next().is_some_and(|next| Arc::ptr_eq(&next, self)) {
                heir.cut(self);
            }
        }
        in_hand.append(&mut self.store.abandon(in_hand.len()));
        heir.store.put_first(in_hand);
        0
    }

    /// Tells everybody upstream to look anew.
    fn changed(&self) {
        let mut todo: Vec<Arc<Self>> = Vec::new();
        self.generation.fetch_add(1, Ordering::AcqRel);
        todo.extend(lock(&self.wiring).sources.iter().filter_map(Weak::upgrade));
        while let Some(node) = todo.pop() {
            node.generation.fetch_add(1, Ordering::AcqRel);
            todo.extend(lock(&node.wiring).sources.iter().filter_map(Weak::upgrade));
        }
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

/// A box whose type of message is not known here.
pub(crate) trait AnyNode: Send + Sync {
    fn number(&self) -> u64;
    fn direction(&self) -> Direction;
    fn box_name(&self) -> Cow<'static, str>;
    fn box_path(&self) -> String;
    fn documentation(&self) -> Cow<'static, str>;
    fn type_name(&self) -> &'static str;
    fn any_owner(&self) -> Option<Arc<Owner>>;
    /// Names the box, once; says whose it is.
    fn set_label(&self, name: Cow<'static, str>, documentation: Cow<'static, str>, owner: Option<Arc<Owner>>);
    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
    fn link_to(self: Arc<Self>, to: Arc<dyn AnyNode>, when_full: Option<WhenFull>) -> Result<(), LinkError>;
    fn cut_off(self: Arc<Self>) -> bool;
    /// What is unread when the receiver goes, goes back to that box.
    fn leave_to(&self, heir: &Arc<dyn AnyNode>);
    /// Takes all links to and from it away.
    fn detach(self: Arc<Self>);
    fn next_node(&self) -> Option<Arc<dyn AnyNode>>;
    fn has_sources(&self) -> bool;
    fn len(&self) -> usize;
    fn options(&self) -> BoxOptions;
    fn set_options(&self, options: BoxOptions);
    fn counts(&self) -> Counts;
    fn blocked_senders(&self) -> usize;
    fn sent_and_discarded(&self) -> (u64, u64);
    fn settle(&self);
    fn wake_all(&self);
    /// A new box of the same type and direction, with its `Inbox<T>` or `Outbox<T>`.
    fn sibling(&self, options: BoxOptions) -> (Arc<dyn AnyNode>, Box<dyn Any + Send + Sync>);
    /// Whether a signal to end has left by it.
    fn has_said_end(&self) -> bool;
}

impl<T: Send + 'static> AnyNode for Node<T> {
    fn number(&self) -> u64 {
        self.number
    }

    fn direction(&self) -> Direction {
        self.direction
    }

    fn box_name(&self) -> Cow<'static, str> {
        self.name()
    }

    fn box_path(&self) -> String {
        self.path()
    }

    fn documentation(&self) -> Cow<'static, str> {
        self.label
            .get()
            .map_or(Cow::Borrowed(""), |label| label.documentation.clone())
    }

    fn type_name(&self) -> &'static str {
        type_name::<T>()
    }

    fn any_owner(&self) -> Option<Arc<Owner>> {
        self.owner().cloned()
    }

    fn set_label(&self, name: Cow<'static, str>, documentation: Cow<'static, str>, owner: Option<Arc<Owner>>) {
        // The first one counts: a box is labelled where its component is made known.
        let _ = self.label.set(Label {
            name,
            documentation,
            owner,
        });
    }

    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }

    fn link_to(self: Arc<Self>, to: Arc<dyn AnyNode>, when_full: Option<WhenFull>) -> Result<(), LinkError> {
        let (there, theirs) = (to.box_path(), to.type_name());
        match to.as_any().downcast::<Self>() {
            Ok(to) => self.link(&to, when_full, false),
            Err(_) => Err(LinkError::WrongType {
                from: self.path(),
                from_type: type_name::<T>(),
                to: there,
                to_type: theirs,
            }),
        }
    }

    fn cut_off(self: Arc<Self>) -> bool {
        self.unlink()
    }

    fn leave_to(&self, heir: &Arc<dyn AnyNode>) {
        if let Ok(heir) = Arc::clone(heir).as_any().downcast::<Self>() {
            lock(&self.wiring).heir = Some(Arc::downgrade(&heir));
        }
    }

    fn detach(self: Arc<Self>) {
        let _topology = topology();
        if let Some(there) = self.next() {
            self.cut(&there);
        }
        let sources = std::mem::take(&mut lock(&self.wiring).sources);
        for source in sources.iter().filter_map(Weak::upgrade) {
            source.cut(&self);
        }
    }

    fn next_node(&self) -> Option<Arc<dyn AnyNode>> {
        self.next().map(|next| next as Arc<dyn AnyNode>)
    }

    fn has_sources(&self) -> bool {
        lock(&self.wiring)
            .sources
            .iter()
            .any(|source| source.strong_count() > 0)
    }

    fn len(&self) -> usize {
        self.store.len()
    }

    fn options(&self) -> BoxOptions {
        self.store.options()
    }

    fn set_options(&self, options: BoxOptions) {
        self.store.set_options(options.of::<T>());
    }

    fn counts(&self) -> Counts {
        self.store.counts()
    }

    fn blocked_senders(&self) -> usize {
        self.store.blocked()
    }

    fn sent_and_discarded(&self) -> (u64, u64) {
        (
            self.sent.load(Ordering::Relaxed),
            self.discarded.load(Ordering::Relaxed),
        )
    }

    fn settle(&self) {
        self.store.settle();
    }

    fn wake_all(&self) {
        self.store.wake_all();
    }

    fn sibling(&self, options: BoxOptions) -> (Arc<dyn AnyNode>, Box<dyn Any + Send + Sync>) {
        let node = Self::new(self.direction, options, false);
        let handle: Box<dyn Any + Send + Sync> = match self.direction {
            Direction::In => Box::new(Inbox::on(Arc::clone(&node))),
            Direction::Out => Box::new(Outbox::on(Arc::clone(&node))),
        };
        (node, handle)
    }

    fn has_said_end(&self) -> bool {
        self.said_end.load(Ordering::Relaxed)
    }
}
