//! What actions do: raise events, run code, write lines, assign.

use std::sync::Arc;

use crate::script::{Code, Expression, Run};
use crate::{Context, Outcome, Place, Value};

/// Who gets a raised event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The instance itself.
    Local,
    /// All other instances.
    Broad,
    /// The instances behind this link (`"children"`, `"children[2]/parent"`), or behind each of a list of links.
    Narrow(Value),
    /// The object manager: `create_instance`, `start_instance` and so on.
    ObjectManager,
    /// Who listens on the event's outport.
    Output,
}

/// An event to be raised by a transition, an entry or an exit.
///
/// ```
/// use statechart_bridge::{Expression, Raise};
///
/// let send = Raise::output("socket_out", "send_socket")
///     .with(Expression::attribute("socket"))
///     .with("hello");
/// let create = Raise::object_manager("create_instance").with("sockets").with("Socket").with(Expression::Parameter(1));
/// ```
#[derive(Clone, Debug)]
pub struct Raise {
    pub(crate) event: Arc<str>,
    pub(crate) to: Destination,
    pub(crate) parameters: Vec<Expression>,
    pub(crate) place: Place,
}

/// A [`Scope`] whose target is yet to be computed.
#[derive(Clone, Debug)]
pub(crate) enum Destination {
    Local,
    Broad,
    Narrow(Expression),
    ObjectManager,
    Output(Arc<str>),
}

impl Raise {
    fn new(event: impl Into<Arc<str>>, to: Destination) -> Self {
        Self {
            event: event.into(),
            to,
            parameters: Vec::new(),
            place: Place::default(),
        }
    }

    /// For the instance itself.
    pub fn local(event: impl Into<Arc<str>>) -> Self {
        Self::new(event, Destination::Local)
    }

    /// For all other instances.
    pub fn broad(event: impl Into<Arc<str>>) -> Self {
        Self::new(event, Destination::Broad)
    }

    /// For the instances behind a link, or a list of links.
    pub fn narrow(target: impl Into<Expression>, event: impl Into<Arc<str>>) -> Self {
        Self::new(event, Destination::Narrow(target.into()))
    }

    /// For the object manager: `create_instance`, `start_instance` and so on.
    pub fn object_manager(request: impl Into<Arc<str>>) -> Self {
        Self::new(request, Destination::ObjectManager)
    }

    /// For who listens on an outport, private ones of the class included.
    pub fn output(port: impl Into<Arc<str>>, event: impl Into<Arc<str>>) -> Self {
        Self::new(event, Destination::Output(port.into()))
    }

    /// One more parameter.
    #[must_use]
    pub fn with(mut self, parameter: impl Into<Expression>) -> Self {
        self.parameters.push(parameter.into());
        self
    }

    /// Where it stands in a file, for faults.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = place;
        self
    }
}

/// One step of what a transition, an entry or an exit does.
#[derive(Clone, Debug)]
pub enum Action {
    /// Raises an event.
    Raise(Raise),
    /// Runs code.
    Run(Code),
    /// Writes a line for people; text as it is, other values in their text form.
    Log(Expression),
    /// Sets an attribute.
    Assign(Arc<str>, Expression),
}

impl Action {
    /// Runs a closure.
    pub fn run<R: Outcome>(closure: impl Fn(&mut Context<'_>) -> R + Send + Sync + 'static) -> Self {
        Self::Run(Arc::new(Run(closure)))
    }
}

impl From<Raise> for Action {
    fn from(raise: Raise) -> Self {
        Self::Raise(raise)
    }
}

impl From<Code> for Action {
    fn from(code: Code) -> Self {
        Self::Run(code)
    }
}
