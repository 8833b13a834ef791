//! A model as its file says it: what was written, and where.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{Place, Semantics};

/// Something written, and where it begins.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub(crate) text: Arc<str>,
    pub(crate) place: Place,
}

impl Text {
    pub(crate) fn new(text: &str, place: Place) -> Self {
        let text = text.into();
        Self { text, place }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Diagram {
    pub(crate) name: Option<Text>,
    pub(crate) author: Option<Text>,
    pub(crate) description: Option<Text>,
    pub(crate) top: Option<Text>,
    pub(crate) inports: Vec<Text>,
    pub(crate) outports: Vec<Text>,
    pub(crate) classes: Vec<Class>,
    pub(crate) tests: Vec<Test>,
    /// SCXML: code names attributes without `self`, and states by their ids; their paths.
    pub(crate) scxml: Option<BTreeMap<Arc<str>, String>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Class {
    pub(crate) name: Text,
    pub(crate) default: bool,
    pub(crate) associations: Vec<Association>,
    pub(crate) inheritances: Vec<Inheritance>,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) constructor: Option<Method>,
    pub(crate) destructor: Option<Method>,
    pub(crate) methods: Vec<Method>,
    pub(crate) inports: Vec<Text>,
    pub(crate) outports: Vec<Text>,
    pub(crate) chart: Option<Chart>,
}

#[derive(Clone, Debug)]
pub(crate) struct Association {
    pub(crate) name: Text,
    pub(crate) class: Text,
    pub(crate) min: usize,
    pub(crate) max: Option<usize>,
    pub(crate) place: Place,
}

#[derive(Clone, Debug)]
pub(crate) struct Inheritance {
    pub(crate) class: Text,
    pub(crate) priority: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Attribute {
    pub(crate) name: Text,
    pub(crate) initial: Option<Text>,
}

/// A method, constructor or destructor.
#[derive(Clone, Debug)]
pub(crate) struct Method {
    pub(crate) name: Text,
    pub(crate) is_abstract: bool,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) supers: Vec<Super>,
    pub(crate) body: Option<Text>,
    pub(crate) place: Place,
}

#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: Text,
    pub(crate) default: Option<Text>,
}

#[derive(Clone, Debug)]
pub(crate) struct Super {
    pub(crate) class: Text,
    pub(crate) arguments: Vec<Text>,
}

#[derive(Clone, Debug)]
pub(crate) struct Chart {
    pub(crate) initial: Option<Text>,
    pub(crate) semantics: Semantics,
    pub(crate) states: Vec<State>,
    /// What SCCD rejects and SCXML has.
    pub(crate) lenient: bool,
    pub(crate) place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Plain,
    Parallel,
    ShallowHistory,
    DeepHistory,
}

#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) id: Text,
    pub(crate) kind: Kind,
    pub(crate) initial: Option<Text>,
    pub(crate) children: Vec<State>,
    pub(crate) transitions: Vec<Transition>,
    pub(crate) entry: Vec<Action>,
    pub(crate) exit: Vec<Action>,
    pub(crate) stable: bool,
    pub(crate) place: Place,
}

#[derive(Clone, Debug)]
pub(crate) enum Trigger {
    Spontaneous,
    Event {
        name: Text,
        port: Option<Text>,
    },
    /// SCXML: this name, or what begins with it and a dot; empty for all.
    Prefix {
        name: Text,
    },
    After(Text),
}

#[derive(Clone, Debug)]
pub(crate) struct Transition {
    pub(crate) trigger: Trigger,
    pub(crate) target: Option<Text>,
    pub(crate) condition: Option<Text>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) actions: Vec<Action>,
    pub(crate) external: bool,
    pub(crate) place: Place,
}

#[derive(Clone, Debug)]
pub(crate) enum Action {
    Raise(Raise),
    Script(Text),
    /// Written as it is.
    Log(Text),
    /// SCXML: a label, and an expression.
    LogValue(Option<Text>, Text),
    Assign {
        name: Text,
        value: Text,
    },
    /// SCXML: conditions with what to do; the last may be without.
    If(Vec<(Option<Text>, Vec<Action>)>),
    /// SCXML: what is to be done for each item.
    ForEach(ForEach),
    /// SCXML: an event with data, now or later.
    Send(Send),
    /// SCXML: an event that is not to come any more.
    Cancel(Named),
}

/// SCXML: a loop.
#[derive(Clone, Debug)]
pub(crate) struct ForEach {
    pub(crate) array: Text,
    /// The attribute that each item is put into.
    pub(crate) item: Text,
    /// The one that its number is put into, from 0.
    pub(crate) index: Option<Text>,
    pub(crate) actions: Vec<Action>,
}

/// SCXML: what an event carries.
#[derive(Clone, Debug)]
pub(crate) enum Payload {
    /// Names and values, perhaps none.
    Pairs(Vec<(Text, Text)>),
    /// What an expression gives.
    Value(Text),
    /// A text as it is.
    Text(Text),
}

#[derive(Clone, Debug)]
pub(crate) struct Send {
    pub(crate) event: Text,
    /// The event's one parameter.
    pub(crate) data: Payload,
    pub(crate) to: SendTo,
    pub(crate) delay: Delay,
    pub(crate) id: Option<Text>,
    pub(crate) place: Place,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum SendTo {
    /// The instance, as if it came from outside.
    Queue,
    /// The instance, before what comes from outside.
    Internal,
    Output,
}

#[derive(Clone, Debug)]
pub(crate) enum Delay {
    None,
    Milliseconds(u64),
    /// Gives a text such as `1.5s`, or a number of seconds.
    Expression(Text),
}

/// A name, or an expression that gives one.
#[derive(Clone, Debug)]
pub(crate) enum Named {
    Text(Text),
    Expression(Text),
}

#[derive(Clone, Debug)]
pub(crate) struct Raise {
    pub(crate) event: Text,
    pub(crate) to: Destination,
    pub(crate) parameters: Vec<Text>,
    /// What its scope has no use for: the scope, the attribute.
    pub(crate) superfluous: Vec<(&'static str, &'static str, Place)>,
    pub(crate) place: Place,
}

#[derive(Clone, Debug)]
pub(crate) enum Destination {
    Local,
    Broad,
    Narrow(Text),
    ObjectManager,
    Output(Text),
}

/// Inputs, and the outputs that must come of them.
#[derive(Clone, Debug)]
pub(crate) struct Test {
    pub(crate) name: Option<Text>,
    pub(crate) inputs: Vec<Input>,
    pub(crate) expected: Vec<Slot>,
    pub(crate) place: Place,
}

#[derive(Clone, Debug)]
pub(crate) struct Input {
    pub(crate) event: TestEvent,
    /// When: whole milliseconds since the start.
    pub(crate) time: u64,
}

/// Outputs that come at one time, in any order.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) events: Vec<TestEvent>,
    pub(crate) place: Place,
}

#[derive(Clone, Debug)]
pub(crate) struct TestEvent {
    pub(crate) name: Text,
    pub(crate) port: Text,
    pub(crate) parameters: Vec<Text>,
    pub(crate) place: Place,
}
