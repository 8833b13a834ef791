//! The description of a class: attributes, methods, associations, ports, a chart.

use std::sync::Arc;

use super::state::Chart;
use crate::script::{Code, Computed, Expression, Run};
use crate::{Context, Fault, Outcome, Place, Value};

/// A class of instances.
///
/// ```
/// use statechart_bridge::{Association, Chart, Class, Context, Method, State, Transition};
///
/// let server = Class::new("Server")
///     .association(Association::new("sockets", "Socket"))
///     .association(Association::new("parent", "Main").between(1, 1))
///     .attribute("address", "127.0.0.1")
///     .attribute("port", 8080)
///     .constructor(Method::new("Server").parameter("port").run(|cx: &mut Context| {
///         let port = cx.parameter(0).clone();
///         cx.set_attribute("port", port);
///     }))
///     .chart(Chart::new().state(State::new("idle")));
/// ```
#[derive(Clone, Debug)]
pub struct Class {
    pub(crate) name: Arc<str>,
    pub(crate) is_default: bool,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) methods: Vec<Method>,
    pub(crate) constructor: Option<Method>,
    pub(crate) destructor: Option<Method>,
    pub(crate) associations: Vec<Association>,
    pub(crate) supers: Vec<Inheritance>,
    pub(crate) inports: Vec<Arc<str>>,
    pub(crate) outports: Vec<Arc<str>>,
    pub(crate) chart: Option<Chart>,
    pub(crate) place: Place,
}

#[derive(Clone, Debug)]
pub(crate) struct Attribute {
    pub(crate) name: Arc<str>,
    pub(crate) initial: Expression,
}

#[derive(Clone, Debug)]
pub(crate) struct Inheritance {
    pub(crate) class: Arc<str>,
    pub(crate) priority: i64,
    pub(crate) place: Place,
}

impl Class {
    /// A class without anything.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            is_default: false,
            attributes: Vec::new(),
            methods: Vec::new(),
            constructor: None,
            destructor: None,
            associations: Vec::new(),
            supers: Vec::new(),
            inports: Vec::new(),
            outports: Vec::new(),
            chart: None,
            place: Place::default(),
        }
    }

    /// Makes it the class of which the controller creates an instance at the start. A single class is that anyway.
    #[must_use]
    pub fn default_class(mut self) -> Self {
        self.is_default = true;
        self
    }

    /// An attribute with its first value, computed for each instance before its constructor.
    #[must_use]
    pub fn attribute(mut self, name: impl Into<Arc<str>>, initial: impl Into<Expression>) -> Self {
        let (name, initial) = (name.into(), initial.into());
        self.attributes.push(Attribute { name, initial });
        self
    }

    /// A method, for [`Context::call`].
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.methods.push(method);
        self
    }

    /// What runs when an instance is created, with the values of the request.
    #[must_use]
    pub fn constructor(mut self, constructor: Method) -> Self {
        self.constructor = Some(constructor);
        self
    }

    /// What runs when an instance is deleted.
    #[must_use]
    pub fn destructor(mut self, destructor: Method) -> Self {
        self.destructor = Some(destructor);
        self
    }

    /// Where links to other instances are kept.
    #[must_use]
    pub fn association(mut self, association: Association) -> Self {
        self.associations.push(association);
        self
    }

    /// Takes over attributes and methods of another class, not its chart. Of several super classes the one with the
    /// higher priority wins, and of equals the one that was named first.
    #[must_use]
    pub fn inherits(self, class: impl Into<Arc<str>>, priority: i64) -> Self {
        self.inherits_at(class, priority, Place::default())
    }

    /// [`inherits`](Self::inherits), with its place in a file.
    #[must_use]
    pub fn inherits_at(mut self, class: impl Into<Arc<str>>, priority: i64, place: Place) -> Self {
        let class = class.into();
        self.supers.push(Inheritance { class, priority, place });
        self
    }

    /// An inport of its own for each instance.
    #[must_use]
    pub fn inport(mut self, name: impl Into<Arc<str>>) -> Self {
        self.inports.push(name.into());
        self
    }

    /// An outport of its own for each instance.
    #[must_use]
    pub fn outport(mut self, name: impl Into<Arc<str>>) -> Self {
        self.outports.push(name.into());
        self
    }

    /// What its instances do.
    #[must_use]
    pub fn chart(mut self, chart: Chart) -> Self {
        self.chart = Some(chart);
        self
    }

    /// Where it stands in a file, for errors.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = place;
        self
    }
}

/// A named place for links from instances of one class to instances of another (or of its subclasses).
#[derive(Clone, Debug)]
pub struct Association {
    pub(crate) name: Arc<str>,
    pub(crate) class: Arc<str>,
    pub(crate) min: usize,
    pub(crate) max: Option<usize>,
    pub(crate) place: Place,
}

impl Association {
    /// An association for any number of links.
    pub fn new(name: impl Into<Arc<str>>, class: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            class: class.into(),
            min: 0,
            max: None,
            place: Place::default(),
        }
    }

    /// At least so many links, at most so many. The least counts when links are taken away; so many need not be there
    /// from the beginning.
    #[must_use]
    pub fn between(mut self, min: usize, max: usize) -> Self {
        (self.min, self.max) = (min, Some(max));
        self
    }

    /// At least so many links.
    #[must_use]
    pub fn at_least(mut self, min: usize) -> Self {
        self.min = min;
        self
    }

    /// Where it stands in a file, for errors.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = place;
        self
    }
}

/// A method, constructor or destructor.
///
/// ```
/// use statechart_bridge::{Context, Method, Value};
///
/// let area = Method::new("area")
///     .parameter("width")
///     .parameter_or("height", 1)
///     .returns(|cx| Ok(cx.parameter(0).as_int().zip(cx.parameter(1).as_int()).map(|(w, h)| w * h)));
/// ```
#[derive(Clone, Debug)]
pub struct Method {
    pub(crate) name: Arc<str>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) supers: Vec<(Arc<str>, Vec<Expression>)>,
    pub(crate) body: Option<Code>,
    pub(crate) is_abstract: bool,
    pub(crate) place: Place,
}

#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: Arc<str>,
    pub(crate) default: Option<Expression>,
}

impl Method {
    /// A method without parameters that does nothing.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            parameters: Vec::new(),
            supers: Vec::new(),
            body: None,
            is_abstract: false,
            place: Place::default(),
        }
    }

    /// One more parameter, which must be given.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<Arc<str>>) -> Self {
        let (name, default) = (name.into(), None);
        self.parameters.push(Parameter { name, default });
        self
    }

    /// One more parameter, with what it is if it isn't given.
    #[must_use]
    pub fn parameter_or(mut self, name: impl Into<Arc<str>>, default: impl Into<Expression>) -> Self {
        let (name, default) = (name.into(), Some(default.into()));
        self.parameters.push(Parameter { name, default });
        self
    }

    /// First calls what the super class has under the same role: its constructor, its destructor, or its method with
    /// this name.
    #[must_use]
    pub fn super_call(mut self, class: impl Into<Arc<str>>, arguments: Vec<Expression>) -> Self {
        self.supers.push((class.into(), arguments));
        self
    }

    /// Runs a closure, and returns nil.
    #[must_use]
    pub fn run<R: Outcome>(self, closure: impl Fn(&mut Context<'_>) -> R + Send + Sync + 'static) -> Self {
        self.code(Arc::new(Run(closure)))
    }

    /// Returns what a closure computes.
    #[must_use]
    pub fn returns<R: Into<Value>>(
        self,
        closure: impl Fn(&mut Context<'_>) -> Result<R, Fault> + Send + Sync + 'static,
    ) -> Self {
        self.code(Arc::new(Computed(closure)))
    }

    /// Runs this code.
    #[must_use]
    pub fn code(mut self, code: Code) -> Self {
        self.body = Some(code);
        self
    }

    /// Leaves it to subclasses: no instance can be created of a class whose methods are not all there.
    #[must_use]
    pub fn abstract_method(mut self) -> Self {
        self.is_abstract = true;
        self
    }

    /// Where it stands in a file, for errors and faults.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = place;
        self
    }
}
