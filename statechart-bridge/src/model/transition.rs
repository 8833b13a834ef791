//! The description of a transition.

use std::sync::Arc;
use std::time::Duration;

use super::raise::{Action, Raise};
use crate::script::{Code, Expression, Test};
use crate::{Context, Outcome, Place};

/// A transition: when, on which condition, where to, and what it does.
///
/// ```
/// use statechart_bridge::{Context, Raise, Transition};
///
/// let flip = Transition::on("flip")
///     .port("input")
///     .guard(|cx| cx.parameter(0).as_int() == Some(1))
///     .to("../on")
///     .run(|cx: &mut Context| cx.log("flipped"))
///     .raise(Raise::output("output", "flipped"));
/// ```
#[derive(Clone, Debug)]
pub struct Transition {
    pub(crate) trigger: Trigger,
    pub(crate) targets: Option<String>,
    pub(crate) guard: Guard,
    pub(crate) same: Option<(Arc<str>, usize)>,
    pub(crate) actions: Vec<Action>,
    pub(crate) external: bool,
    pub(crate) place: Place,
}

#[derive(Clone, Debug)]
pub(crate) enum Trigger {
    Spontaneous,
    Event {
        name: Arc<str>,
        port: Option<Arc<str>>,
    },
    /// All events whose name is this, or begins with this and a dot; empty for all.
    Prefix {
        name: Arc<str>,
        port: Option<Arc<str>>,
    },
    After(Expression),
}

#[derive(Clone, Debug)]
pub(crate) enum Guard {
    Always,
    Else,
    Code(Code),
    InState(Vec<String>),
}

impl Transition {
    fn new(trigger: Trigger) -> Self {
        Self {
            trigger,
            targets: None,
            guard: Guard::Always,
            same: None,
            actions: Vec::new(),
            external: false,
            place: Place::default(),
        }
    }

    /// Taken on an event, from any port unless [`port`](Self::port) names one.
    pub fn on(event: impl Into<Arc<str>>) -> Self {
        let name = event.into();
        Self::new(Trigger::Event { name, port: None })
    }

    /// Taken on all events with this name, or whose name begins with this and a dot; all events if it is empty.
    pub fn on_prefix(event: impl Into<Arc<str>>) -> Self {
        let name = event.into();
        Self::new(Trigger::Prefix { name, port: None })
    }

    /// Taken when the state has been active for so long, in whole milliseconds.
    pub fn after(delay: Duration) -> Self {
        Self::after_seconds(delay.as_secs_f64())
    }

    /// Taken when the state has been active for so many seconds, computed when it is entered and cut to milliseconds.
    pub fn after_seconds(delay: impl Into<Expression>) -> Self {
        Self::new(Trigger::After(delay.into()))
    }

    /// Taken as soon as its guard allows.
    pub fn spontaneous() -> Self {
        Self::new(Trigger::Spontaneous)
    }

    /// Only events on this inport, a public one or one of the class.
    #[must_use]
    pub fn port(mut self, inport: impl Into<Arc<str>>) -> Self {
        match &mut self.trigger {
            Trigger::Event { port, .. } | Trigger::Prefix { port, .. } => *port = Some(inport.into()),
            // Told when the model is built.
            Trigger::Spontaneous | Trigger::After(_) => {
                self.trigger = Trigger::Event {
                    name: Arc::default(),
                    port: Some(inport.into()),
                };
            }
        }
        self
    }

    /// Where to: `.`, `..`, `../sibling`, `child/grandchild`, `/from/the/root`, or several states of one parallel:
    /// `../p/(r1/b, r2/c)`. Without a target nothing is left or entered, only the actions run.
    #[must_use]
    pub fn to(mut self, targets: impl Into<String>) -> Self {
        self.targets = Some(targets.into());
        self
    }

    /// Only if this holds.
    #[must_use]
    pub fn guard(self, closure: impl Fn(&mut Context<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.guard_code(Arc::new(Test(closure)))
    }

    /// Only if this code gives something true.
    #[must_use]
    pub fn guard_code(mut self, code: Code) -> Self {
        self.guard = Guard::Code(code);
        self
    }

    /// Only if no other transition of the same state with the same trigger is enabled.
    #[must_use]
    pub fn otherwise(mut self) -> Self {
        self.guard = Guard::Else;
        self
    }

    /// Only if this state is active; a second call asks for both.
    #[must_use]
    pub fn in_state(mut self, reference: impl Into<String>) -> Self {
        match &mut self.guard {
            Guard::InState(references) => references.push(reference.into()),
            guard => *guard = Guard::InState(vec![reference.into()]),
        }
        self
    }

    /// Only if an attribute equals a parameter of the event, besides what the guard says: `self.socket == socket`. The
    /// controller can then find the instances that an event is for, instead of asking them all.
    #[must_use]
    pub fn same(mut self, attribute: impl Into<Arc<str>>, parameter: usize) -> Self {
        self.same = Some((attribute.into(), parameter));
        self
    }

    /// Runs a closure, after what was added before.
    #[must_use]
    pub fn run<R: Outcome>(self, closure: impl Fn(&mut Context<'_>) -> R + Send + Sync + 'static) -> Self {
        self.action(Action::run(closure))
    }

    /// Raises an event, after what was added before.
    #[must_use]
    pub fn raise(self, raise: Raise) -> Self {
        self.action(raise)
    }

    /// One more action, after what was added before.
    #[must_use]
    pub fn action(mut self, action: impl Into<Action>) -> Self {
        self.actions.push(action.into());
        self
    }

    /// Leaves its source and enters it again even if the target is inside; otherwise only what is inside changes.
    #[must_use]
    pub fn external(mut self) -> Self {
        self.external = true;
        self
    }

    /// Where it stands in a file, for errors and faults.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = place;
        self
    }
}
