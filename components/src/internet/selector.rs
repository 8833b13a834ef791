//! Kamaelia's selector: tells adapters of the explicit form when their sockets are ready.

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Context as Task, Poll, Wake, Waker};
use std::time::Duration;

use net_core::Alarm;

use crate::lock::lock;
use crate::{Component, Context, Inbox, Outbox, Outcome, Signal, StartError, System};

/// How long a selector that is to end waits for those who are registered.
const PATIENCE: Duration = Duration::from_secs(5);

/// One direction of one socket, as a thing that becomes ready: what a file descriptor is to `select`.
///
/// Whoever finds that a socket would block has done so with [`waker`](Self::waker), which the socket wakes when it is ready.
/// A [`Selector`] that watches it tells so.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Flag>);

#[derive(Debug, Default)]
struct Flag(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    fired: bool,
    watcher: Option<Arc<Ready>>,
}

/// What has become ready, in order, and the selector's task.
#[derive(Debug, Default)]
struct Ready(Mutex<(VecDeque<Key>, Option<Waker>)>);

/// Names a `Readiness`; only ever compared.
type Key = usize;

impl Readiness {
    /// Something that is not ready.
    pub fn new() -> Self {
        Self::default()
    }

    /// The waker to poll the socket with. What made it ready before is forgotten.
    pub fn waker(&self) -> Waker {
        lock(&self.0.0).fired = false;
        Waker::from(Arc::clone(&self.0))
    }

    /// Whether it has become ready since the last [`waker`](Self::waker).
    pub fn is_ready(&self) -> bool {
        lock(&self.0.0).fired
    }

    fn key(&self) -> Key {
        Arc::as_ptr(&self.0) as Key
    }

    fn watched_by(&self, ready: &Arc<Ready>) {
        let mut state = lock(&self.0.0);
        if state.fired {
            drop(state);
            ready.push(self.key());
        } else {
            state.watcher = Some(Arc::clone(ready));
        }
    }

    fn unwatched(&self) {
        lock(&self.0.0).watcher = None;
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        let watcher = {
            let mut state = lock(&self.0);
            state.fired = true;
            state.watcher.take()
        };
        if let Some(ready) = watcher {
            ready.push(Arc::as_ptr(&self) as Key);
        }
    }
}

impl Ready {
    fn push(&self, key: Key) {
        let waker = {
            let mut inner = lock(&self.0);
            inner.0.push_back(key);
            inner.1.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn poll(&self, cx: &Task<'_>) -> Poll<Key> {
        let mut inner = lock(&self.0);
        match inner.0.pop_front() {
            Some(key) => Poll::Ready(key),
            None => {
                inner.1 = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// What is to be watched, and who is to be told.
#[derive(Debug)]
#[non_exhaustive]
pub struct Watch {
    /// Who asks.
    pub caller: Arc<str>,
    /// What is to be watched.
    pub on: Readiness,
    /// Where a [`Signal::Status`] goes when it is ready; once.
    pub ready: Outbox<Signal>,
}

impl Watch {
    /// Has `ready` told when `on` is ready.
    pub fn new(caller: impl Into<Arc<str>>, on: &Readiness, ready: Outbox<Signal>) -> Self {
        Self {
            caller: caller.into(),
            on: on.clone(),
            ready,
        }
    }
}

/// A message to a [`Selector`].
#[derive(Debug)]
#[non_exhaustive]
pub enum SelectorRequest {
    /// Tell once when there is something to be read. A second request for the same is ignored until then.
    NewReader(Watch),
    /// Tell once when there is room to write.
    NewWriter(Watch),
    /// Forget a reader.
    RemoveReader(Readiness),
    /// Forget a writer.
    RemoveWriter(Readiness),
}

/// Watches sockets, and tells their adapters by their boxes `ReadReady` and `SendReady` when they are ready.
///
/// It offers the services `selector` (its box `notify`) and `selectorshutdown` (its `control`) under those names. One is
/// enough for a system: [`Selector::service`] starts it when it is first wanted. It holds any number of sockets and polls
/// nothing. After a [`Signal::Shutdown`] or [`Signal::ProducerFinished`] it ends when nobody is registered, after 5 s in any
/// case; after a [`Signal::ShutdownMicroprocess`] at once.
#[derive(Debug)]
pub struct Selector {
    /// Whom to tell of what.
    pub notify: Inbox<SelectorRequest>,
    /// Tells it to end.
    pub control: Inbox<Signal>,
    /// The names under which it is known.
    services: Vec<&'static str>,
}

boxes!(Selector as "Selector" => {
    inbox notify: "notify", "Whom to tell of what.";
    inbox control: "control", "Tells the selector to end.";
});

impl Default for Selector {
    fn default() -> Self {
        Self::new()
    }
}

impl Selector {
    /// A selector.
    pub fn new() -> Self {
        Self {
            // Each socket has at most two requests under way: they are bounded by the sockets.
            notify: Inbox::with(crate::BoxOptions::new().unbounded()),
            control: Inbox::new(),
            services: Vec::new(),
        }
    }

    /// An outbox that leads to the system's selector, which is started if there is none.
    ///
    /// # Errors
    /// [`StartError::Net`] if it can't be started here.
    pub fn service(system: &System) -> Result<Outbox<SelectorRequest>, StartError> {
        if let Ok(service) = system.services().retrieve("selector") {
            return Ok(service.outbox());
        }
        let mut selector = Self::new();
        let outbox = Outbox::new();
        crate::link(&outbox, &selector.notify)?;
        selector.register(system.services());
        system.activate(selector)?;
        Ok(outbox)
    }

    /// Offers its services, unless there is another selector: then that one keeps the names, and this one serves whoever is
    /// linked to it.
    fn register(&mut self, services: &crate::Services) {
        if services.register("selector", &self.notify).is_ok() {
            self.services.push("selector");
        }
        if services.register("selectorshutdown", &self.control).is_ok() {
            self.services.push("selectorshutdown");
        }
    }
}

enum Happened {
    Told(Signal),
    Asked(SelectorRequest),
    Ready(Key),
    Enough,
}

impl Component for Selector {
    async fn main(mut self, mut context: Context) -> Outcome {
        self.register(context.services());
        let last = self.watch(&context).await;
        for name in self.services {
            // It may have been taken off already.
            let _ = context.services().deregister(name);
        }
        if let Some(signal) = last {
            context.signal(signal);
        }
        Ok(())
    }
}

impl Selector {
    /// The work; what it was told, if it was told to end at once.
    async fn watch(&mut self, context: &Context) -> Option<Signal> {
        let ready = Arc::new(Ready::default());
        let mut watched: BTreeMap<Key, Watch> = BTreeMap::new();
        let (mut alarm, mut deadline) = (Alarm::default(), None);
        loop {
            if deadline.is_some() && watched.is_empty() && self.notify.is_empty() {
                return None;
            }
            let happened = poll_fn(|cx| {
                if let Poll::Ready(Some(signal)) = self.control.poll_alone(cx) {
                    return Poll::Ready(Happened::Told(signal));
                }
                if let Poll::Ready(Some(request)) = self.notify.poll_recv(cx) {
                    return Poll::Ready(Happened::Asked(request));
                }
                if let Poll::Ready(key) = ready.poll(cx) {
                    return Poll::Ready(Happened::Ready(key));
                }
                match deadline {
                    Some(at) => alarm.poll(context.net(), at, cx).map(|()| Happened::Enough),
                    None => Poll::Pending,
                }
            })
            .await;
            match happened {
                Happened::Told(signal) if signal.is_shutdown() => return Some(signal),
                Happened::Told(Signal::Shutdown | Signal::ProducerFinished(_)) => {
                    deadline = Some(context.net().now() + PATIENCE);
                }
                Happened::Told(_) => {}
                Happened::Asked(SelectorRequest::NewReader(watch) | SelectorRequest::NewWriter(watch)) => {
                    let (key, on) = (watch.on.key(), watch.on.clone());
                    watched.entry(key).or_insert(watch);
                    on.watched_by(&ready);
                }
                Happened::Asked(SelectorRequest::RemoveReader(on) | SelectorRequest::RemoveWriter(on)) => {
                    on.unwatched();
                    watched.remove(&on.key());
                }
                Happened::Ready(key) => {
                    if let Some(mut watch) = watched.remove(&key) {
                        // A box of signals takes everything.
                        let _ = watch.ready.try_send(Signal::Status("ready".into()));
                    }
                }
                Happened::Enough => return None,
            }
        }
    }
}
