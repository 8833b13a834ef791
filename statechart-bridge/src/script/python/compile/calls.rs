//! Calls.

use std::sync::Arc;

use super::{Compiler, Global, Result, constant, is_self, no_module};
use crate::Value;
use crate::script::python::ast::{self, Expr, Kind};
use crate::script::python::code::{Clock, Keyed, KeyedBy, Node, Op};
use crate::script::python::functions::{self, Function};
use crate::script::python::lexer::At;
use crate::script::python::methods::{Arguments, Method};

/// An argument that is given by its name.
fn named_argument<'a>(arguments: &'a [ast::Argument], name: &str) -> Option<&'a Expr> {
    let found = arguments.iter().find(|argument| argument.name.as_deref() == Some(name));
    found.map(|argument| &argument.value)
}

fn name_of(name: &str, at: At) -> Expr {
    let kind = Kind::Name(name.into());
    Expr { at, kind }
}

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
                if method == Method::Sort
                    && let Some(key) = named_argument(arguments, "key")
                {
                    return self.keyed(KeyedBy::Sort, of, key, arguments, at);
                }
                let of = self.expression(of)?;
                let (values, named) = self.arguments(arguments)?;
                if method.changes() {
                    for argument in arguments {
                        self.stored(&argument.value);
                    }
                }
                self.acts |= method.changes();
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
        if let Some(Global::Builtin(function)) = self.globals.get(name) {
            return self.builtin(*function, arguments, at);
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
            "isinstance" => return self.is_instance(arguments, at),
            "map" | "filter" => {
                let [function, items] = arguments else {
                    return Err(self.wrong(at, format!("{name}: expected a function and a list")));
                };
                let what = if &**name == "map" {
                    KeyedBy::Map
                } else {
                    KeyedBy::Filter
                };
                return self.keyed(what, &items.value, &function.value, &[], at);
            }
            "set" | "frozenset" => return Err(self.wrong(at, "there are no sets: use a list or a dict")),
            "super" => return Err(self.wrong(at, "super: write the element `super` before the body of the method")),
            _ => {}
        }
        let keyed_by = match &**name {
            "sorted" => Some(KeyedBy::Sorted),
            "min" => Some(KeyedBy::Min),
            "max" => Some(KeyedBy::Max),
            _ => None,
        };
        if let (Some(what), Some(key)) = (keyed_by, named_argument(arguments, "key")) {
            let given = arguments.iter().filter(|argument| argument.name.is_none());
            let items: Vec<&Expr> = given.map(|argument| &argument.value).collect();
            let several;
            let items = match &items[..] {
                [items] => *items,
                items if what != KeyedBy::Sorted && !items.is_empty() => {
                    let kind = Kind::List(items.iter().map(|item| (*item).clone()).collect());
                    several = Expr { at, kind };
                    &several
                }
                _ => return Err(self.wrong(at, format!("{name}: expected the items"))),
            };
            return self.keyed(what, items, key, arguments, at);
        }
        match Function::by_name(name) {
            Some(function) => self.builtin(function, arguments, at),
            None => Err(self.wrong(
                at,
                format!("the function `{name}` is unknown: a method of the class is self.{name}(…)"),
            )),
        }
    }

    /// A function that is told by another, `key`, what to do with each item.
    fn keyed(&mut self, what: KeyedBy, items: &Expr, key: &Expr, arguments: &[ast::Argument], at: At) -> Result<Op> {
        let known: &[&str] = match what {
            KeyedBy::Sorted | KeyedBy::Sort => &["key", "reverse"],
            KeyedBy::Min | KeyedBy::Max => &["key", "default"],
            KeyedBy::Map | KeyedBy::Filter => &[],
        };
        let unknown = arguments
            .iter()
            .find(|argument| argument.name.as_ref().is_some_and(|name| !known.contains(&&**name)));
        if let Some(name) = unknown.and_then(|argument| argument.name.as_ref()) {
            return Err(self.wrong(
                at,
                format!("there is no argument `{name}`: expected {}", known.join(" or ")),
            ));
        }
        let items = self.expression(items)?;
        let mut option = |name: &str| {
            let given = named_argument(arguments, name);
            given.map(|given| self.expression(given)).transpose()
        };
        let (reverse, default) = (option("reverse")?, option("default")?);
        let (name, body) = match &key.kind {
            Kind::Lambda(parameters, body) => match &parameters[..] {
                [parameter] => (Arc::clone(parameter), (**body).clone()),
                _ => return Err(self.wrong(key.at, "expected a `lambda` with one parameter")),
            },
            // Without a function the items themselves.
            Kind::Value(Value::Nil) => (Arc::from(" item"), name_of(" item", key.at)),
            _ => {
                let value = name_of(" item", key.at);
                let arguments = vec![ast::Argument { name: None, value }];
                let kind = Kind::Call(Box::new(key.clone()), arguments);
                (Arc::from(" item"), Expr { at: key.at, kind })
            }
        };
        let before = self.locals.len();
        let slot = self.local(&name);
        self.share(slot);
        let key = self.expression(&body)?;
        self.forget(before);
        self.acts |= what == KeyedBy::Sort;
        Ok(Op::Keyed(Box::new(Keyed {
            what,
            items,
            slot,
            key,
            reverse,
            default,
        })))
    }

    /// `isinstance(x, int)`, `isinstance(x, (int, str))`.
    fn is_instance(&mut self, arguments: &[ast::Argument], at: At) -> Result<Op> {
        let [value, types] = arguments else {
            return Err(self.wrong(at, "isinstance: expected a value and a type, or several in brackets"));
        };
        let written = match &types.value.kind {
            Kind::Tuple(items) => &items[..],
            _ => std::slice::from_ref(&types.value),
        };
        let mut names = Vec::new();
        for item in written {
            let known = match &item.kind {
                Kind::Name(name) => functions::type_name(name),
                _ => None,
            };
            let Some(known) = known else {
                let what = "isinstance: expected bool, int, float, str, bytes, list, tuple or dict";
                return Err(self.wrong(item.at, what));
            };
            names.push(known);
        }
        Ok(Op::IsInstance(Box::new(self.expression(&value.value)?), names))
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
            if let Ok(value) = functions::pure(function, &arguments, &mut self.builder.folding.0) {
                return Ok(Op::Const(value));
            }
        }
        self.acts |= matches!(function, Function::Print | Function::Fail);
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
        // It may print.
        self.acts = true;
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
        self.acts = true;
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
