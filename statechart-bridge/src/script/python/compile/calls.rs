//! Calls.

use std::sync::Arc;

use super::{Compiler, Global, Result, constant, is_self, no_module};
use crate::Value;
use crate::script::python::ast::{self, Expr, Kind};
use crate::script::python::budget::Budget;
use crate::script::python::code::{Clock, Node, Op};
use crate::script::python::functions::{self, Function};
use crate::script::python::lexer::At;
use crate::script::python::methods::{Arguments, Method};

impl Compiler<'_> {
    pub(super) fn call(&mut self, function: &Expr, arguments: &[ast::Argument], at: At) -> Result<Op> {
        match &function.kind {
            Kind::Name(name) => self.call_name(name, arguments, at),
            Kind::Attribute(of, name) if is_self(of) => {
                self.own(of, at)?;
                self.call_own(name, arguments, at)
            }
            Kind::Attribute(of, name) => {
                if let Kind::Name(module) = &of.kind
                    && self.find_local(module).is_none()
                    && !self.parameters.contains(module)
                {
                    let module = match self.globals.get(module) {
                        Some(Global::Module(module)) => module,
                        _ => module,
                    };
                    if let Some(found) = Function::find(&format!("{module}.{name}")) {
                        return self.builtin(found, arguments, at);
                    }
                    if let Some(Global::Module(module)) = self.globals.get(module) {
                        return Err(self.wrong(at, no_module(module)));
                    }
                }
                let Some(method) = Method::find(name) else {
                    return Err(self.wrong(at, format!("no type has a method `{name}`")));
                };
                if method.changes() {
                    self.changed(of, at)?;
                }
                let of = self.expression(of)?;
                let (values, named) = self.arguments(arguments)?;
                if method.changes() {
                    for argument in arguments {
                        self.stored(&argument.value);
                    }
                }
                Ok(Op::Method(Box::new(of), method, values, named))
            }
            _ => Err(self.wrong(at, "this can't be called")),
        }
    }

    #[expect(clippy::type_complexity, reason = "those by position, those by name")]
    pub(super) fn arguments(&mut self, written: &[ast::Argument]) -> Result<(Vec<Node>, Vec<(Arc<str>, Node)>)> {
        let (mut values, mut named) = (Vec::new(), Vec::new());
        for argument in written {
            let value = self.expression(&argument.value)?;
            match &argument.name {
                Some(name) => named.push((Arc::clone(name), value)),
                None => values.push(value),
            }
        }
        Ok((values, named))
    }

    fn call_name(&mut self, name: &Arc<str>, arguments: &[ast::Argument], at: At) -> Result<Op> {
        if let Some(Global::Function(number, parameters, least)) = self.globals.get(name) {
            return self.call_function(name, *number, parameters, *least, arguments, at);
        }
        if let Some(Global::InState(paths)) = self.globals.get(name) {
            let [ast::Argument { value, .. }] = arguments else {
                return Err(self.wrong(at, format!("expected {name}(\"state\")")));
            };
            let path = match &value.kind {
                Kind::Value(Value::Str(id)) => paths.get(&**id),
                _ => None,
            };
            let Some(path) = path else {
                return Err(self.wrong(value.at, format!("{name}: expected the id of a state as a text")));
            };
            self.references.push(path.clone());
            return Ok(Op::InState(vec![path.as_str().into()]));
        }
        match &**name {
            "INSTATE" | "inState" => return self.in_state(arguments, at),
            "sccd_yield" if arguments.is_empty() => return Ok(Op::Time(Clock::Behind)),
            "getattr" | "hasattr" | "setattr" => return self.attribute_by_name(name, arguments, at),
            "isinstance" => return Err(self.wrong(at, "there is no isinstance: compare type(x) with a name")),
            _ => {}
        }
        match Function::by_name(name) {
            Some(function) => self.builtin(function, arguments, at),
            None => Err(self.wrong(
                at,
                format!("the function `{name}` is unknown: a method of the class is self.{name}(…)"),
            )),
        }
    }

    fn builtin(&mut self, function: Function, arguments: &[ast::Argument], at: At) -> Result<Op> {
        let (values, named) = self.arguments(arguments)?;
        if let Some((name, _)) = named.iter().find(|(name, _)| !function.takes(name)) {
            return Err(self.wrong(at, format!("{} takes no argument `{name}`", function.name())));
        }
        let (least, most) = function.arguments();
        if !(least..=most).contains(&values.len()) {
            let expected = match (least, most) {
                (least, usize::MAX) => format!("{least} or more"),
                (least, most) if least == most => least.to_string(),
                (least, most) => format!("{least} to {most}"),
            };
            let (name, given) = (function.name(), values.len());
            return Err(self.wrong(at, format!("{name}: {given} arguments, expected {expected}")));
        }
        // What loops take apart or what acts stays.
        let kept = matches!(function, Function::Range | Function::Print | Function::Fail);
        if !kept
            && named.is_empty()
            && let Some(values) = values.iter().map(constant).collect::<Option<Vec<_>>>()
        {
            let arguments = Arguments {
                values: &values,
                named: &[],
            };
            if let Ok(value) = functions::pure(function, &arguments, &mut Budget::new()) {
                return Ok(Op::Const(value));
            }
        }
        Ok(Op::Builtin(function, values, named))
    }

    fn call_function(
        &mut self,
        name: &str,
        number: usize,
        parameters: &Arc<[Arc<str>]>,
        least: usize,
        arguments: &[ast::Argument],
        at: At,
    ) -> Result<Op> {
        let parameters = Arc::clone(parameters);
        let (values, named) = self.arguments(arguments)?;
        if values.len() > parameters.len() {
            let message = format!(
                "{name}: {} arguments, expected {} at most",
                values.len(),
                parameters.len()
            );
            return Err(self.wrong(at, message));
        }
        let mut slots: Vec<Option<Node>> = values.into_iter().map(Some).collect();
        slots.resize_with(parameters.len(), || None);
        for (given, value) in named {
            let slot = parameters.iter().position(|known| *known == given);
            match slot.and_then(|slot| slots.get_mut(slot)) {
                Some(slot @ None) => *slot = Some(value),
                Some(Some(_)) => return Err(self.wrong(at, format!("{name}: `{given}` is given twice"))),
                None => return Err(self.wrong(at, format!("{name} takes no argument `{given}`"))),
            }
        }
        if let Some(missing) = slots.iter().take(least).position(Option::is_none) {
            let missing = parameters.get(missing).map_or("", |name| &**name);
            return Err(self.wrong(at, format!("{name}: the argument `{missing}` is missing")));
        }
        Ok(Op::Function(number, slots))
    }

    fn call_own(&mut self, name: &Arc<str>, arguments: &[ast::Argument], at: At) -> Result<Op> {
        let clock = match &**name {
            "sccd_yield" => Some(Clock::Behind),
            "getSimulatedTime" => Some(Clock::Simulated),
            "getWallClockTime" => Some(Clock::Wall),
            _ => None,
        };
        if let Some(clock) = clock.filter(|_| arguments.is_empty()) {
            return Ok(Op::Time(clock));
        }
        if &**name == "inState" {
            return self.in_state(arguments, at);
        }
        let (values, named) = self.arguments(arguments)?;
        if let Some((name, _)) = named.first() {
            let message = format!("`{name}` by name: methods of classes take their arguments by position");
            return Err(self.wrong(at, message));
        }
        Ok(Op::OwnMethod(Arc::clone(name), values))
    }

    fn attribute_by_name(&mut self, function: &str, arguments: &[ast::Argument], at: At) -> Result<Op> {
        let [of, name, rest @ ..] = arguments else {
            return Err(self.wrong(at, format!("{function}: expected self and a name")));
        };
        self.own(&of.value, at)?;
        let Kind::Value(Value::Str(name)) = &name.value.kind else {
            return Err(self.wrong(at, format!("{function}: expected the name as a text")));
        };
        let has = Node {
            at,
            op: Op::HasAttribute(Arc::clone(name)),
        };
        let get = Node {
            at,
            op: Op::Attribute(self.builder.key(name), Arc::clone(name)),
        };
        match (function, rest) {
            ("hasattr", []) => Ok(has.op),
            ("getattr", []) => Ok(get.op),
            ("getattr", [default]) => Ok(Op::If(Box::new((has, get, self.expression(&default.value)?)))),
            _ => Err(self.wrong(
                at,
                format!("{function}: expected getattr(self, name, default) or self.{name} = …"),
            )),
        }
    }

    fn in_state(&mut self, arguments: &[ast::Argument], at: At) -> Result<Op> {
        if self.in_function {
            return Err(self.wrong(at, "a function of `top` has no states to ask for"));
        }
        let mut references = Vec::new();
        for argument in arguments {
            let items = match &argument.value.kind {
                Kind::List(items) | Kind::Tuple(items) => &items[..],
                _ => std::slice::from_ref(&argument.value),
            };
            for item in items {
                match &item.kind {
                    Kind::Value(Value::Str(reference)) => references.push(Arc::clone(reference)),
                    _ => return Err(self.wrong(item.at, "INSTATE: expected a state as a text, such as \"../on\"")),
                }
            }
        }
        if references.is_empty() {
            return Err(self.wrong(at, "INSTATE: expected a state as a text, such as \"../on\""));
        }
        self.references.extend(references.iter().map(ToString::to_string));
        Ok(Op::InState(references))
    }
}
