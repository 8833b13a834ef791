//! The runtime: an engine with a clock, shared by threads and tasks.

mod builder;
mod drive;
mod inbox;

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use builder::RuntimeBuilder;
use inbox::{Inbox, Input};
use net_core::Net;

use super::engine::{Engine, milliseconds};
use crate::{
    Controller, Event, Fault, Hold, InputError, InstanceId, Model, OutputListener, OutputQueue, SharedController,
    Snapshot, WeakController,
};

/// Runs a model by the clock of a network: real time on the operating system's, virtual time on a simulated one.
///
/// It is driven in one of three ways: as a task ([`start`](Self::start), [`run`](Self::run)), by a thread
/// ([`run_blocking`](Self::run_blocking)), or by a host that calls [`update`](Self::update) now and then, as games do.
/// Clones are the same runtime; inputs come from any thread.
///
/// ```
/// use std::time::Duration;
/// use net_core::Net;
/// use statechart_bridge::{Chart, Class, Event, Model, Raise, Runtime, State, Transition};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let ping = Transition::on("ping").port("in").to(".").raise(Raise::output("out", "pong"));
/// let chart = Chart::new().state(State::new("ready").transition(ping));
/// let model = Model::builder().inport("in").outport("out").class(Class::new("Echo").chart(chart)).build()?;
///
/// let runtime = Runtime::new(&model, &Net::os())?;
/// let outputs = runtime.output_queue(&["out"]);
/// runtime.start()?;
/// runtime.add_input_after(Duration::from_secs(3600), Event::new("ping").on("in"))?;
/// assert_eq!(outputs.next().await.unwrap().to_string(), "3600.000 #1 out.pong");
/// runtime.stop();
/// runtime.ended().await;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Runtime(Arc<Shared>);

struct Shared {
    net: Net,
    model: Model,
    inbox: Mutex<Inbox>,
    /// For the thread that drives.
    arrived: Condvar,
    engine: Mutex<Engine>,
    settings: builder::Settings,
    holds: Arc<AtomicUsize>,
}

impl Runtime {
    /// A runtime with the default settings, for a default class whose constructor needs no arguments.
    ///
    /// # Errors
    /// What goes wrong in the constructor.
    pub fn new(model: &Model, net: &Net) -> Result<Self, Fault> {
        Self::builder(model, net).build()
    }

    /// A runtime with settings.
    pub fn builder(model: &Model, net: &Net) -> RuntimeBuilder {
        RuntimeBuilder::new(model, net)
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.0.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn engine(&self) -> MutexGuard<'_, Engine> {
        self.0.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The network whose clock it goes by.
    pub fn net(&self) -> &Net {
        &self.0.net
    }

    /// Gives an event on an inport now: to all instances, or to the one that a private port belongs to.
    ///
    /// # Errors
    /// [`InputError`]; nothing has been given then.
    pub fn add_input(&self, event: Event) -> Result<(), InputError> {
        self.give(Duration::ZERO, event, None, false)
    }

    /// Gives an event on an inport in so much time (before the start: so long after it), in whole milliseconds.
    ///
    /// # Errors
    /// As [`add_input`](Self::add_input).
    pub fn add_input_after(&self, delay: Duration, event: Event) -> Result<(), InputError> {
        self.give(delay, event, None, false)
    }

    /// Gives an event on an inport to one instance, now.
    ///
    /// # Errors
    /// As [`add_input`](Self::add_input).
    pub fn add_input_to(&self, instance: InstanceId, event: Event) -> Result<(), InputError> {
        self.give(Duration::ZERO, event, Some(instance), false)
    }

    /// Gives an event without port to all instances in so much time.
    ///
    /// # Errors
    /// As [`add_input`](Self::add_input).
    pub fn broadcast(&self, delay: Duration, event: Event) -> Result<(), InputError> {
        self.give(delay, event, None, true)
    }

    fn give(&self, delay: Duration, event: Event, to: Option<InstanceId>, broadcast: bool) -> Result<(), InputError> {
        if event.name().is_empty() {
            return Err(InputError::NoName);
        }
        if !broadcast {
            self.check_port(&event)?;
        }
        let mut inbox = self.inbox();
        let at = inbox.elapsed(&self.0.net).saturating_add(milliseconds(delay));
        inbox.push(Input {
            at,
            event,
            to,
            broadcast,
        })?;
        self.wake(inbox);
        Ok(())
    }

    /// Private ports come and go with their instances: what is for one that is gone is dropped.
    fn check_port(&self, event: &Event) -> Result<(), InputError> {
        let port = event.port();
        let public = self.0.model.inports();
        if public.contains(port) || port.starts_with("private_") {
            return Ok(());
        }
        let known: Vec<_> = public.iter().map(|name| &**name).collect();
        let (port, known) = (Arc::clone(port), known.join(", "));
        Err(InputError::NoPort { port, known })
    }

    fn wake(&self, mut inbox: MutexGuard<'_, Inbox>) {
        let waker = inbox.waker.take();
        let thread_sleeps = inbox.thread_sleeps;
        drop(inbox);
        // To wake nobody costs a system call too.
        if thread_sleeps {
            self.0.arrived.notify_all();
        }
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Sends what is raised on these outports to a listener from now on; no ports means all.
    pub fn add_output_listener(&self, ports: &[&str], listener: Arc<dyn OutputListener>) {
        let ports = ports.iter().map(|port| Arc::from(*port)).collect();
        // Not to the engine at once: this may be called from within a listener.
        self.inbox().listeners.push((ports, listener));
    }

    /// A queue of what is raised on these outports from now on; no ports means all.
    pub fn output_queue(&self, ports: &[&str]) -> OutputQueue {
        let queue = OutputQueue::default();
        self.add_output_listener(ports, Arc::new(queue.clone()));
        queue
    }

    /// Whether it has been started.
    pub fn is_started(&self) -> bool {
        self.inbox().is_started()
    }

    /// Whether it has ended: it was stopped, or, if it need not keep running, nothing more was to be done.
    pub fn has_ended(&self) -> bool {
        self.inbox().has_ended()
    }

    /// Ends it, without doing what still waits. Called before the start, it ends at the start.
    pub fn stop(&self) {
        let mut inbox = self.inbox();
        inbox.stop = true;
        self.wake(inbox);
    }

    /// The simulated time: what the last handled event had.
    pub fn simulated_time(&self) -> Duration {
        self.engine().now()
    }

    /// The time on the clock since the start.
    pub fn wall_clock_time(&self) -> Duration {
        Duration::from_millis(self.inbox().elapsed(&self.0.net))
    }

    /// Lets the caller look at the engine, or change it, between two steps. Not from within a listener: it would wait for
    /// itself.
    pub fn with_engine<T>(&self, look: impl FnOnce(&mut Engine) -> T) -> T {
        look(&mut self.engine())
    }

    /// Everything that can change, as it is now, without inputs that have not been looked at yet. Not from within a
    /// listener.
    pub fn snapshot(&self) -> Snapshot {
        self.engine().snapshot()
    }

    /// Goes back to a snapshot of the same model: time goes on from there. Not from within a listener.
    ///
    /// # Errors
    /// The snapshot is of another model.
    pub fn restore(&self, snapshot: &Snapshot) -> Result<(), Fault> {
        let mut engine = self.engine();
        engine.restore(snapshot)?;
        let mut inbox = self.inbox();
        inbox.set_time(&self.0.net, milliseconds(snapshot.time()));
        self.wake(inbox);
        Ok(())
    }
}

impl Controller for Runtime {
    fn add_input(&self, event: Event, to: Option<InstanceId>) -> Result<(), InputError> {
        self.give(Duration::ZERO, event, to, false)
    }

    fn add_output_listener(&self, ports: &[&str], listener: Arc<dyn OutputListener>) {
        Self::add_output_listener(self, ports, listener);
    }

    fn is_started(&self) -> bool {
        Self::is_started(self)
    }

    fn hold(&self) -> Hold {
        let weak = Arc::downgrade(&self.0);
        Hold::new(Arc::clone(&self.0.holds), move || {
            if let Some(shared) = weak.upgrade() {
                let runtime = Self(shared);
                runtime.wake(runtime.inbox());
            }
        })
    }
}

impl SharedController for Runtime {
    fn downgrade(&self) -> WeakController {
        let weak = Arc::downgrade(&self.0);
        WeakController::new(move || Some(Box::new(Self(weak.upgrade()?))))
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inbox = self.inbox();
        f.debug_struct("Runtime")
            .field("model", &self.0.model.name())
            .field("started", &inbox.is_started())
            .field("ended", &inbox.has_ended())
            .field("holds", &self.0.holds.load(Ordering::Relaxed))
            .finish_non_exhaustive()
    }
}
