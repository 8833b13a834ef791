//! How a piece of code sees its instance.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use super::Fault;
use crate::model::compiled::{BitSet, Class, EventId, Model, StateId};
use crate::{Event, InstanceId, Scope, Value};

/// The name of an attribute, looked up once; made by [`ModelBuilder::key`](crate::ModelBuilder::key).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key(pub(crate) u32);

/// What code can see and do: the attributes of its instance, the event, raising, states, time.
pub struct Context<'a> {
    pub(crate) view: View<'a>,
    pub(crate) data: &'a mut Data,
    pub(crate) effects: &'a mut Effects,
    pub(crate) arguments: &'a [Value],
    pub(crate) depth: u32,
}

/// What code can't change.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) model: &'a Model,
    pub(crate) class: &'a Class,
    pub(crate) active: &'a BitSet,
    pub(crate) state: StateId,
    pub(crate) event: Option<&'a Event>,
    pub(crate) instance: InstanceId,
    pub(crate) now: u64,
    pub(crate) behind: u64,
}

/// What an instance remembers: declared attributes by slot, others by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Data {
    pub(crate) slots: Vec<Value>,
    pub(crate) others: IndexMap<Arc<str>, Value>,
}

/// What code asked for, to be done after it.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    /// Local events.
    pub(crate) local: Vec<(EventId, Event)>,
    /// Events for outports.
    pub(crate) output: Vec<Event>,
    /// Requests to the object manager.
    pub(crate) requests: Vec<Request>,
    /// Lines for people.
    pub(crate) log: Vec<String>,
    /// What is raised later, and what is not to be raised any more.
    pub(crate) later: Vec<Later>,
}

/// Something about events that are raised later.
#[derive(Debug)]
pub(crate) enum Later {
    Raise {
        /// In milliseconds.
        after: u64,
        scope: Scope,
        event: Event,
        id: Option<Arc<str>>,
    },
    /// None of those with this id is raised.
    Cancel(Arc<str>),
}

impl Effects {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.local.is_empty()
            && self.output.is_empty()
            && self.requests.is_empty()
            && self.log.is_empty()
            && self.later.is_empty()
    }
}

/// Something for the object manager.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    /// An event for all other instances.
    Broad(Event),
    /// An event for the instances behind a link or a list of links.
    Narrow(Value, Event),
    /// A request by name.
    Named(Event),
}

/// Methods may call methods, so deep.
const DEEPEST: u32 = 64;

impl<'a> Context<'a> {
    /// The attribute with this name; nil if there is none.
    pub fn attribute(&self, name: &str) -> &Value {
        self.find(name).unwrap_or(&Value::Nil)
    }

    /// The attribute with this name, if there is one: declared by the class, or set before.
    pub fn find(&self, name: &str) -> Option<&Value> {
        match self.view.model.keys.find(name) {
            Some(key) => self.get(key),
            None => self.data.others.get(name),
        }
    }

    /// Sets an attribute; one that the class doesn't declare is added.
    pub fn set_attribute(&mut self, name: &str, value: impl Into<Value>) {
        match self.view.model.keys.find(name) {
            Some(key) => self.set(key, value.into()),
            None => {
                self.data.others.insert(name.into(), value.into());
            }
        }
    }

    /// The attribute with this key, if there is one.
    pub fn get(&self, key: Key) -> Option<&Value> {
        match self.view.class.slot(key) {
            Some(slot) => self.data.slots.get(slot),
            None => self.data.others.get(self.view.model.keys.name(key)),
        }
    }

    /// The attribute with this key, to change it in place.
    pub fn get_mut(&mut self, key: Key) -> Option<&mut Value> {
        match self.view.class.slot(key) {
            Some(slot) => self.data.slots.get_mut(slot),
            None => self.data.others.get_mut(self.view.model.keys.name(key)),
        }
    }

    /// Sets the attribute with this key; one that the class doesn't declare is added.
    pub fn set(&mut self, key: Key, value: Value) {
        match self.view.class.slot(key).and_then(|slot| self.data.slots.get_mut(slot)) {
            Some(place) => *place = value,
            None => {
                let name = Arc::clone(self.view.model.keys.name(key));
                self.data.others.insert(name, value);
            }
        }
    }

    /// The names of all attributes: those of the class, then those that were added.
    pub fn attribute_names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.view.class.attribute_names().chain(self.data.others.keys())
    }

    /// The parameters of the event, or the arguments of the method or constructor, by position.
    pub fn parameters(&self) -> &'a [Value] {
        self.arguments
    }

    /// One parameter, counted from 0; nil if there are fewer.
    pub fn parameter(&self, index: usize) -> &'a Value {
        self.arguments.get(index).unwrap_or(&Value::Nil)
    }

    /// The event that enabled the transition, if one did: not for spontaneous ones, timers, and the first entry.
    pub fn event(&self) -> Option<&'a Event> {
        self.view.event
    }

    /// Raises an event. It takes effect when the code is done.
    pub fn raise(&mut self, scope: Scope, event: Event) {
        match scope {
            Scope::Local => {
                let id = self.view.model.events.id(event.name());
                self.effects.local.push((id, event));
            }
            Scope::Output => self.effects.output.push(event),
            Scope::Broad => self.effects.requests.push(Request::Broad(event)),
            Scope::Narrow(target) => self.effects.requests.push(Request::Narrow(target, event)),
            Scope::ObjectManager => self.effects.requests.push(Request::Named(event)),
        }
    }

    /// Raises an event in so much time, cut to milliseconds; without delay as an input that comes now, behind those that
    /// came before. With an id it can be cancelled. It is dropped when the instance is gone by then.
    pub fn raise_after(&mut self, delay: Duration, scope: Scope, event: Event, id: Option<Arc<str>>) {
        let after = crate::controller::milliseconds(delay);
        self.effects.later.push(Later::Raise {
            after,
            scope,
            event,
            id,
        });
    }

    /// Cancels what this instance has given this id in [`raise_after`](Self::raise_after) and is yet to come. If there is
    /// nothing, nothing happens.
    pub fn cancel(&mut self, id: impl Into<Arc<str>>) {
        self.effects.later.push(Later::Cancel(id.into()));
    }

    /// Writes a line for people: `log` elements and `print`.
    pub fn log(&mut self, line: impl Into<String>) {
        self.effects.log.push(line.into());
    }

    /// Whether the state is active, or all of several; relative to the state whose code this is.
    ///
    /// # Errors
    /// There is no such state.
    pub fn in_state(&self, reference: &str) -> Result<bool, Fault> {
        let Some(chart) = &self.view.class.chart else {
            return Err(Fault::new(format!("class {} has no states", self.view.class.name)));
        };
        let states = chart
            .resolve(self.view.state, reference)
            .map_err(|what| Fault::new(what.to_string()))?;
        Ok(states.iter().all(|state| self.view.active.contains(*state)))
    }

    /// Calls a method of the instance's class, inherited ones too.
    ///
    /// # Errors
    /// No such method, a missing or surplus argument, what goes wrong in it, or too many calls in calls.
    pub fn call(&mut self, method: &str, arguments: &[Value]) -> Result<Value, Fault> {
        let class = self.view.class;
        let Some(method) = class.method(method) else {
            return Err(Fault::new(format!("class {} has no method `{method}`", class.name)));
        };
        self.invoke(method, arguments)
    }

    /// Runs a method, constructor or destructor: first what it calls of its super classes.
    pub(crate) fn invoke(
        &mut self,
        method: &crate::model::compiled::Method,
        arguments: &[Value],
    ) -> Result<Value, Fault> {
        if self.depth >= DEEPEST {
            return Err(Fault::new(format!("method `{}`: {DEEPEST} calls deep", method.name)));
        }
        let complete = method.complete(arguments, self)?;
        let mut inner = Context {
            view: self.view,
            data: self.data,
            effects: self.effects,
            arguments: complete.as_deref().unwrap_or(arguments),
            depth: self.depth + 1,
        };
        for call in &method.supers {
            let mut arguments = Vec::with_capacity(call.arguments.len());
            for argument in &call.arguments {
                arguments.push(argument.evaluate(&mut inner)?);
            }
            inner.invoke(&call.method, &arguments)?;
        }
        match &method.body {
            Some(body) => body.run(&mut inner).map_err(|fault| fault.at(method.place.clone())),
            None => Ok(Value::Nil),
        }
    }

    /// Whether the instance's class has this method.
    pub fn has_method(&self, name: &str) -> bool {
        self.view.class.method(name).is_some()
    }

    /// The simulated time since the start: whole milliseconds.
    pub fn now(&self) -> Duration {
        Duration::from_millis(self.view.now)
    }

    /// How far simulated time is behind the clock.
    pub fn behind(&self) -> Duration {
        Duration::from_millis(self.view.behind)
    }

    /// The instance.
    pub fn instance(&self) -> InstanceId {
        self.view.instance
    }

    /// The name of the instance's class.
    pub fn class(&self) -> &'a Arc<str> {
        &self.view.class.name
    }
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("instance", &self.view.instance)
            .field("class", &self.view.class.name)
            .field("event", &self.view.event)
            .finish_non_exhaustive()
    }
}
