//! Watching a run: a hash of all its steps, and a hook that sees each.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use net_core::Instant;

use super::queue::{Entry, Priority};

/// One step of a run, as a watcher sees it; `{}` prints it as a line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// When.
    pub at: Instant,
    /// With which priority.
    pub priority: Priority,
    /// Its place in the order in which things were scheduled.
    pub sequence: u64,
    /// What happened.
    pub what: Traced,
    /// To which process or named event.
    pub who: Option<Rc<str>>,
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Traced {
    /// A timeout was over.
    Timeout,
    /// A process started, or went on because something woke it.
    Resume,
    /// A process was interrupted.
    Interrupt,
    /// An event was processed.
    Event,
    /// The run reached the time that it was to stop at.
    Stop,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.what {
            Traced::Timeout => "timeout",
            Traced::Resume => "resume",
            Traced::Interrupt => "interrupt",
            Traced::Event => "event",
            Traced::Stop => "stop",
        };
        write!(f, "{} {what}", self.at)?;
        match &self.who {
            Some(who) => write!(f, " {who}"),
            None => Ok(()),
        }
    }
}

type Watcher = Box<dyn FnMut(&Step)>;

#[derive(Default)]
pub(crate) struct Trace {
    hash: Cell<u64>,
    steps: Cell<u64>,
    watched: Cell<bool>,
    watcher: RefCell<Option<Watcher>>,
}

impl Trace {
    /// Mixes a step into the hash: its time, its order and what it was; the first two words of its entry.
    #[inline]
    pub(crate) fn step(&self, time: u64, order: u64) {
        let word = time ^ order.rotate_left(11);
        self.hash
            .set((self.hash.get().rotate_left(5) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        self.steps.set(self.steps.get() + 1);
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash.get()
    }

    pub(crate) fn steps(&self) -> u64 {
        self.steps.get()
    }

    #[inline]
    pub(crate) fn is_watched(&self) -> bool {
        self.watched.get()
    }

    pub(crate) fn watch(&self, watcher: Watcher) {
        *self.watcher.borrow_mut() = Some(watcher);
        self.watched.set(true);
    }

    pub(crate) fn unwatch(&self) {
        self.watched.set(false);
        // Dropped outside the borrow: a watcher may own a handle on the environment.
        let watcher = self.watcher.borrow_mut().take();
        drop(watcher);
    }

    pub(crate) fn tell(&self, entry: &Entry, what: Traced, who: Option<Rc<str>>) {
        let step = Step {
            at: entry.time(),
            priority: entry.priority(),
            sequence: entry.sequence(),
            what,
            who,
        };
        // Taken out while it runs, so that it may look at the environment, or replace itself.
        let watcher = self.watcher.borrow_mut().take();
        if let Some(mut watcher) = watcher {
            watcher(&step);
            self.watcher.borrow_mut().get_or_insert(watcher);
        }
    }
}
