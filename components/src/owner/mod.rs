//! What is known of one component while it runs, and after its end.

mod blocked;

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::task::{Context, Waker};

use net_core::Instant;

use crate::boxes::{AnyNode, Node};
use crate::component::Entry;
use crate::lock::lock;
use crate::system::Inner;
use crate::waiting::Waiting;
use crate::{ChildFailures, End, Signal};

use blocked::Blocks;

/// Messages sent and received before a component lets others run.
const BUDGET: u32 = 512;

const FINISHING: u8 = 1;
const STOPPED: u8 = 2;
const ABORTED: u8 = 4;

pub(crate) struct Owner {
    id: u64,
    name: Arc<str>,
    parent: Option<u64>,
    system: Weak<Inner>,
    started: Instant,
    flags: AtomicU8,
    budget: AtomicU32,
    /// Part of a batch was used up since senders were last looked after.
    took: AtomicBool,
    left_behind: AtomicU64,
    // Weak, for boxes know their owner.
    control: Weak<Node<Signal>>,
    signal: Weak<Node<Signal>>,
    boxes: Mutex<Boxes>,
    /// Where it waits for room now; made when it first does.
    blocked: Mutex<Option<Box<Blocks>>>,
    /// What it was told, by its control box and by its children's ends; made when there is something.
    heard: Mutex<Option<Box<Heard>>>,
    /// Who waits in it for the order to end, or for a notice.
    listeners: Waiting,
    task: OnceLock<Waker>,
    end: OnceLock<Box<End>>,
    /// Who waits for its end.
    mourners: Waiting,
    children: Mutex<Vec<Weak<Self>>>,
}

/// The boxes of a component.
struct Boxes {
    /// Those that it began with. Their links last until its end is told; then they are let go, for boxes know their owner.
    own: Vec<Arc<dyn AnyNode>>,
    /// Those that it made later.
    added: Vec<Weak<dyn AnyNode>>,
}

/// What a component was told.
#[derive(Default)]
struct Heard {
    /// The signal that told it to end.
    end: Option<Signal>,
    /// Signals that tell something else.
    notices: VecDeque<Signal>,
    /// How its children failed, and theirs.
    failures: ChildFailures,
}

impl Owner {
    pub(crate) fn new(
        system: &Arc<Inner>,
        parent: Option<&Arc<Self>>,
        (id, name): (u64, Arc<str>),
        boxes: &[Entry],
        (control, signal): (&Arc<Node<Signal>>, &Arc<Node<Signal>>),
    ) -> Arc<Self> {
        let owner = Arc::new(Self {
            id,
            name,
            parent: parent.map(|parent| parent.id),
            system: Arc::downgrade(system),
            started: system.net.now(),
            flags: AtomicU8::new(0),
            budget: AtomicU32::new(BUDGET),
            took: AtomicBool::new(false),
            left_behind: AtomicU64::new(0),
            control: Arc::downgrade(control),
            signal: Arc::downgrade(signal),
            boxes: Mutex::new(Boxes {
                own: boxes.iter().map(|entry| Arc::clone(&entry.node)).collect(),
                added: Vec::new(),
            }),
            blocked: Mutex::default(),
            heard: Mutex::default(),
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

    /// The name without its number.
    pub(crate) fn kind(&self) -> &str {
        self.name.rsplit_once('_').map_or(&self.name, |(kind, _)| kind)
    }

    /// Its control box, while it runs.
    pub(crate) fn control(&self) -> Option<Arc<Node<Signal>>> {
        self.control.upgrade()
    }

    /// Its signal box, while it runs.
    pub(crate) fn signal(&self) -> Option<Arc<Node<Signal>>> {
        self.signal.upgrade()
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
                let node = {
                    let boxes = lock(&self.boxes);
                    match (boxes.own.get(at), at.checked_sub(boxes.own.len())) {
                        (None, Some(later)) => boxes.added.get(later).map(Weak::upgrade),
                        (own, _) => Some(own.cloned()),
                    }
                };
                let Some(node) = node else { break };
                if let Some(node) = node
                    && node.blocked_senders() > 0
                {
                    node.settle();
                }
            }
        }
    }

    pub(crate) fn boxes(&self) -> Vec<Arc<dyn AnyNode>> {
        let boxes = lock(&self.boxes);
        let added = boxes.added.iter().filter_map(Weak::upgrade);
        boxes.own.iter().cloned().chain(added).collect()
    }

    pub(crate) fn add_box(&self, node: &Arc<dyn AnyNode>) {
        let added = &mut lock(&self.boxes).added;
        added.retain(|known| known.strong_count() > 0);
        added.push(Arc::downgrade(node));
    }

    /// Lets the boxes go that it began with, at its end.
    pub(crate) fn let_go(&self) -> Vec<Arc<dyn AnyNode>> {
        std::mem::take(&mut lock(&self.boxes).own)
    }

    pub(crate) fn children(&self) -> Vec<Arc<Self>> {
        lock(&self.children).iter().filter_map(Weak::upgrade).collect()
    }

    /// Whether it has started any.
    pub(crate) fn has_children(&self) -> bool {
        !lock(&self.children).is_empty()
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
            let Some(target) = self.control().and_then(|control| control.resolve().place) else {
                return;
            };
            match target.store.push(&target.node.in_hand, signal, None, None) {
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
            lock(&self.heard).get_or_insert_default().notices.push_back(signal);
            self.listeners.wake();
            return;
        };
        {
            let mut heard = lock(&self.heard);
            let end = &mut heard.get_or_insert_default().end;
            if end.is_none() || flag == STOPPED && !self.is_stopped() {
                *end = Some(signal);
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
        for block in self.blocks() {
            block.at.wake_all();
        }
    }

    pub(crate) fn abort(&self) {
        self.flags.fetch_or(ABORTED | STOPPED, Ordering::AcqRel);
        self.wake_inside();
        if let Some(task) = self.task.get() {
            task.wake_by_ref();
        }
    }

    /// The task that runs it, once it does.
    pub(crate) fn task(&self) -> Option<&Waker> {
        self.task.get()
    }

    pub(crate) fn run_by(&self, cx: &Context<'_>) {
        self.task.get_or_init(|| cx.waker().clone());
    }

    pub(crate) fn heard(&self) -> Option<Signal> {
        lock(&self.heard).as_ref()?.end.clone()
    }

    pub(crate) fn take_notice(&self) -> Option<Signal> {
        lock(&self.heard).as_mut()?.notices.pop_front()
    }

    /// A child has ended: what failed in it belongs to our end too.
    pub(crate) fn child_ended(&self, end: &End) {
        if end.failures.is_empty() && end.reason.failure().is_none() {
            return;
        }
        lock(&self.heard).get_or_insert_default().failures.add(end);
    }

    pub(crate) fn take_failures(&self) -> ChildFailures {
        let mut heard = lock(&self.heard);
        heard
            .as_mut()
            .map_or_else(ChildFailures::default, |heard| std::mem::take(&mut heard.failures))
    }

    /// Waits for something that a signal may change.
    pub(crate) async fn listen<T>(&self, look: impl FnMut() -> Option<T>) -> T {
        self.listeners.until(look).await
    }

    pub(crate) fn end_with(&self, end: End) {
        // Only its own runner says this, once.
        let _ = self.end.set(Box::new(end));
        self.mourners.wake();
    }

    pub(crate) fn end(&self) -> Option<&End> {
        self.end.get().map(Box::as_ref)
    }

    /// A place among those who wait for its end.
    pub(crate) fn wait_for_end(&self) -> crate::waiting::Wait<'_> {
        self.mourners.wait()
    }

    pub(crate) async fn ended(&self) -> End {
        self.mourners.until(|| self.end().cloned()).await
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
