//! What a service on ports needs of a controller: events in, events out.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::Event;

/// An instance of a class. Numbers count up from 1 in the order of creation and are never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId(pub(crate) u64);

impl InstanceId {
    /// The instance with this number: for controllers of other makers.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// Any event-driven controller that a service can be put on: the runtime of this crate, or your own.
pub trait Controller: Send + Sync + 'static {
    /// Gives an event on one of the inports, to one instance or to all. Never waits; may be called from any thread, and
    /// from within a listener.
    ///
    /// # Errors
    /// [`InputError`]; nothing has been given then.
    fn add_input(&self, event: Event, to: Option<InstanceId>) -> Result<(), InputError>;

    /// Sends what is raised on one of these outports to `listener` from now on; no ports means all.
    fn add_output_listener(&self, ports: &[&str], listener: Arc<dyn OutputListener>);

    /// Whether it has been started. A service that comes later misses what was raised before.
    fn is_started(&self) -> bool;

    /// While the answer is held the controller goes on, though nothing is pending in it: a service with open sockets
    /// holds one. For controllers that never end by themselves the default, an idle one, will do.
    fn hold(&self) -> Hold {
        Hold::default()
    }
}

impl<C: Controller + ?Sized> Controller for Arc<C> {
    fn add_input(&self, event: Event, to: Option<InstanceId>) -> Result<(), InputError> {
        (**self).add_input(event, to)
    }

    fn add_output_listener(&self, ports: &[&str], listener: Arc<dyn OutputListener>) {
        (**self).add_output_listener(ports, listener);
    }

    fn is_started(&self) -> bool {
        (**self).is_started()
    }

    fn hold(&self) -> Hold {
        (**self).hold()
    }
}

/// A controller that several hold, such as an `Arc` of one: what a service is booted on.
pub trait SharedController: Controller {
    /// A way back to it that doesn't keep it alive: the controller holds its listeners, and they must not hold it.
    fn downgrade(&self) -> WeakController;
}

impl<C: Controller + ?Sized> SharedController for Arc<C> {
    fn downgrade(&self) -> WeakController {
        let weak = Self::downgrade(self);
        WeakController::new(move || Some(Box::new(weak.upgrade()?)))
    }
}

/// A controller that may be gone.
pub struct WeakController(Box<dyn Fn() -> Option<Box<dyn Controller>> + Send + Sync>);

impl WeakController {
    /// Finds the controller by this.
    pub fn new(find: impl Fn() -> Option<Box<dyn Controller>> + Send + Sync + 'static) -> Self {
        Self(Box::new(find))
    }

    /// The controller, if it still exists.
    pub fn upgrade(&self) -> Option<Box<dyn Controller>> {
        (self.0)()
    }
}

impl fmt::Debug for WeakController {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakController").finish_non_exhaustive()
    }
}

/// An event that an instance raised on an outport.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The event, with its port.
    pub event: Event,
    /// Who raised it.
    pub source: InstanceId,
    /// When, in simulated time since the start: whole milliseconds.
    pub time: Duration,
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} {} {}", self.time.as_secs_f64(), self.source, self.event)
    }
}

/// Who gets what is raised on outports. Closures that take an [`Output`] are listeners.
pub trait OutputListener: Send + Sync {
    /// Called for each event, in order, right after the big step that raised it. The controller waits for it: be quick,
    /// don't block, and give events only by [`Controller::add_input`].
    fn output(&self, output: &Output);

    /// Called once when the controller has ended: nothing more will come.
    fn ended(&self) {}
}

impl<F: Fn(&Output) + Send + Sync> OutputListener for F {
    fn output(&self, output: &Output) {
        self(output);
    }
}

/// Why an event was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InputError {
    /// The event has no name.
    NoName,
    /// There is no such inport.
    NoPort {
        /// The port that the event names.
        port: Arc<str>,
        /// The inports that there are, with commas between.
        known: String,
    },
    /// As many events wait as the limit allows.
    Full {
        /// The limit.
        limit: usize,
    },
    /// The controller has ended.
    Stopped,
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoName => f.write_str("an event needs a name"),
            Self::NoPort { port, known } if known.is_empty() => {
                write!(f, "no inport `{port}`: the model declares none")
            }
            Self::NoPort { port, known } => write!(f, "no inport `{port}`: expected one of {known}"),
            Self::Full { limit } => write!(f, "{limit} events wait already, which is the limit"),
            Self::Stopped => f.write_str("the controller has stopped"),
        }
    }
}

impl std::error::Error for InputError {}

/// Keeps a controller going while it is held; see [`Controller::hold`].
#[derive(Debug, Default)]
pub struct Hold(#[expect(dead_code, reason = "held for what its end does")] Option<Holding>);

struct Holding {
    count: Arc<AtomicUsize>,
    released: Box<dyn Fn() + Send + Sync>,
}

impl Hold {
    /// Counts up; dropping it counts down, and calls `released` when nobody holds any more.
    pub fn new(count: Arc<AtomicUsize>, released: impl Fn() + Send + Sync + 'static) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        let released = Box::new(released);
        Self(Some(Holding { count, released }))
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        if self.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            (self.released)();
        }
    }
}

impl fmt::Debug for Holding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Holding")
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}
