//! Events: something that will happen once, with a value or a failure, and that many may wait for.

use std::cell::{OnceCell, RefCell};
use std::fmt;
use std::future::{Future, IntoFuture};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

use crate::condition::Member;
use crate::environment::core::{Core, End, Fire, Fired, WaitsFor};
use crate::environment::queue::Slot;
use crate::{Environment, Failure, Priority};

/// Something that happens once. Clones are handles on the same event.
///
/// It is *pending* until somebody calls [`succeed`](Self::succeed) or [`fail`](Self::fail); then it is *triggered*, and
/// its place in the order of things is fixed; when its turn comes it is *processed*: who waits goes on, in the order in
/// which they began to wait. Awaiting a processed event goes on at once.
///
/// ```
/// use sim_io::Environment;
///
/// let env = Environment::new();
/// let bell = env.event();
/// let pupil = env.process({
///     let bell = bell.clone();
///     async move { bell.await.unwrap_or(0) }
/// });
/// bell.succeed(3)?;
/// assert_eq!(env.run_until(&pupil)?, 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Event<T> {
    inner: Rc<Inner<T>>,
}

struct Inner<T> {
    core: Weak<Core>,
    name: Option<Rc<str>>,
    kind: &'static str,
    /// Outside of the state: what users do with it, cloning it for example, may touch the event.
    outcome: OnceCell<Result<T, Failure>>,
    state: RefCell<State<T>>,
}

struct State<T> {
    processed: bool,
    /// Somebody has taken note of a failure, or will.
    defused: bool,
    waiters: Vec<(u64, Waiter<T>)>,
    next_waiter: u64,
}

enum Waiter<T> {
    Process(Slot),
    /// Something inside a process that has a waker of its own.
    Foreign(Waker),
    Callback(Callback<T>),
    /// A run lasts until here.
    Stop,
}

type Callback<T> = Box<dyn FnOnce(&Result<T, Failure>)>;

/// An event was triggered a second time, or after its environment was gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AlreadyTriggered;

impl fmt::Display for AlreadyTriggered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the event has been triggered already")
    }
}

impl std::error::Error for AlreadyTriggered {}

impl<T: 'static> Event<T> {
    pub(crate) fn new(env: &Environment, name: Option<Rc<str>>) -> Self {
        Self::of_kind(env, name, "an event")
    }

    pub(crate) fn of_kind(env: &Environment, name: Option<Rc<str>>, kind: &'static str) -> Self {
        let state = State {
            processed: false,
            defused: false,
            waiters: Vec::new(),
            next_waiter: 0,
        };
        let core = Rc::downgrade(&env.core);
        Self {
            inner: Rc::new(Inner {
                core,
                name,
                kind,
                outcome: OnceCell::new(),
                state: RefCell::new(state),
            }),
        }
    }

    /// Triggers the event with a value.
    ///
    /// # Errors
    /// [`AlreadyTriggered`].
    pub fn succeed(&self, value: T) -> Result<(), AlreadyTriggered> {
        self.trigger(Ok(value), Priority::NORMAL)
    }

    /// Triggers the event with a failure. If nobody waits for it when it is processed, the run stops.
    ///
    /// # Errors
    /// [`AlreadyTriggered`].
    pub fn fail(&self, failure: impl Into<Failure>) -> Result<(), AlreadyTriggered> {
        self.trigger(Err(failure.into()), Priority::NORMAL)
    }

    /// Triggers it with an outcome, for example another event's.
    ///
    /// # Errors
    /// [`AlreadyTriggered`].
    pub fn trigger(&self, outcome: Result<T, Failure>, priority: Priority) -> Result<(), AlreadyTriggered> {
        self.inner.outcome.set(outcome).map_err(|_| AlreadyTriggered)?;
        if let Some(core) = self.inner.core.upgrade() {
            let event: Rc<dyn Fire> = self.inner.clone();
            core.schedule(event, core.now(), priority);
        }
        Ok(())
    }

    /// Runs `callback` when the event is processed, in turn with those who wait; at once if it has been. A failure
    /// still counts as one that nobody waits for, unless [`defuse`](Self::defuse) is called. A panic in it stops the run
    /// with an error that names the event, when all who wait have had their turn.
    pub fn on_processed(&self, callback: impl FnOnce(&Result<T, Failure>) + 'static) {
        let mut state = self.inner.state.borrow_mut();
        if !state.processed {
            state.push(Waiter::Callback(Box::new(callback)));
            return;
        }
        drop(state);
        if let Some(outcome) = self.inner.outcome.get() {
            callback(outcome);
        }
    }

    /// Whether it has been triggered.
    pub fn is_triggered(&self) -> bool {
        self.inner.outcome.get().is_some()
    }

    /// Whether it has been processed.
    pub fn is_processed(&self) -> bool {
        self.inner.state.borrow().processed
    }

    /// Takes note of a failure, so that it does not stop the run.
    pub fn defuse(&self) {
        self.inner.state.borrow_mut().defused = true;
    }

    /// A run is to last until this event; it takes its turn among those who wait, and hears of a failure. Dropping
    /// what comes back takes it away again.
    pub(crate) fn stop_here(&self) -> StopHere<'_, T> {
        let id = self.inner.state.borrow_mut().push(Waiter::Stop);
        StopHere { event: self, id }
    }

    pub(crate) fn end(&self) -> Rc<dyn End> {
        self.inner.clone()
    }

    pub(crate) fn who(&self) -> String {
        self.inner.who()
    }

    /// How many wait for it.
    pub fn waiting(&self) -> usize {
        self.inner.state.borrow().waiters.len()
    }
}

impl<T: Clone + 'static> Event<T> {
    /// The outcome, once it has been processed.
    pub fn processed(&self) -> Option<Result<T, Failure>> {
        self.outcome().cloned()
    }

    /// The same, lent.
    fn outcome(&self) -> Option<&Result<T, Failure>> {
        self.inner.outcome.get().filter(|_| self.is_processed())
    }

    /// Waits for it. So does awaiting the event itself.
    pub fn wait(&self) -> Wait<T> {
        Wait {
            event: self.clone(),
            registered: None,
        }
    }
}

impl<T> State<T> {
    fn push(&mut self, waiter: Waiter<T>) -> u64 {
        let id = self.next_waiter;
        self.next_waiter += 1;
        self.waiters.push((id, waiter));
        id
    }

    /// Takes one who waits away; what comes back may be somebody else's, to be dropped outside of the borrow.
    fn remove(&mut self, id: u64) -> Option<Waiter<T>> {
        let index = self.waiters.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        Some(self.waiters.remove(index).1)
    }
}

/// A run that lasts until an event.
pub(crate) struct StopHere<'a, T> {
    event: &'a Event<T>,
    id: u64,
}

impl<T> Drop for StopHere<'_, T> {
    fn drop(&mut self) {
        let _removed = self.event.inner.state.borrow_mut().remove(self.id);
    }
}

impl<T: 'static> End for Inner<T> {
    fn fail(self: Rc<Self>, failure: Failure) {
        // It may have been told already, by a kill.
        let _ = Event { inner: self }.fail(failure);
    }
}

impl<T> Inner<T> {
    fn who(&self) -> String {
        match &self.name {
            Some(name) => format!("{} {name:?}", self.kind),
            None => self.kind.to_owned(),
        }
    }
}

impl<T: 'static> Fire for Inner<T> {
    fn fire(self: Rc<Self>, core: &Rc<Core>) -> Fired {
        let waiters = {
            let mut state = self.state.borrow_mut();
            state.processed = true;
            std::mem::take(&mut state.waiters)
        };
        let mut waiters = waiters.into_iter();
        let mut panicked = None;
        while let Some((_, waiter)) = waiters.next() {
            match waiter {
                Waiter::Process(process) => core.resume(process),
                Waiter::Foreign(waker) => {
                    // It will look when it is resumed, so it hears of a failure.
                    self.state.borrow_mut().defused = true;
                    waker.wake();
                }
                Waiter::Callback(callback) => {
                    if let Some(outcome) = self.outcome.get()
                        && let Err(panic) = catch_unwind(AssertUnwindSafe(|| callback(outcome)))
                    {
                        // The others are to hear of it all the same.
                        panicked.get_or_insert_with(|| Failure::panic(&*panic));
                    }
                }
                Waiter::Stop => {
                    let mut state = self.state.borrow_mut();
                    state.defused = true;
                    state.waiters = waiters.collect();
                    let more = !state.waiters.is_empty();
                    drop(state);
                    let who = panicked.map(|failure| (self.who(), failure));
                    if more {
                        core.schedule_first(self);
                    }
                    return match who {
                        Some((who, failure)) => Fired::Unhandled(who, failure),
                        None => Fired::Stopped,
                    };
                }
            }
        }
        if let Some(failure) = panicked {
            return Fired::Unhandled(self.who(), failure);
        }
        let defused = self.state.borrow().defused;
        match self.outcome.get() {
            Some(Err(failure)) if !defused => Fired::Unhandled(self.who(), failure.clone()),
            _ => Fired::On,
        }
    }

    fn name(&self) -> Option<Rc<str>> {
        self.name.clone()
    }
}

impl<T> Clone for Event<T> {
    fn clone(&self) -> Self {
        Self {
            inner: Rc::clone(&self.inner),
        }
    }
}

impl<T> fmt::Debug for Event<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.inner.state.borrow();
        f.debug_struct("Event")
            .field("name", &self.inner.name)
            .field("triggered", &self.inner.outcome.get().is_some())
            .field("processed", &state.processed)
            .field("waiting", &state.waiters.len())
            .finish()
    }
}

impl<T: Clone + 'static> IntoFuture for Event<T> {
    type Output = Result<T, Failure>;
    type IntoFuture = Wait<T>;
    fn into_future(self) -> Wait<T> {
        self.wait()
    }
}

impl<T: Clone + 'static> IntoFuture for &Event<T> {
    type Output = Result<T, Failure>;
    type IntoFuture = Wait<T>;
    fn into_future(self) -> Wait<T> {
        self.wait()
    }
}

/// Waits for an event; dropping it gives the waiting up.
#[must_use = "futures do nothing unless awaited"]
pub struct Wait<T: Clone + 'static> {
    event: Event<T>,
    /// Its place among those who wait, and which process that is.
    registered: Option<(u64, Option<Slot>)>,
}

impl<T: Clone + 'static> Unpin for Wait<T> {}

impl<T: Clone + 'static> Future for Wait<T> {
    type Output = Result<T, Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let wait = &mut *self;
        let inner = &wait.event.inner;
        if let Some(outcome) = wait.event.outcome() {
            if outcome.is_err() {
                // Whoever gets a failure has heard of it.
                inner.state.borrow_mut().defused = true;
            }
            return Poll::Ready(outcome.clone());
        }
        let _removed;
        let mut state = inner.state.borrow_mut();
        let Some(core) = inner.core.upgrade() else {
            return Poll::Pending;
        };
        let asking = core.asking(cx);
        if asking.is_none() || wait.registered.is_none_or(|(_, by)| by != asking) {
            if let Some((id, _)) = wait.registered.take() {
                _removed = state.remove(id);
            }
            let waiter = match asking {
                Some(process) => Waiter::Process(process),
                None => Waiter::Foreign(cx.waker().clone()),
            };
            wait.registered = Some((state.push(waiter), asking));
        }
        core.waits_for(WaitsFor::Thing(inner.kind, inner.name.clone()));
        Poll::Pending
    }
}

impl<T: Clone + 'static> Wait<T> {
    fn unregister(&mut self) {
        if let Some((id, _)) = self.registered.take() {
            let _removed = self.event.inner.state.borrow_mut().remove(id);
        }
    }
}

impl<T: Clone + 'static> Member for Wait<T> {
    type Value = T;

    fn poll_member(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, Failure>> {
        Pin::new(self).poll(cx)
    }

    fn detach(&mut self) {
        self.unregister();
    }
}

impl<T: Clone + 'static> Drop for Wait<T> {
    fn drop(&mut self) {
        self.unregister();
    }
}

impl<T: Clone + 'static> fmt::Debug for Wait<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Wait").field(&self.event).finish()
    }
}
