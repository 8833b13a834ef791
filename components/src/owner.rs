//! What is known of one component while it runs, and after its end.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use net_core::Instant;

use crate::boxes::{AnyNode, Node};
use crate::component::Entry;
use crate::lock::lock;
use crate::system::Inner;
use crate::waiting::Waiting;
use crate::{End, Event, Signal};

/// Messages sent and received before a component lets others run.
const BUDGET: u32 = 512;

/// The longest circle that is looked for.
const MOST_LINKS: usize = 256;

const FINISHING: u8 = 1;
const STOPPED: u8 = 2;
const ABORTED: u8 = 4;

pub(crate) struct Owner {
    id: u64,
    name: Arc<str>,
    kind: Arc<str>,
    parent: Option<u64>,
    system: Weak<Inner>,
    started: Instant,
    flags: AtomicU8,
    budget: AtomicU32,
    /// Part of a batch was used up since senders were last looked after.
    took: AtomicBool,
    left_behind: AtomicU64,
    pub(crate) control: Arc<Node<Signal>>,
    pub(crate) signal: Arc<Node<Signal>>,
    boxes: Mutex<Vec<Weak<dyn AnyNode>>>,
    /// Where it waits for room now.
    blocked: Mutex<Blocks>,
    /// The signal that told it to end.
    heard: Mutex<Option<Signal>>,
    /// Other signals that came to its control box.
    notices: Mutex<VecDeque<Signal>>,
    /// Who waits in it for the order to end, or for a notice.
    listeners: Waiting,
    task: OnceLock<Waker>,
    end: OnceLock<End>,
    /// Who waits for its end.
    mourners: Waiting,
    children: Mutex<Vec<Weak<Self>>>,
}

#[derive(Default)]
struct Blocks {
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
    pub(crate) fn new(
        system: &Arc<Inner>,
        parent: Option<&Arc<Self>>,
        (id, name, kind): (u64, Arc<str>, Arc<str>),
        boxes: &[Entry],
        (control, signal): (Arc<Node<Signal>>, Arc<Node<Signal>>),
    ) -> Arc<Self> {
        let owner = Arc::new(Self {
            id,
            name,
            kind,
            parent: parent.map(|parent| parent.id),
            system: Arc::downgrade(system),
            started: system.net.now(),
            flags: AtomicU8::new(0),
            budget: AtomicU32::new(BUDGET),
            took: AtomicBool::new(false),
            left_behind: AtomicU64::new(0),
            control,
            signal,
            boxes: Mutex::new(boxes.iter().map(|entry| Arc::downgrade(&entry.node)).collect()),
            blocked: Mutex::default(),
            heard: Mutex::default(),
            notices: Mutex::default(),
            listeners: Waiting::default(),
            task: OnceLock::new(),
            end: OnceLock::new(),
            mourners: Waiting::default(),
            children: Mutex::default(),
        });
        if let Some(parent) = parent {
            let mut children = lock(&parent.children);
            // A parent of many children that come and go keeps no list of the gone ones.
            if children.len() == children.capacity() {
                children.retain(|child| child.strong_count() > 0);
            }
            children.push(Arc::downgrade(&owner));
        }
        owner
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub(crate) fn kind(&self) -> &Arc<str> {
        &self.kind
    }

    pub(crate) fn parent(&self) -> Option<u64> {
        self.parent
    }

    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// Told to end at once.
    #[inline]
    pub(crate) fn is_stopped(&self) -> bool {
        self.flags.load(Ordering::Acquire) & STOPPED != 0
    }

    /// Told to end when everything is done.
    #[inline]
    pub(crate) fn is_finishing(&self) -> bool {
        self.flags.load(Ordering::Acquire) & FINISHING != 0
    }

    pub(crate) fn is_aborted(&self) -> bool {
        self.flags.load(Ordering::Acquire) & ABORTED != 0
    }

    /// Counts a message; false if others must run first. It is woken again at once then.
    #[inline]
    pub(crate) fn spend(&self, cx: &Context<'_>) -> bool {
        let left = self.budget.load(Ordering::Relaxed);
        if left == 0 {
            self.budget.store(BUDGET, Ordering::Relaxed);
            cx.waker().wake_by_ref();
            return false;
        }
        self.budget.store(left - 1, Ordering::Relaxed);
        true
    }

    #[inline]
    pub(crate) fn took(&self, some_left: bool) {
        self.took.store(some_left, Ordering::Relaxed);
    }

    /// The component waits: whoever waits for room that it has made may go on.
    pub(crate) fn rest(&self) {
        self.budget.store(BUDGET, Ordering::Relaxed);
        if self.took.swap(false, Ordering::Relaxed) {
            for at in 0.. {
                // One by one: who is woken may want a lock of ours.
                let node = match lock(&self.boxes).get(at) {
                    Some(node) => node.upgrade(),
                    None => break,
                };
                if let Some(node) = node
                    && node.blocked_senders() > 0
                {
                    node.settle();
                }
            }
        }
    }

    pub(crate) fn boxes(&self) -> Vec<Arc<dyn AnyNode>> {
        lock(&self.boxes).iter().filter_map(Weak::upgrade).collect()
    }

    pub(crate) fn add_box(&self, node: &Arc<dyn AnyNode>) {
        let mut boxes = lock(&self.boxes);
        boxes.retain(|known| known.strong_count() > 0);
        boxes.push(Arc::downgrade(node));
    }

    pub(crate) fn children(&self) -> Vec<Arc<Self>> {
        lock(&self.children).iter().filter_map(Weak::upgrade).collect()
    }

    pub(crate) fn left_behind(&self, messages: usize) {
        self.left_behind.fetch_add(messages as u64, Ordering::Relaxed);
    }

    pub(crate) fn messages_left_behind(&self) -> u64 {
        self.left_behind.load(Ordering::Relaxed)
    }

    /// A message for its control box, from whoever holds it.
    pub(crate) fn tell(&self, signal: Signal) {
        let mut signal = signal;
        loop {
            let Some(target) = self.control.resolve().node else {
                return;
            };
            match target.store.push(signal, None, None) {
                crate::boxes::Push::Moved(back) => signal = back,
                _ => return,
            }
        }
    }

    /// What came to its control box.
    pub(crate) fn hear(&self, signal: Signal) {
        let flag = if signal.is_shutdown() {
            STOPPED
        } else if signal.is_finished() {
            FINISHING
        } else {
            lock(&self.notices).push_back(signal);
            self.listeners.wake();
            return;
        };
        {
            let mut heard = lock(&self.heard);
            if heard.is_none() || flag == STOPPED && !self.is_stopped() {
                *heard = Some(signal);
            }
        }
        self.flags.fetch_or(flag, Ordering::AcqRel);
        self.wake_inside();
    }

    /// Wakes whatever waits inside: parts of it may be in other tasks and threads.
    fn wake_inside(&self) {
        self.listeners.wake();
        for node in self.boxes() {
            node.wake_all();
        }
        let places: Vec<_> = lock(&self.blocked)
            .now
            .iter()
            .filter_map(|block| block.at.upgrade())
            .collect();
        places.iter().for_each(|node| node.wake_all());
    }

    pub(crate) fn abort(&self) {
        self.flags.fetch_or(ABORTED | STOPPED, Ordering::AcqRel);
        self.wake_inside();
        if let Some(task) = self.task.get() {
            task.wake_by_ref();
        }
    }

    pub(crate) fn run_by(&self, cx: &Context<'_>) {
        self.task.get_or_init(|| cx.waker().clone());
    }

    pub(crate) fn heard(&self) -> Option<Signal> {
        lock(&self.heard).clone()
    }

    pub(crate) fn take_notice(&self) -> Option<Signal> {
        lock(&self.notices).pop_front()
    }

    /// Waits for something that a signal may change.
    pub(crate) async fn listen<T>(&self, look: impl FnMut() -> Option<T>) -> T {
        self.listeners.until(look).await
    }

    pub(crate) fn end_with(&self, end: End) {
        // Only its own runner says this, once.
        let _ = self.end.set(end);
        self.mourners.wake();
    }

    pub(crate) fn end(&self) -> Option<&End> {
        self.end.get()
    }

    /// A place among those who wait for its end.
    pub(crate) fn wait_for_end(&self) -> crate::waiting::Wait<'_> {
        self.mourners.wait()
    }

    pub(crate) async fn ended(&self) -> End {
        self.mourners.until(|| self.end.get().cloned()).await
    }

    /// A part of it begins to wait for room in another box.
    pub(crate) fn blocked_on<T: Send + 'static>(&self, by: &Arc<Node<T>>, at: &Arc<Node<T>>) {
        let Some(system) = self.system.upgrade() else { return };
        let by: Arc<dyn AnyNode> = Arc::clone(by) as Arc<dyn AnyNode>;
        let at: Arc<dyn AnyNode> = Arc::clone(at) as Arc<dyn AnyNode>;
        lock(&self.blocked).now.push(Block {
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
        blocked.now.iter().filter_map(upgraded).collect()
    }

    pub(crate) fn time_blocked(&self, now: Instant) -> Duration {
        let blocked = lock(&self.blocked);
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
                let block = blocked.now.first()?;
                (block.by.upgrade()?, block.at.upgrade()?)
            };
            step(&by, &at);
            holder = at.any_owner()?;
        }
        None
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Component")
            .field("name", &self.name)
            .field("ended", &self.end.get().is_some())
            .finish_non_exhaustive()
    }
}

/// Waits until `look` finds something; it is asked again after each `wake`.
impl Waiting {
    pub(crate) async fn until<T>(&self, mut look: impl FnMut() -> Option<T>) -> T {
        let mut wait = self.wait();
        poll_fn(|cx| {
            wait.register(cx.waker());
            look().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}
