//! The descriptions of states and charts.

use std::sync::Arc;

use super::raise::Action;
use super::transition::Transition;
use crate::{Context, Outcome, Place, Semantics};

/// A state: basic without children, composite with some; or a parallel, or a history.
///
/// ```
/// use statechart_bridge::{Raise, State, Transition};
///
/// let lamp = State::new("lamp")
///     .initial("off")
///     .child(State::new("off").transition(Transition::on("flip").to("../on")))
///     .child(State::new("on").entering(Raise::output("output", "lit")));
/// let machine = State::parallel("machine").child(lamp).child(State::new("door").child(State::new("closed")));
/// ```
#[derive(Clone, Debug)]
pub struct State {
    pub(crate) id: Arc<str>,
    pub(crate) kind: Kind,
    pub(crate) initial: Option<String>,
    pub(crate) children: Vec<State>,
    pub(crate) transitions: Vec<Transition>,
    pub(crate) entry: Vec<Action>,
    pub(crate) exit: Vec<Action>,
    pub(crate) stable: bool,
    pub(crate) place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Plain,
    Parallel,
    ShallowHistory,
    DeepHistory,
}

impl State {
    fn of(id: impl Into<Arc<str>>, kind: Kind) -> Self {
        Self {
            id: id.into(),
            kind,
            initial: None,
            children: Vec::new(),
            transitions: Vec::new(),
            entry: Vec::new(),
            exit: Vec::new(),
            stable: false,
            place: Place::default(),
        }
    }

    /// A basic state, or with children a composite one, of which exactly one child is active.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self::of(id, Kind::Plain)
    }

    /// A state whose children, composite states called regions, are all active together.
    pub fn parallel(id: impl Into<Arc<str>>) -> Self {
        Self::of(id, Kind::Parallel)
    }

    /// As a target: the child of its parent that was active last. Before there is one, its [`initial`](Self::initial),
    /// or what the parent enters by default.
    pub fn history(id: impl Into<Arc<str>>) -> Self {
        Self::of(id, Kind::ShallowHistory)
    }

    /// As a target: all states inside its parent that were active last.
    pub fn deep_history(id: impl Into<Arc<str>>) -> Self {
        Self::of(id, Kind::DeepHistory)
    }

    /// What is entered by default: a child, or a path to a state further inside, or to several. Without it the first
    /// child.
    #[must_use]
    pub fn initial(mut self, reference: impl Into<String>) -> Self {
        self.initial = Some(reference.into());
        self
    }

    /// One more child.
    #[must_use]
    pub fn child(mut self, child: State) -> Self {
        self.children.push(child);
        self
    }

    /// One more transition out of this state. Of two that are enabled the first wins.
    #[must_use]
    pub fn transition(mut self, transition: Transition) -> Self {
        self.transitions.push(transition);
        self
    }

    /// Runs a closure when it is entered.
    #[must_use]
    pub fn on_entry<R: Outcome>(self, closure: impl Fn(&mut Context<'_>) -> R + Send + Sync + 'static) -> Self {
        self.entering(Action::run(closure))
    }

    /// Runs a closure when it is left.
    #[must_use]
    pub fn on_exit<R: Outcome>(self, closure: impl Fn(&mut Context<'_>) -> R + Send + Sync + 'static) -> Self {
        self.exiting(Action::run(closure))
    }

    /// One more action when it is entered.
    #[must_use]
    pub fn entering(mut self, action: impl Into<Action>) -> Self {
        self.entry.push(action.into());
        self
    }

    /// One more action when it is left.
    #[must_use]
    pub fn exiting(mut self, action: impl Into<Action>) -> Self {
        self.exit.push(action.into());
        self
    }

    /// Marks it as stable: with a maximality that is `syntactic`, the part of the chart that has reached it rests there.
    #[must_use]
    pub fn stable(mut self) -> Self {
        self.stable = true;
        self
    }

    /// Where it stands in a file, for errors.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = place;
        self
    }
}

/// The states and the semantics of a class.
#[derive(Clone, Debug)]
pub struct Chart {
    pub(crate) root: State,
    pub(crate) semantics: Semantics,
    pub(crate) lenient: bool,
}

impl Chart {
    /// A chart without states, with the default semantics.
    pub fn new() -> Self {
        Self {
            root: State::new(""),
            semantics: Semantics::default(),
            lenient: false,
        }
    }

    /// What is entered at the start; see [`State::initial`].
    #[must_use]
    pub fn initial(mut self, reference: impl Into<String>) -> Self {
        self.root = self.root.initial(reference);
        self
    }

    /// One more state at the root.
    #[must_use]
    pub fn state(mut self, state: State) -> Self {
        self.root = self.root.child(state);
        self
    }

    /// The semantic options.
    #[must_use]
    pub fn semantics(mut self, semantics: Semantics) -> Self {
        self.semantics = semantics;
        self
    }

    /// Allows what SCCD rejects and SCXML has: transitions from inside a region to the outside of its parallel, regions
    /// without children.
    #[must_use]
    pub fn lenient(mut self) -> Self {
        self.lenient = true;
        self
    }

    /// Where it stands in a file, for errors.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.root.place = place;
        self
    }
}

impl Default for Chart {
    fn default() -> Self {
        Self::new()
    }
}
