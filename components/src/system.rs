//! Where components run: on one network, with one registry of services, seen in one picture.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context as Task, Poll};

use net_core::{Net, catch_panic_in};

use crate::boxes::{AnyNode, Direction};
use crate::component::Prepared;
use crate::lock::lock;
use crate::owner::Owner;
use crate::run::Run;
use crate::{ChildFailures, Component, Failure, LinkError, Services, Signal};

/// A set of running components; clones are handles on the same.
///
/// ```
/// use components::{Net, Pipeline, System, from_iter, for_each, map};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let system = System::new(&Net::os());
/// let pipeline = Pipeline::new(from_iter(1..=3)).then(map(|n: u64| n * n)).then(for_each(|n| println!("{n}")));
/// let end = system.activate(pipeline)?.await;
/// assert!(end.reason.is_clean());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct System(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) net: Net,
    numbers: AtomicU64,
    /// Those that run, in the order in which they began.
    pub(crate) running: Mutex<BTreeMap<u64, Arc<Owner>>>,
    pub(crate) counts: Mutex<SystemCounts>,
    pub(crate) services: Services,
    observers: Mutex<Vec<Observer>>,
}

type Observer = Arc<dyn Fn(&Event) + Send + Sync>;

/// What a system has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SystemCounts {
    /// Components that were started.
    pub started: u64,
    /// Components that have ended, in whatever way.
    pub ended: u64,
    /// Of these: failed or panicked.
    pub failed: u64,
    /// Messages that components left unread in their inboxes.
    pub left_behind: u64,
}

/// What happens in a system.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A component was started.
    Started {
        /// Its name.
        component: Arc<str>,
    },
    /// A component has ended.
    Ended(End),
    /// A supervised component will be started anew.
    Restarting {
        /// Its name.
        component: Arc<str>,
        /// Why it ended.
        failure: Failure,
        /// How often it has failed.
        failures: u32,
    },
    /// Components wait for room in each other's boxes, in a circle: none will go on by itself.
    Circle {
        /// The links, as `from.outbox -> to.inbox`.
        links: Vec<String>,
    },
    /// A component waits for what will never come, as things stand: the last one that sent to it has ended, or is a connection
    /// whose peer has; and it was not told to end, nor is anything linked to its `control`. Mostly a link from `signal` to `control` was forgotten. Whoever
    /// begins to wait only after that is shown by a [`Snapshot`](crate::Snapshot) alone.
    Stranded {
        /// The component that waits.
        component: Arc<str>,
        /// The one that has ended, or has nothing more to send.
        after: Arc<str>,
    },
}

/// How a component ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct End {
    /// Its name.
    pub component: Arc<str>,
    /// Why it ended.
    pub reason: EndReason,
    /// Messages that it left unread in its inboxes.
    pub left_behind: u64,
    /// Those of its children that failed or panicked while it ran, and of theirs; also those that were started anew. A
    /// chassis that ends cleanly may have some: see [`OnFailure`](crate::OnFailure).
    pub failures: ChildFailures,
}

/// Why a component ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum EndReason {
    /// Its work is done.
    Finished,
    /// It was told to end at once, and did.
    Stopped,
    /// Its body returned an error.
    Failed(Failure),
    /// Its body panicked.
    Panicked(Failure),
    /// Its task was dropped: by [`Active::abort`], or with the runtime.
    Aborted,
}

impl EndReason {
    /// Whether it did what it was told: it finished or was stopped.
    pub fn is_clean(&self) -> bool {
        matches!(self, Self::Finished | Self::Stopped)
    }

    /// Why it failed, if it did.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed(failure) | Self::Panicked(failure) => Some(failure),
            Self::Finished | Self::Stopped | Self::Aborted => None,
        }
    }
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finished => f.write_str("finished"),
            Self::Stopped => f.write_str("stopped"),
            Self::Failed(failure) => write!(f, "failed: {failure}"),
            Self::Panicked(failure) => write!(f, "panicked: {failure}"),
            Self::Aborted => f.write_str("aborted"),
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.component, self.reason)?;
        if self.left_behind > 0 {
            write!(f, ", {} messages left unread", self.left_behind)?;
        }
        if !self.failures.is_empty() {
            write!(f, "; inside of it {}", self.failures)?;
        }
        Ok(())
    }
}

impl System {
    /// A system whose components run on this network.
    pub fn new(net: &Net) -> Self {
        Self(Arc::new(Inner {
            net: net.clone(),
            numbers: AtomicU64::new(1),
            running: Mutex::default(),
            counts: Mutex::default(),
            services: Services::default(),
            observers: Mutex::default(),
        }))
    }

    /// Starts a component.
    ///
    /// # Errors
    /// If the network can't run tasks here: the operating system's needs a tokio runtime around the call.
    pub fn activate(&self, component: impl Component) -> net_core::Result<Active> {
        self.launch(Prepared::new(component), None, false)
    }

    pub(crate) fn launch(
        &self,
        prepared: Prepared,
        parent: Option<&Arc<Owner>>,
        quiet: bool,
    ) -> net_core::Result<Active> {
        let id = self.0.numbers.fetch_add(1, Ordering::Relaxed);
        let name: Arc<str> = format!("{}_{id}", prepared.name).into();
        let signals = (&prepared.control, &prepared.signal);
        let owner = Owner::new(&self.0, parent, (id, name), &prepared.boxes, signals);
        let run = Run::new(&self.0, &owner, prepared, quiet);
        lock(&self.0.running).insert(id, Arc::clone(&owner));
        lock(&self.0.counts).started += 1;
        self.0.tell(&Event::Started {
            component: Arc::clone(owner.name()),
        });
        // If it can't be spawned it is dropped, which ends it as any other. It sees to panics and aborts itself.
        let spawned = self.0.net.backend().spawn(Box::pin(run));
        spawned.map_err(|error| net_core::Error::from_io(net_core::Operation::Run, error))?;
        Ok(Active { owner })
    }

    /// The network that components run on.
    pub fn net(&self) -> &Net {
        &self.0.net
    }

    /// The registry of services.
    pub fn services(&self) -> &Services {
        &self.0.services
    }

    /// What was counted since the beginning.
    pub fn counts(&self) -> SystemCounts {
        *lock(&self.0.counts)
    }

    /// The names of the components that run, in the order in which they began.
    #[cfg(feature = "derive")]
    pub(crate) fn running(&self) -> Vec<Arc<str>> {
        let running = lock(&self.0.running);
        running.values().map(|owner| Arc::clone(owner.name())).collect()
    }

    /// Has the events of this system told to `observer` too, where they happen: it must be quick and must not block.
    pub fn observe(&self, observer: impl Fn(&Event) + Send + Sync + 'static) {
        lock(&self.0.observers).push(Arc::new(observer));
    }

    /// Links two boxes of running components by name: `link("Reader_1.outbox", "Writer_2.inbox")`. What the owner of an
    /// inbox has taken out in a batch already stays with it.
    ///
    /// # Errors
    /// As [`link`](crate::link), and [`LinkError::NoSuchComponent`], [`LinkError::NoSuchBox`] and
    /// [`LinkError::WrongType`], with what there is.
    pub fn link(&self, from: &str, to: &str) -> Result<(), LinkError> {
        let from = self.find(from, &[Direction::Out, Direction::In])?;
        let directions = match from.direction() {
            Direction::In => [Direction::In, Direction::Out],
            // A parent's outbox is meant only if no inbox is called so.
            Direction::Out => [Direction::In, Direction::Out],
        };
        let to = self.find(to, &directions)?;
        from.link_to(to, None)
    }

    /// Takes the link away that leads on from a box; false if there was none.
    ///
    /// # Errors
    /// [`LinkError::NoSuchComponent`] and [`LinkError::NoSuchBox`].
    pub fn unlink(&self, from: &str) -> Result<bool, LinkError> {
        Ok(self.find(from, &[Direction::Out, Direction::In])?.cut_off())
    }

    fn find(&self, text: &str, directions: &[Direction]) -> Result<Arc<dyn AnyNode>, LinkError> {
        let Some((component, name)) = text.rsplit_once('.') else {
            return Err(LinkError::NotAName(text.to_owned()));
        };
        let running = lock(&self.0.running);
        let Some(owner) = running.values().find(|owner| **owner.name() == *component) else {
            return Err(LinkError::NoSuchComponent {
                name: component.to_owned(),
                existing: running.values().map(|owner| owner.name().to_string()).collect(),
            });
        };
        let owner = Arc::clone(owner);
        drop(running);
        let boxes = owner.boxes();
        let find = |direction: &Direction| {
            boxes
                .iter()
                .find(|node| node.direction() == *direction && node.box_name() == name)
        };
        match directions.iter().find_map(find) {
            Some(node) => Ok(Arc::clone(node)),
            None => Err(LinkError::NoSuchBox {
                component: component.to_owned(),
                name: name.to_owned(),
                existing: boxes
                    .iter()
                    .map(|node| format!("{} {}: {}", node.direction().word(), node.box_name(), node.type_name()))
                    .collect(),
            }),
        }
    }
}

impl fmt::Debug for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let running = lock(&self.0.running).len();
        f.debug_struct("System")
            .field("net", &self.0.net)
            .field("running", &running)
            .finish_non_exhaustive()
    }
}

impl Inner {
    pub(crate) fn ended(&self, owner: &Owner, end: &End) {
        let parent = {
            let mut running = lock(&self.running);
            running.remove(&owner.id());
            owner.parent().and_then(|parent| running.get(&parent).cloned())
        };
        if let Some(parent) = parent {
            parent.child_ended(end);
        }
        let mut counts = lock(&self.counts);
        counts.ended += 1;
        counts.failed += u64::from(end.reason.failure().is_some());
        counts.left_behind += end.left_behind;
    }

    pub(crate) fn tell(&self, event: &Event) {
        #[cfg(feature = "tracing")]
        match event {
            Event::Ended(end) if end.reason.failure().is_some() => tracing::error!(target: "components", "{end}"),
            Event::Restarting { .. } | Event::Circle { .. } | Event::Stranded { .. } => {
                tracing::warn!(target: "components", ?event);
            }
            event => tracing::debug!(target: "components", ?event),
        }
        let observers = lock(&self.observers).clone();
        for observer in observers {
            // It hurts itself only.
            if catch_panic_in(|| observer(event)).is_err() {
                #[cfg(feature = "tracing")]
                tracing::error!(target: "components", ?event, "an observer panicked");
            }
        }
    }
}

/// A component that was started. As a future it gives the component's [`End`]; dropping it lets the component run on.
/// Clones are handles on the same component.
#[derive(Clone, Debug)]
pub struct Active {
    pub(crate) owner: Arc<Owner>,
}

impl Active {
    /// The component's name: that of its type, and a number.
    pub fn name(&self) -> &Arc<str> {
        self.owner.name()
    }

    /// Tells it to end when everything is done that was sent to it: a
    /// [`ProducerFinished`](Signal::ProducerFinished) at its control box.
    pub fn finish(&self) {
        self.tell(Signal::producer_finished());
    }

    /// Tells it to end at once: a [`ShutdownMicroprocess`](Signal::ShutdownMicroprocess) at its control box.
    pub fn stop(&self) {
        self.tell(Signal::shutdown_microprocess());
    }

    /// Sends a signal to its control box.
    pub fn tell(&self, signal: Signal) {
        self.owner.tell(signal);
    }

    /// Drops the component's task at its next wait, without asking it.
    pub fn abort(&self) {
        self.owner.abort();
    }

    /// How it ended, if it has.
    pub fn end(&self) -> Option<&End> {
        self.owner.end()
    }
}

impl IntoFuture for Active {
    type Output = End;
    type IntoFuture = Ending;

    fn into_future(self) -> Ending {
        Ending(Box::pin(async move { self.owner.ended().await }))
    }
}

/// The future of an [`Active`]. Cancel safe.
pub struct Ending(Pin<Box<dyn Future<Output = End> + Send>>);

impl Future for Ending {
    type Output = End;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<End> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ending").finish_non_exhaustive()
    }
}
