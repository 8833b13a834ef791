//! The engine: instances, their events and time, without a clock and without threads.

mod builder;
mod snapshot;
mod world;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use builder::{EngineBuilder, Limits};
pub use snapshot::Snapshot;
pub(crate) use world::World;

use crate::model::compiled::EventId;
use crate::{Event, Fault, InputError, InstanceId, Model, OutputListener, OutputQueue};

/// Runs a model step by step: the host says what comes in and how far time goes.
///
/// Everything is deterministic: the same inputs give the same steps, in the same order. For real time, threads and
/// sockets there is the [`Runtime`](crate::Runtime), which drives one of these.
///
/// ```
/// use std::time::Duration;
/// use statechart_bridge::{Chart, Class, Engine, Event, Model, Raise, State, Transition};
///
/// let blink = Chart::new()
///     .state(State::new("off").transition(Transition::on("go").port("in").to("../on")))
///     .state(State::new("on").transition(
///         Transition::after(Duration::from_secs(1)).to("../off").raise(Raise::output("out", "done")),
///     ));
/// let model = Model::builder().inport("in").outport("out").class(Class::new("Blink").chart(blink)).build()?;
///
/// let mut engine = Engine::new(&model)?;
/// let outputs = engine.output_queue(&["out"]);
/// engine.start();
/// engine.input(Event::new("go").on("in"))?;
/// engine.advance(Duration::from_millis(999));
/// assert!(outputs.try_fetch().is_none());
/// engine.advance(Duration::from_millis(1));
/// assert_eq!(outputs.try_fetch().unwrap().event.to_string(), "out.done");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct Engine {
    pub(crate) world: World,
}

/// The name of an event, looked up once; see [`Engine::event_key`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventKey(EventId);

impl Engine {
    /// An engine with the default settings, for a default class whose constructor needs no arguments. Its instance is
    /// created at once, and started by [`start`](Self::start).
    ///
    /// # Errors
    /// What goes wrong in the constructor.
    pub fn new(model: &Model) -> Result<Self, Fault> {
        Self::builder(model).build()
    }

    /// An engine with settings.
    pub fn builder(model: &Model) -> EngineBuilder {
        EngineBuilder::new(model)
    }

    /// Starts the instance of the default class: enters its first states, and does all that is due then. A second start
    /// does nothing.
    pub fn start(&mut self) {
        self.world.start();
        self.world.settle();
    }

    /// Whether it has been started.
    pub fn is_started(&self) -> bool {
        self.world.started
    }

    /// Gives an event on an inport now, to all instances (of a private port: to its instance), and does all that follows.
    /// Before the start it waits for that.
    ///
    /// # Errors
    /// No name, an unknown port, or too much is waiting.
    pub fn input(&mut self, event: Event) -> Result<(), InputError> {
        self.input_after(Duration::ZERO, event, None)?;
        self.world.settle();
        Ok(())
    }

    /// Gives an event on an inport in so much time, to one instance or to all. Nothing happens yet: an event with no
    /// delay is handled by the next [`advance`](Self::advance).
    ///
    /// # Errors
    /// As [`input`](Self::input).
    pub fn input_after(&mut self, delay: Duration, event: Event, to: Option<InstanceId>) -> Result<(), InputError> {
        let at = self.world.now.saturating_add(milliseconds(delay));
        self.world.add_input(at, event, to)
    }

    /// Gives an event without port to all instances, and does all that follows.
    ///
    /// # Errors
    /// No name, or too much is waiting.
    pub fn broadcast(&mut self, event: Event) -> Result<(), InputError> {
        let at = self.world.now;
        self.world.add_broadcast(at, event)?;
        self.world.settle();
        Ok(())
    }

    /// Lets time pass, in whole milliseconds, and does all that is due on the way, each at its time.
    pub fn advance(&mut self, by: Duration) {
        self.advance_to(Duration::from_millis(self.world.now) + by);
    }

    /// Lets time pass until a moment since the start. It never goes back.
    pub fn advance_to(&mut self, to: Duration) {
        let to = milliseconds(to);
        self.world.run_until(to);
    }

    /// The simulated time since the start.
    pub fn now(&self) -> Duration {
        Duration::from_millis(self.world.now)
    }

    /// When something is due next; none if nothing is waiting. Timers of states that were left don't count, but for those
    /// that a [`dispatch`](Self::dispatch) since the last [`advance`](Self::advance) has cancelled.
    pub fn next_due(&self) -> Option<Duration> {
        self.world.next_due().map(Duration::from_millis)
    }

    /// A short way to an event's name, for [`dispatch`](Self::dispatch).
    pub fn event_key(&self, name: &str) -> EventKey {
        EventKey(self.world.model.events.id(name))
    }

    /// Gives an event that is only a name to one instance and runs its big step at once: the shortest way in, without
    /// ports and queues. What the step raises takes effect too.
    ///
    /// Gives whether something was enabled; never for an instance that is gone or not started, or that has other events
    /// waiting.
    pub fn dispatch(&mut self, to: InstanceId, event: EventKey) -> bool {
        self.world.dispatch(to, event.0)
    }

    /// Sends what is raised on these outports to a listener from now on; no ports means all.
    pub fn add_output_listener(&mut self, ports: &[&str], listener: Arc<dyn OutputListener>) {
        self.world.listeners.add(ports, listener);
    }

    /// A queue of what is raised on these outports from now on; no ports means all.
    pub fn output_queue(&mut self, ports: &[&str]) -> OutputQueue {
        let queue = OutputQueue::default();
        self.world.listeners.add(ports, Arc::new(queue.clone()));
        queue
    }

    /// The private inport of an instance, by the name that its class gives it.
    pub fn inport_of(&self, instance: InstanceId, name: &str) -> Option<&Arc<str>> {
        let number = self
            .world
            .class_of(instance)?
            .inports
            .iter()
            .position(|known| &**known == name)?;
        self.world.instances.get(&instance)?.inports.get(number)
    }

    /// The private outport of an instance, by the name that its class gives it.
    pub fn outport_of(&self, instance: InstanceId, name: &str) -> Option<&Arc<str>> {
        let number = self
            .world
            .class_of(instance)?
            .outports
            .iter()
            .position(|known| &**known == name)?;
        self.world.instances.get(&instance)?.outports.get(number)
    }

    /// The instances that there are, in the order of their creation.
    pub fn instances(&self) -> impl Iterator<Item = InstanceId> {
        self.world.instances.keys().copied()
    }

    /// The name of an instance's class.
    pub fn class_of(&self, instance: InstanceId) -> Option<&Arc<str>> {
        self.world.class_of(instance).map(|class| &class.name)
    }

    /// An attribute of an instance.
    pub fn attribute(&self, instance: InstanceId, name: &str) -> Option<&crate::Value> {
        self.world.attribute(instance, name)
    }

    /// The paths of the states that are active in an instance, outer ones first.
    pub fn states(&self, instance: InstanceId) -> Vec<String> {
        self.world.states(instance)
    }

    /// Everything that can change, as it is now.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::of(&self.world)
    }

    /// Goes back (or forth) to a snapshot of the same model. Listeners stay as they are.
    ///
    /// # Errors
    /// The snapshot is of another model.
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<(), Fault> {
        snapshot.restore(&mut self.world)
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("model", &self.world.model.name)
            .field("now", &self.now())
            .field("instances", &self.world.instances.len())
            .field("next_due", &self.next_due())
            .finish_non_exhaustive()
    }
}

/// Whole milliseconds, cut.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
