//! A model as it was written, to the engine's description of it.

use std::collections::HashSet;
use std::sync::Arc;

use super::ast::{self, Action as Written, Destination, Kind, Text, Trigger};
use super::scripts;
use crate::model::{Association, Chart, Class, Method, Model, ModelBuilder, Raise, State, Transition};
use crate::script::Code;
use crate::script::python::{self, Language};
use crate::{Action, Expression, Key, ModelError, Problem, Value};

/// Builds the model. All problems are told, not only the first.
pub(super) fn model(diagram: &ast::Diagram) -> Result<(Model, Language), ModelError> {
    let mut builder = Model::builder();
    let top = diagram.top.as_ref().map(|top| (&*top.text, &top.place));
    let mut language = Language::new(top, &mut builder).map_err(|problem| ModelError::new(vec![problem]))?;
    if let (Some(paths), [class]) = (&diagram.scxml, &diagram.classes[..]) {
        let names = class.attributes.iter().map(|attribute| &attribute.name.text);
        language = language.with_data(names, paths.clone());
    }
    let mut lowering = Lowering {
        builder,
        language: &language,
        problems: Vec::new(),
        parameters: Vec::new(),
        part: String::new(),
        outports: Vec::new(),
        assigned: HashSet::new(),
    };
    let classes: Vec<Class> = diagram
        .classes
        .iter()
        .map(|class| lowering.class(class, diagram))
        .collect();
    lowering.check_attributes(diagram);
    let Lowering {
        mut builder, problems, ..
    } = lowering;
    if let Some(name) = &diagram.name {
        builder = builder.name(Arc::clone(&name.text));
    }
    for port in &diagram.inports {
        builder = builder.inport(Arc::clone(&port.text));
    }
    for port in &diagram.outports {
        builder = builder.outport(Arc::clone(&port.text));
    }
    for class in classes {
        builder = builder.class(class);
    }
    let built = builder.build();
    if problems.is_empty() {
        return built.map(|model| (model, language));
    }
    let mut all = problems;
    if let Err(error) = built {
        all.extend(error.problems().iter().cloned());
    }
    Err(ModelError::new(all))
}

struct Lowering<'a> {
    builder: ModelBuilder,
    language: &'a Language,
    problems: Vec<Problem>,
    /// Names of the parameters that code can use here.
    parameters: Vec<Arc<str>>,
    /// The class and the state, for problems.
    part: String,
    outports: Vec<Arc<str>>,
    /// The attributes that code of any class assigns to.
    assigned: HashSet<Key>,
}

impl Lowering<'_> {
    /// Warns of attributes that will never be anything but None. A class may set what another inherits from it, or the
    /// other way round, so the name counts.
    fn check_attributes(&mut self, diagram: &ast::Diagram) {
        for class in &diagram.classes {
            for attribute in class.attributes.iter().filter(|attribute| attribute.initial.is_none()) {
                let name = &attribute.name;
                if !self.assigned.contains(&self.builder.key(&name.text)) {
                    let what = format!(
                        "attribute `{}` has no first value, and nothing sets it: it is always None",
                        name.text
                    );
                    let part = format!("class {}", class.name.text);
                    self.builder.warn(name.place.clone(), part, what);
                }
            }
        }
    }

    fn problem(&mut self, problem: Problem) {
        let Problem { place, part, what } = problem;
        let part = if part.is_empty() { self.part.clone() } else { part };
        self.problems.push(Problem { place, part, what });
    }

    fn expression(&mut self, text: &Text) -> Expression {
        let compiled = self
            .language
            .expression(&text.text, &text.place, &self.parameters, &mut self.builder);
        if let Ok(Expression::Code(code)) = &compiled {
            self.assigned.extend(code.assigns().into_iter().flatten());
        }
        compiled.unwrap_or_else(|problem| {
            self.problem(problem);
            Expression::Value(Value::Nil)
        })
    }

    fn code(&mut self, text: &Text) -> Option<Code> {
        let compiled = self
            .language
            .action(&text.text, &text.place, &self.parameters, &mut self.builder);
        let code = compiled.map_err(|problem| self.problem(problem)).ok()?;
        self.assigned.extend(code.assigns().into_iter().flatten());
        Some(code)
    }

    fn condition(&mut self, text: &Text) -> Option<Code> {
        let compiled = self
            .language
            .condition(&text.text, &text.place, &self.parameters, &mut self.builder);
        compiled.map_err(|problem| self.problem(problem)).ok()
    }

    fn class(&mut self, written: &ast::Class, diagram: &ast::Diagram) -> Class {
        self.part = format!("class {}", written.name.text);
        self.parameters.clear();
        self.outports = diagram
            .outports
            .iter()
            .chain(&written.outports)
            .map(|port| Arc::clone(&port.text))
            .collect();
        let mut class = Class::new(Arc::clone(&written.name.text)).at(written.name.place.clone());
        if written.default {
            class = class.default_class();
        }
        for association in &written.associations {
            let mut lowered = Association::new(Arc::clone(&association.name.text), Arc::clone(&association.class.text))
                .at(association.place.clone());
            lowered = match association.max {
                Some(max) => lowered.between(association.min, max),
                None => lowered.at_least(association.min),
            };
            class = class.association(lowered);
        }
        for inheritance in &written.inheritances {
            let super_class = &inheritance.class;
            class = class.inherits_at(
                Arc::clone(&super_class.text),
                inheritance.priority,
                super_class.place.clone(),
            );
        }
        for attribute in &written.attributes {
            let initial = match &attribute.initial {
                Some(initial) => self.expression(initial),
                None => Expression::Value(Value::Nil),
            };
            class = class.attribute(Arc::clone(&attribute.name.text), initial);
        }
        for port in &written.inports {
            class = class.inport(Arc::clone(&port.text));
        }
        for port in &written.outports {
            class = class.outport(Arc::clone(&port.text));
        }
        if let Some(constructor) = &written.constructor {
            class = class.constructor(self.method(constructor));
        }
        if let Some(destructor) = &written.destructor {
            class = class.destructor(self.method(destructor));
        }
        for method in &written.methods {
            class = class.method(self.method(method));
        }
        if let Some(chart) = &written.chart {
            class = class.chart(self.chart(chart));
        }
        class
    }

    fn method(&mut self, written: &ast::Method) -> Method {
        let mut method = Method::new(Arc::clone(&written.name.text)).at(written.place.clone());
        self.parameters.clear();
        for parameter in &written.parameters {
            let name = Arc::clone(&parameter.name.text);
            method = match &parameter.default {
                None => method.parameter(name),
                Some(default) => {
                    let default = self.expression(default);
                    method.parameter_or(name, default)
                }
            };
        }
        self.parameters = written
            .parameters
            .iter()
            .map(|parameter| Arc::clone(&parameter.name.text))
            .collect();
        for call in &written.supers {
            let arguments = call
                .arguments
                .iter()
                .map(|argument| self.expression(argument))
                .collect();
            method = method.super_call(Arc::clone(&call.class.text), arguments);
        }
        if let Some(body) = &written.body
            && let Some(code) = self.code(body)
        {
            method = method.code(code);
        }
        if written.is_abstract {
            method = method.abstract_method();
        }
        self.parameters.clear();
        method
    }

    fn chart(&mut self, written: &ast::Chart) -> Chart {
        let mut chart = Chart::new().semantics(written.semantics).at(written.place.clone());
        if written.lenient {
            chart = chart.lenient();
        }
        if let Some(initial) = &written.initial {
            chart = chart.initial(initial.text.trim());
        }
        for state in &written.states {
            chart = chart.state(self.state(state));
        }
        chart
    }

    fn state(&mut self, written: &ast::State) -> State {
        let id = Arc::clone(&written.id.text);
        let mut state = match written.kind {
            Kind::Plain => State::new(id),
            Kind::Parallel => State::parallel(id),
            Kind::ShallowHistory => State::history(id),
            Kind::DeepHistory => State::deep_history(id),
        };
        state = state.at(written.place.clone());
        if written.stable {
            state = state.stable();
        }
        if let Some(initial) = &written.initial {
            state = state.initial(initial.text.trim());
        }
        self.parameters.clear();
        for action in &written.entry {
            if let Some(action) = self.action(action) {
                state = state.entering(action);
            }
        }
        for action in &written.exit {
            if let Some(action) = self.action(action) {
                state = state.exiting(action);
            }
        }
        for transition in &written.transitions {
            state = state.transition(self.transition(transition));
        }
        self.parameters.clear();
        for child in &written.children {
            state = state.child(self.state(child));
        }
        state
    }

    fn transition(&mut self, written: &ast::Transition) -> Transition {
        self.parameters.clear();
        let mut transition = match &written.trigger {
            Trigger::Spontaneous => Transition::spontaneous(),
            Trigger::Event { name, port } => {
                let transition = Transition::on(Arc::clone(&name.text));
                match port {
                    Some(port) => transition.port(Arc::clone(&port.text)),
                    None => transition,
                }
            }
            Trigger::Prefix { name } => Transition::on_prefix(Arc::clone(&name.text)),
            Trigger::After(delay) => Transition::after_seconds(self.expression(delay)),
        };
        self.parameters = written
            .parameters
            .iter()
            .map(|parameter| Arc::clone(&parameter.name.text))
            .collect();
        transition = transition.at(written.place.clone());
        if let Some(target) = &written.target {
            transition = transition.to(target.text.trim());
        }
        if written.external {
            transition = transition.external();
        }
        match &written.condition {
            None => {}
            Some(condition) if condition.text.trim() == "ELSE" => transition = transition.otherwise(),
            Some(condition) => {
                // Answers of sockets find their instances by the socket, which no text or number equals.
                if let Trigger::Event { name, .. } = &written.trigger
                    && name.text.ends_with("_socket")
                    && let Some((attribute, 0)) = python::same(&condition.text, &condition.place, &self.parameters)
                {
                    transition = transition.same(attribute, 0);
                }
                if let Some(code) = self.condition(condition) {
                    transition = transition.guard_code(code);
                }
            }
        }
        for action in &written.actions {
            if let Some(action) = self.action(action) {
                transition = transition.action(action);
            }
        }
        self.parameters.clear();
        transition
    }

    fn action(&mut self, written: &Written) -> Option<Action> {
        Some(match written {
            Written::Raise(raise) => Action::Raise(self.raise(raise)),
            Written::Script(text) => Action::Run(self.code(text)?),
            Written::Log(text) => Action::Log(Expression::Value(text.text.trim().into())),
            Written::LogValue(label, value) => {
                let label = label.as_ref().map(|label| Arc::clone(&label.text));
                let value = self.expression(value);
                Action::Run(Arc::new(scripts::Labelled { label, value }))
            }
            Written::Assign { name, value } => {
                let name = self.assignable("ident", name);
                Action::Assign(name, self.expression(value))
            }
            Written::ForEach(written) => {
                let array = self.expression(&written.array);
                let item = self.assignable("item", &written.item);
                let index = written.index.as_ref().map(|index| self.assignable("index", index));
                let actions = written.actions.iter().filter_map(|action| self.action(action));
                Action::Run(Arc::new(scripts::ForEach {
                    array,
                    item,
                    index,
                    actions: actions.collect(),
                    place: written.array.place.clone(),
                }))
            }
            Written::If(branches) => {
                let mut lowered = Vec::new();
                for (condition, actions) in branches {
                    let condition = match condition {
                        Some(condition) => Some(self.condition(condition)?),
                        None => None,
                    };
                    let actions = actions.iter().filter_map(|action| self.action(action)).collect();
                    lowered.push((condition, actions));
                }
                Action::Run(Arc::new(scripts::Branches(lowered)))
            }
            Written::Send(written) => Action::Run(Arc::new(scripts::Send {
                event: Arc::clone(&written.event.text),
                data: match &written.data {
                    ast::Payload::Pairs(pairs) => scripts::Payload::Pairs(
                        pairs
                            .iter()
                            .map(|(name, value)| (Value::Str(Arc::clone(&name.text)), self.expression(value)))
                            .collect(),
                    ),
                    ast::Payload::Value(value) => scripts::Payload::Value(self.expression(value)),
                    ast::Payload::Text(text) => scripts::Payload::Value(Expression::Value(text.text.trim().into())),
                },
                to: written.to,
                delay: match &written.delay {
                    ast::Delay::None => Expression::Value(Value::Nil),
                    ast::Delay::Milliseconds(delay) => Expression::Value(Value::from(format!("{delay}ms"))),
                    ast::Delay::Expression(delay) => self.expression(delay),
                },
                id: written.id.as_ref().map(|id| Arc::clone(&id.text)),
                place: written.place.clone(),
            })),
            Written::Cancel(written) => Action::Run(Arc::new(scripts::Cancel(match written {
                ast::Named::Text(id) => Expression::Value(Value::Str(Arc::clone(&id.text))),
                ast::Named::Expression(id) => self.expression(id),
            }))),
        })
    }

    /// The name of an attribute that is assigned to.
    fn assignable(&mut self, what: &str, name: &Text) -> Arc<str> {
        let name_only = name.text.strip_prefix("self.").unwrap_or(&name.text);
        if !name_only.chars().all(|c| c == '_' || c.is_alphanumeric()) {
            let what = format!("{what} `{}`: expected the name of an attribute", name.text);
            self.problem(Problem::new(name.place.clone(), "", what));
        }
        self.assigned.insert(self.builder.key(name_only));
        name_only.into()
    }

    fn raise(&mut self, written: &ast::Raise) -> Raise {
        for (scope, attribute, place) in &written.superfluous {
            let what = format!("raise with scope {scope} takes no {attribute}: it is ignored");
            self.builder.warn(place.clone(), self.part.clone(), what);
        }
        let event = Arc::clone(&written.event.text);
        let mut raise = match &written.to {
            Destination::Local => Raise::local(event),
            Destination::Broad => Raise::broad(event),
            Destination::ObjectManager => Raise::object_manager(event),
            Destination::Narrow(target) => Raise::narrow(self.expression(target), event),
            Destination::Output(port) => {
                if !self.outports.contains(&port.text) {
                    let known: Vec<&str> = self.outports.iter().map(|port| &**port).collect();
                    let what = match &known[..] {
                        [] => format!("no outport `{}`: the model declares none", port.text),
                        known => format!("no outport `{}`: expected {}", port.text, super::error::one_of(known)),
                    };
                    self.problem(Problem::new(port.place.clone(), "", what));
                }
                Raise::output(Arc::clone(&port.text), event)
            }
        };
        for parameter in &written.parameters {
            raise = raise.with(self.expression(parameter));
        }
        raise.at(written.place.clone())
    }
}
