//! The compiled model: numbers for names, tables for searches. Nothing in it ever changes.

use std::collections::HashMap;
use std::sync::Arc;

pub(crate) use super::bits::{BitSet, StateId};
use super::names::Names;
use super::path::{self, BadReference};
use super::state::Kind;
use crate::script::{Code, Context, Fault, Key};
use crate::{Event, Place, Semantics, Value};

/// A compiled model.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) name: Arc<str>,
    pub(crate) classes: Vec<Class>,
    pub(crate) class_ids: HashMap<Arc<str>, ClassId>,
    pub(crate) default_class: ClassId,
    pub(crate) inports: Vec<Arc<str>>,
    pub(crate) outports: Vec<Arc<str>>,
    pub(crate) ports: Names<PortId>,
    pub(crate) keys: Keys,
    pub(crate) events: Events,
    pub(crate) warnings: Vec<super::error::Problem>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClassId(pub(crate) u32);

/// The name of an inport; that of no port is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PortId(pub(crate) u32);

impl PortId {
    pub(crate) const NONE: Self = Self(0);
    /// A name that no trigger knows.
    pub(crate) const OTHER: Self = Self(u32::MAX);
}

/// The name of an event, or a set of names that triggers don't tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct EventId(pub(crate) u32);

impl EventId {
    /// A name that no trigger knows.
    pub(crate) const OTHER: Self = Self(u32::MAX);
}

impl Model {
    pub(crate) fn class(&self, id: ClassId) -> &Class {
        &self.classes[id.0 as usize]
    }

    pub(crate) fn port(&self, name: &str) -> PortId {
        if name.is_empty() {
            return PortId::NONE;
        }
        self.ports.get(name).copied().unwrap_or(PortId::OTHER)
    }
}

/// The names of attributes.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    names: Vec<Arc<str>>,
    numbers: Names<u32>,
}

impl Keys {
    pub(crate) fn intern(&mut self, name: &str) -> Key {
        if let Some(key) = self.find(name) {
            return key;
        }
        let name: Arc<str> = name.into();
        let number = self.names.len() as u32;
        self.names.push(Arc::clone(&name));
        self.numbers.insert(name, number);
        Key(number)
    }

    pub(crate) fn find(&self, name: &str) -> Option<Key> {
        self.numbers.get(name).copied().map(Key)
    }

    /// Keys are made by one builder for one model.
    pub(crate) fn name(&self, key: Key) -> &Arc<str> {
        &self.names[key.0 as usize]
    }
}

/// The names of events that triggers know.
#[derive(Debug, Default)]
pub(crate) struct Events {
    pub(crate) names: Names<EventId>,
    /// By the beginnings that triggers name: all events that begin so and have no longer beginning here.
    pub(crate) prefixes: Names<EventId>,
    pub(crate) count: u32,
}

impl Events {
    pub(crate) fn id(&self, name: &str) -> EventId {
        if let Some(id) = self.names.get(name) {
            return *id;
        }
        if self.prefixes.is_empty() {
            return EventId::OTHER;
        }
        let mut prefix = name;
        loop {
            if let Some(id) = self.prefixes.get(prefix) {
                return *id;
            }
            match prefix.rfind('.') {
                Some(dot) => prefix = &prefix[..dot],
                None if prefix.is_empty() => return EventId::OTHER,
                None => prefix = "",
            }
        }
    }

    /// One that no name leads to: a timer's.
    pub(crate) fn anonymous(&mut self) -> EventId {
        self.count += 1;
        EventId(self.count - 1)
    }
}

/// A compiled class.
#[derive(Debug)]
pub(crate) struct Class {
    pub(crate) name: Arc<str>,
    pub(crate) id: ClassId,
    /// All super classes, direct or not, and itself.
    pub(crate) is_a: Vec<ClassId>,
    /// By key; `u32::MAX` for an attribute that the class doesn't have.
    pub(crate) slots: Vec<u32>,
    pub(crate) attributes: Vec<(Arc<str>, Operand)>,
    pub(crate) methods: Names<Arc<Method>>,
    /// Those that a subclass has to write.
    pub(crate) missing: Vec<Arc<str>>,
    pub(crate) constructor: Option<Arc<Method>>,
    pub(crate) destructors: Vec<Arc<Method>>,
    pub(crate) associations: Vec<Association>,
    pub(crate) inports: Vec<Arc<str>>,
    pub(crate) outports: Vec<Arc<str>>,
    pub(crate) chart: Option<Chart>,
}

impl Class {
    #[inline]
    pub(crate) fn slot(&self, key: Key) -> Option<usize> {
        let slot = *self.slots.get(key.0 as usize)?;
        (slot != u32::MAX).then_some(slot as usize)
    }

    pub(crate) fn attribute_names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.attributes.iter().map(|(name, _)| name)
    }

    pub(crate) fn method(&self, name: &str) -> Option<&Arc<Method>> {
        self.methods.get(name)
    }

    pub(crate) fn association(&self, name: &str) -> Option<usize> {
        self.associations.iter().position(|known| &*known.name == name)
    }
}

/// A compiled association.
#[derive(Debug)]
pub(crate) struct Association {
    pub(crate) name: Arc<str>,
    pub(crate) class: ClassId,
    pub(crate) min: usize,
    pub(crate) max: Option<usize>,
}

/// A compiled method, constructor or destructor.
#[derive(Debug)]
pub(crate) struct Method {
    pub(crate) name: Arc<str>,
    pub(crate) parameters: Vec<(Arc<str>, Option<Operand>)>,
    pub(crate) supers: Vec<SuperCall>,
    pub(crate) body: Option<Code>,
    pub(crate) place: Place,
}

/// What a method calls of a super class before its own body.
#[derive(Debug)]
pub(crate) struct SuperCall {
    pub(crate) method: Arc<Method>,
    pub(crate) arguments: Vec<Operand>,
}

impl Method {
    /// The arguments with the defaults of those that are missing; nothing if all are there.
    pub(crate) fn complete(&self, given: &[Value], cx: &mut Context<'_>) -> Result<Option<Vec<Value>>, Fault> {
        let (name, most) = (&self.name, self.parameters.len());
        if given.len() > most {
            let count = given.len();
            let fault = Fault::new(format!("`{name}` takes {most} parameters, got {count}"));
            return Err(fault.at(self.place.clone()));
        }
        if given.len() == most {
            return Ok(None);
        }
        let mut all = given.to_vec();
        for (parameter, default) in &self.parameters[given.len()..] {
            let Some(default) = default else {
                let fault = Fault::new(format!("`{name}`: parameter `{parameter}` is missing"));
                return Err(fault.at(self.place.clone()));
            };
            all.push(default.evaluate(cx)?);
        }
        Ok(Some(all))
    }
}

/// A compiled expression.
#[derive(Debug)]
pub(crate) enum Operand {
    Value(Value),
    Parameter(usize),
    Attribute(Key),
    Code(Code),
}

impl Operand {
    pub(crate) fn evaluate(&self, cx: &mut Context<'_>) -> Result<Value, Fault> {
        match self {
            Self::Value(value) => Ok(value.clone()),
            Self::Parameter(index) => Ok(cx.parameter(*index).clone()),
            Self::Attribute(key) => cx.get(*key).cloned().ok_or_else(|| {
                let name = cx.view.model.keys.name(*key);
                Fault::new(format!("class {} has no attribute `{name}`", cx.class()))
            }),
            Self::Code(code) => code.run(cx),
        }
    }
}

/// A compiled chart.
#[derive(Debug)]
pub(crate) struct Chart {
    pub(crate) states: Vec<State>,
    pub(crate) transitions: Vec<Transition>,
    pub(crate) timers: Vec<Timer>,
    /// Parents of the values that histories remember, by history.
    pub(crate) histories: Vec<History>,
    pub(crate) semantics: Semantics,
    /// What the first entry enters.
    pub(crate) start: Entry,
    /// The states that have a transition for an event, by event; with them those that have spontaneous ones.
    pub(crate) responds: Vec<Option<BitSet>>,
    /// The states that have spontaneous transitions.
    pub(crate) spontaneous: BitSet,
    /// Whether there are such.
    pub(crate) is_spontaneous: bool,
    /// The states that have histories.
    pub(crate) remembering: BitSet,
    /// The states that are marked as stable.
    pub(crate) stable: BitSet,
    /// By event and port-blind: an attribute that must equal a parameter for anything to happen.
    pub(crate) keyed: HashMap<EventId, (Key, usize)>,
    /// These attributes, each once.
    pub(crate) keys: Vec<Key>,
    /// Whether nothing assigns to them once an instance is made.
    pub(crate) keys_stay: bool,
}

/// A compiled state.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) id: Arc<str>,
    pub(crate) kind: Kind,
    pub(crate) parent: StateId,
    /// The end of the range of states inside; it starts after the state itself.
    pub(crate) end: u32,
    /// Histories included.
    pub(crate) children: Vec<StateId>,
    /// What is entered by default: of a history what it stands for before it has a value, if its own.
    pub(crate) defaults: Vec<StateId>,
    pub(crate) entry: Vec<Action>,
    pub(crate) exit: Vec<Action>,
    /// Numbers of timers.
    pub(crate) timers: (u32, u32),
    /// Numbers of histories.
    pub(crate) histories: Vec<u32>,
    /// Numbers of transitions.
    pub(crate) transitions: (u32, u32),
    /// Numbers of transitions by event, spontaneous ones included, in document order; ordered by event.
    pub(crate) by_event: Vec<(EventId, Box<[u32]>)>,
    /// Numbers of spontaneous transitions.
    pub(crate) spontaneous: Box<[u32]>,
}

impl State {
    #[inline]
    pub(crate) fn candidates(&self, event: EventId) -> &[u32] {
        let found = self.by_event.iter().find(|(known, _)| *known == event);
        found.map_or(&self.spontaneous, |(_, transitions)| transitions)
    }

    pub(crate) fn is_history(&self) -> bool {
        matches!(self.kind, Kind::ShallowHistory | Kind::DeepHistory)
    }
}

/// A compiled transition.
#[derive(Debug)]
pub(crate) struct Transition {
    pub(crate) source: StateId,
    pub(crate) trigger: Trigger,
    pub(crate) guard: Guard,
    pub(crate) same: Option<(Key, usize)>,
    /// Whether its guard gives the same as long as nothing happens: it is spontaneous and only computes.
    pub(crate) steady: bool,
    pub(crate) actions: Vec<Action>,
    /// What it leaves and enters; none without targets.
    pub(crate) change: Option<Change>,
    /// The range of states that it may change: a transition without targets changes its source, which is not left.
    pub(crate) area: (u32, u32),
    /// Transitions of the same source with the same trigger and a guard of their own: what an ELSE looks at.
    pub(crate) rivals: Box<[u32]>,
    pub(crate) place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trigger {
    Spontaneous,
    /// The port is none if any will do.
    Event(Option<PortId>),
    Timer,
}

#[derive(Debug)]
pub(crate) enum Guard {
    Always,
    Else,
    Code(Code),
    InState(Vec<StateId>),
}

/// What a transition with targets does to the configuration.
#[derive(Debug)]
pub(crate) struct Change {
    /// What is active inside of this is left.
    pub(crate) domain: StateId,
    /// Whether that is the source and nothing else.
    pub(crate) leaf: bool,
    pub(crate) entry: Entry,
    /// If nothing happens in what is left and entered, what becomes of the configuration.
    pub(crate) quiet: Option<Quiet>,
}

/// States that are left and entered without an action, a timer or a history: that is only a matter of bits.
#[derive(Debug)]
pub(crate) struct Quiet {
    pub(crate) left: BitSet,
    pub(crate) entered: BitSet,
}

/// What is entered.
#[derive(Debug)]
pub(crate) enum Entry {
    /// Always these, in document order.
    Fixed(Box<[StateId]>),
    /// Depends on a history: found out each time, from these targets.
    Remembered(Box<[StateId]>),
}

/// A timer: a transition with `after`.
#[derive(Debug)]
pub(crate) struct Timer {
    pub(crate) transition: u32,
    pub(crate) event: EventId,
    pub(crate) delay: Operand,
}

/// A history.
#[derive(Debug)]
pub(crate) struct History {
    pub(crate) state: StateId,
    pub(crate) deep: bool,
}

/// A compiled action.
#[derive(Debug)]
pub(crate) enum Action {
    Raise(Raise),
    Run(Code),
    Log(Operand),
    Assign(Key, Operand),
}

/// A compiled raise.
#[derive(Debug)]
pub(crate) struct Raise {
    pub(crate) event: Event,
    pub(crate) id: EventId,
    pub(crate) to: To,
    /// Empty if the event has its parameters already, being always the same.
    pub(crate) parameters: Vec<Operand>,
    pub(crate) place: Place,
}

#[derive(Debug)]
pub(crate) enum To {
    Local,
    Broad,
    Narrow(Operand),
    ObjectManager,
    Output,
    /// An outport of the instance's own, by its number in the class.
    Private(usize),
}

impl Chart {
    #[inline]
    pub(crate) fn state(&self, id: StateId) -> &State {
        &self.states[id.index()]
    }

    /// Whether any state has a transition for an event.
    pub(crate) fn responds(&self, event: EventId) -> bool {
        self.responds.get(event.0 as usize).is_some_and(Option::is_some)
    }

    /// Whether a state is strictly inside another.
    pub(crate) fn is_inside(&self, inner: StateId, outer: StateId) -> bool {
        outer < inner && inner.0 < self.state(outer).end
    }

    /// The path from the root, for people.
    pub(crate) fn path(&self, state: StateId) -> String {
        let mut steps = Vec::new();
        let mut at = state;
        while at != StateId::ROOT {
            steps.push(&*self.state(at).id);
            at = self.state(at).parent;
        }
        steps.reverse();
        format!("/{}", steps.join("/"))
    }

    /// The states that a reference names, seen from a state.
    pub(crate) fn resolve(&self, from: StateId, reference: &str) -> Result<Vec<StateId>, BadReference> {
        path::resolve(self, from, reference)
    }

    /// The states to enter that a reference names, seen from a state: none twice, none inside another.
    pub(crate) fn resolve_targets(&self, from: StateId, reference: &str) -> Result<Vec<StateId>, BadReference> {
        path::resolve_targets(self, from, reference)
    }

    /// The number of a history, by its state.
    pub(crate) fn history(&self, state: StateId) -> Option<usize> {
        self.histories.iter().position(|history| history.state == state)
    }

    /// Adds to `set` all that is entered with these targets, inside of `domain`. `remembered` gives what a history
    /// remembers, if anything.
    ///
    /// Returns whether a history was asked.
    pub(crate) fn complete<'a>(
        &self,
        domain: StateId,
        targets: &[StateId],
        set: &mut BitSet,
        remembered: impl Fn(usize) -> Option<&'a BitSet>,
    ) -> bool {
        let mut asked = false;
        let mut add = |target: StateId, set: &mut BitSet| {
            let mut stack = [target].to_vec();
            while let Some(target) = stack.pop() {
                let state = self.state(target);
                if !state.is_history() {
                    self.add_with_ancestors(target, domain, set);
                    continue;
                }
                asked = true;
                match self.history(target).and_then(&remembered) {
                    Some(value) => {
                        for inner in value.iter() {
                            self.add_with_ancestors(inner, domain, set);
                        }
                    }
                    None if state.defaults.is_empty() => self.add_with_ancestors(state.parent, domain, set),
                    None => stack.extend(&state.defaults),
                }
            }
        };
        for target in targets {
            add(*target, set);
        }
        // Whatever a state adds is inside of it, so comes later.
        let end = self.state(domain).end;
        for id in domain.0..end {
            let id = StateId(id);
            if id != domain && !set.contains(id) {
                continue;
            }
            let state = self.state(id);
            if state.kind == Kind::Parallel {
                for child in &state.children {
                    if !self.state(*child).is_history() {
                        set.insert(*child);
                    }
                }
            } else if !set.meets_range(id.0 + 1, state.end) {
                for default in &state.defaults {
                    add(*default, set);
                }
            }
        }
        asked
    }

    /// Adds a state, and all around it up to the domain.
    fn add_with_ancestors(&self, state: StateId, domain: StateId, set: &mut BitSet) {
        let mut at = state;
        while self.is_inside(at, domain) {
            set.insert(at);
            at = self.state(at).parent;
        }
    }
}
