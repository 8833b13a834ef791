//! What was written to code: names become slots, keys and numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::ast::{self, Binary, Expr, Kind, StmtKind as Written, Unary};
use super::budget::Budget;
use super::code::{Clause, Clock, Comprehension, FormatPiece, Node, Op, Stmt, StmtKind, Target};
use super::functions::{self, Function};
use super::lexer::At;
use super::methods::{Arguments, Method};
use super::{format, ops};
use crate::model::ModelBuilder;
use crate::{Problem, Value};

type Result<T> = std::result::Result<T, Problem>;

/// What the names of `top` mean.
#[derive(Clone, Debug)]
pub(super) enum Global {
    Value(Value),
    /// A function, by its number, with the names of its parameters and how many have no default.
    Function(usize, Arc<[Arc<str>]>, usize),
    Module(Arc<str>),
    /// An attribute of the instance that code names without `self`.
    Attribute,
    /// A function that asks for a state by its name: the paths of the states.
    InState(Arc<BTreeMap<Arc<str>, String>>),
}

pub(super) type Globals = BTreeMap<Arc<str>, Global>;

pub(super) struct Compiler<'a> {
    pub(super) builder: &'a mut ModelBuilder,
    pub(super) file: &'a Arc<str>,
    pub(super) globals: &'a Globals,
    /// Parameters of the event or the method.
    pub(super) parameters: &'a [Arc<str>],
    /// Whether this is a function of `top`, which has no instance.
    pub(super) in_function: bool,
    pub(super) locals: Vec<Local>,
    /// Parameters that are assigned to, and the locals that stand for them.
    pub(super) copied: Vec<(usize, usize)>,
    /// References to states.
    pub(super) references: Vec<String>,
    loops: usize,
}

/// A local name. Those of comprehensions are forgotten at their end, but keep their slots.
pub(super) struct Local {
    name: Arc<str>,
    seen: bool,
    /// Whether it may be something that another place holds too.
    shared: bool,
}

impl<'a> Compiler<'a> {
    pub(super) fn new(
        builder: &'a mut ModelBuilder,
        file: &'a Arc<str>,
        globals: &'a Globals,
        parameters: &'a [Arc<str>],
    ) -> Self {
        Self {
            builder,
            file,
            globals,
            parameters,
            in_function: false,
            locals: Vec::new(),
            copied: Vec::new(),
            references: Vec::new(),
            loops: 0,
        }
    }

    fn wrong(&self, at: At, what: impl Into<String>) -> Problem {
        Problem::new(at.place(self.file), "", what)
    }

    /// Compiles statements; names that are assigned in them are local.
    pub(super) fn body(&mut self, statements: &[ast::Stmt]) -> Result<Vec<Stmt>> {
        let mut names = BTreeSet::new();
        assigned(statements, &mut names);
        for name in names {
            if matches!(self.globals.get(&name), Some(Global::Attribute)) {
                continue;
            }
            if self.in_function && self.locals.iter().any(|local| local.name == name) {
                continue;
            }
            let slot = self.local(&name);
            if let Some(parameter) = self.parameters.iter().position(|known| *known == name) {
                self.copied.push((parameter, slot));
                self.locals[slot].shared = true;
            }
        }
        self.block(statements)
    }

    /// A new local.
    pub(super) fn local(&mut self, name: &Arc<str>) -> usize {
        self.locals.push(Local {
            name: Arc::clone(name),
            seen: true,
            shared: false,
        });
        self.locals.len() - 1
    }

    /// Makes a local one that its caller holds too.
    pub(super) fn share(&mut self, slot: usize) {
        if let Some(local) = self.locals.get_mut(slot) {
            local.shared = true;
        }
    }

    fn find_local(&self, name: &str) -> Option<usize> {
        self.locals.iter().rposition(|local| local.seen && &*local.name == name)
    }

    fn block(&mut self, statements: &[ast::Stmt]) -> Result<Vec<Stmt>> {
        statements.iter().map(|statement| self.statement(statement)).collect()
    }

    fn in_loop(&mut self, body: &[ast::Stmt]) -> Result<Vec<Stmt>> {
        self.loops += 1;
        let body = self.block(body);
        self.loops -= 1;
        body
    }

    fn statement(&mut self, statement: &ast::Stmt) -> Result<Stmt> {
        let at = statement.at;
        let kind = match &statement.kind {
            Written::Pass => StmtKind::Pass,
            Written::Break | Written::Continue if self.loops == 0 => {
                return Err(self.wrong(at, "there is no loop around"));
            }
            Written::Break => StmtKind::Break,
            Written::Continue => StmtKind::Continue,
            Written::Return(None) => StmtKind::Return(None),
            Written::Return(Some(value)) => StmtKind::Return(Some(self.expression(value)?)),
            Written::Expression(value) => StmtKind::Expression(self.expression(value)?),
            Written::Assign(targets, value) => {
                let shared = targets.len() > 1 || self.is_shared(value);
                let node = self.expression(value)?;
                self.stored(value);
                let targets = targets.iter().map(|target| self.target(target, shared));
                StmtKind::Assign(targets.collect::<Result<_>>()?, node)
            }
            Written::Augment(target, operator, value) => {
                let value = self.expression(value)?;
                StmtKind::Augment(self.place(target)?, *operator, value)
            }
            Written::Delete(targets) => {
                let mut deletions = Vec::new();
                for target in targets {
                    match target {
                        ast::Target::Index(of, index, at) => {
                            self.changed(of, *at)?;
                            let (of, index) = (self.expression(of)?, self.expression(index)?);
                            let at = *at;
                            let kind = StmtKind::DeleteIndex(of, index);
                            deletions.push(Stmt { at, kind });
                        }
                        // A name that is gone and one without a value differ in nothing that code can see.
                        other => deletions.push(Stmt {
                            at,
                            kind: StmtKind::Assign(
                                vec![self.target(other, false)?],
                                Node {
                                    at,
                                    op: Op::Const(Value::Nil),
                                },
                            ),
                        }),
                    }
                }
                let always = Node {
                    at,
                    op: Op::Const(Value::Bool(true)),
                };
                StmtKind::If(vec![(always, deletions)], Vec::new())
            }
            Written::Assert(condition, message) => {
                let condition = self.expression(condition)?;
                let message = match message {
                    Some(message) => Some(self.expression(message)?),
                    None => None,
                };
                StmtKind::Assert(condition, message)
            }
            Written::If(branches, otherwise) => {
                let mut compiled = Vec::new();
                for (condition, body) in branches {
                    compiled.push((self.expression(condition)?, self.block(body)?));
                }
                StmtKind::If(compiled, self.block(otherwise)?)
            }
            Written::While(condition, body) => {
                let condition = self.expression(condition)?;
                StmtKind::While(condition, self.in_loop(body)?)
            }
            Written::For(target, over, body) => {
                let over = self.expression(over)?;
                let target = self.target(target, true)?;
                StmtKind::For(target, over, self.in_loop(body)?)
            }
            Written::Def(..) => {
                return Err(self.wrong(
                    at,
                    "a function in an action: write it in `top`, or as a method of the class",
                ));
            }
            Written::Import(modules) => {
                if let Some((module, _)) = modules
                    .iter()
                    .find(|(module, used)| **module != *"math" || used != module)
                {
                    return Err(self.wrong(at, no_module(module)));
                }
                StmtKind::Pass
            }
        };
        Ok(Stmt { at, kind })
    }

    /// Whether a value may be one that another place holds too. Lists and maps are values here, but in Python it would
    /// be the same list: code in which that makes a difference is refused.
    fn is_shared(&self, value: &Expr) -> bool {
        match &value.kind {
            Kind::Name(_) | Kind::Attribute(..) | Kind::Index(..) => true,
            Kind::And(a, b) | Kind::Or(a, b) => self.is_shared(a) || self.is_shared(b),
            Kind::If(parts) => self.is_shared(&parts.1) || self.is_shared(&parts.2),
            Kind::Call(function, _) => {
                matches!(&function.kind, Kind::Attribute(_, name) if matches!(&**name, "get" | "setdefault"))
            }
            _ => false,
        }
    }

    /// A local that is stored elsewhere is shared from then on.
    fn stored(&mut self, value: &Expr) {
        match &value.kind {
            Kind::Name(name) => {
                if let Some(slot) = self.find_local(name) {
                    self.share(slot);
                }
            }
            Kind::List(items) | Kind::Tuple(items) => items.iter().for_each(|item| self.stored(item)),
            Kind::Dict(pairs) => pairs.iter().for_each(|(_, value)| self.stored(value)),
            _ => {}
        }
    }

    /// Refuses changes in place that would not be seen where Python shows them.
    fn changed(&self, place: &Expr, at: At) -> Result<()> {
        match &place.kind {
            Kind::Index(of, _) => self.changed(of, at),
            Kind::Name(name) => {
                let shared = match self.find_local(name) {
                    Some(slot) => self.locals[slot].shared,
                    None => self.parameters.contains(name),
                };
                if !shared {
                    return Ok(());
                }
                Err(self.wrong(
                    at,
                    format!(
                        "`{name}` may be held elsewhere too, and that would not change with it (lists and dicts are \
                         values): change the attribute itself, or a copy: list({name})"
                    ),
                ))
            }
            _ => Ok(()),
        }
    }

    fn target(&mut self, target: &ast::Target, shared: bool) -> Result<Target> {
        Ok(match target {
            ast::Target::Name(name, at) => {
                self.assignable(name, *at)?;
                if self.is_bare_attribute(name) {
                    return Ok(Target::Attribute(self.builder.key(name)));
                }
                let slot = match self.find_local(name) {
                    Some(slot) => slot,
                    None => self.local(name),
                };
                if let Some(local) = self.locals.get_mut(slot) {
                    local.shared = shared;
                }
                Target::Local(slot)
            }
            ast::Target::Attribute(of, name, at) => {
                self.own(of, *at)?;
                Target::Attribute(self.builder.key(name))
            }
            ast::Target::Index(of, index, at) => {
                self.changed(of, *at)?;
                let (of, index) = (self.expression(of)?, self.expression(index)?);
                Target::Index(Box::new((of, index)))
            }
            ast::Target::Tuple(targets, at) => {
                let targets = targets.iter().map(|target| self.target(target, true));
                Target::Tuple(targets.collect::<Result<_>>()?, *at)
            }
        })
    }

    /// A target that is changed where it is.
    fn place(&mut self, target: &ast::Target) -> Result<Node> {
        let (at, kind) = match target {
            ast::Target::Name(name, at) => {
                self.assignable(name, *at)?;
                (*at, Kind::Name(Arc::clone(name)))
            }
            ast::Target::Attribute(of, name, at) => (*at, Kind::Attribute(Box::new(of.clone()), Arc::clone(name))),
            ast::Target::Index(of, index, at) => {
                self.changed(of, *at)?;
                (*at, Kind::Index(Box::new(of.clone()), Box::new(index.clone())))
            }
            ast::Target::Tuple(_, at) => return Err(self.wrong(*at, "several targets: expected one")),
        };
        self.expression(&Expr { at, kind })
    }

    /// Whether the name, without `self`, is an attribute.
    fn is_bare_attribute(&self, name: &str) -> bool {
        matches!(self.globals.get(name), Some(Global::Attribute)) && self.find_local(name).is_none()
    }

    fn assignable(&self, name: &str, at: At) -> Result<()> {
        match name {
            "self" | "SELF" | "ELSE" | "INSTATE" | "None" | "True" | "False" => {
                Err(self.wrong(at, format!("`{name}` can't be assigned to")))
            }
            _ => Ok(()),
        }
    }

    /// Refuses attributes of anything but the instance.
    fn own(&self, of: &Expr, at: At) -> Result<()> {
        if is_self(of) && self.in_function {
            return Err(self.wrong(
                at,
                "a function of `top` has no `self`: give it what it needs, or write a method",
            ));
        }
        if is_self(of) {
            return Ok(());
        }
        Err(self.wrong(at, "only `self` has attributes; a map's items are taken with [\"key\"]"))
    }

    /// Compiles an expression, and computes it if it is constant.
    pub(super) fn expression(&mut self, written: &Expr) -> Result<Node> {
        let at = written.at;
        let op = match &written.kind {
            Kind::Value(value) => Op::Const(value.clone()),
            Kind::Name(name) => self.name(name, at)?,
            Kind::Attribute(of, name) => self.attribute(of, name, at)?,
            Kind::Index(of, index) => Op::Index(Box::new((self.expression(of)?, self.expression(index)?))),
            Kind::Slice(of, parts) => {
                let of = self.expression(of)?;
                let mut compiled = [None, None, None];
                for (part, written) in compiled.iter_mut().zip(parts) {
                    if let Some(written) = written {
                        *part = Some(self.expression(written)?);
                    }
                }
                Op::Slice(Box::new(of), Box::new(compiled))
            }
            Kind::Call(function, arguments) => self.call(function, arguments, at)?,
            Kind::Unary(operator, inner) => fold_unary(*operator, self.expression(inner)?),
            Kind::Binary(operator, a, b) => fold_binary(*operator, self.expression(a)?, self.expression(b)?),
            Kind::Compare(first, rest) => {
                let first = self.expression(first)?;
                let mut compiled = Vec::new();
                for (operator, right) in rest {
                    compiled.push((*operator, self.expression(right)?));
                }
                match compiled.pop() {
                    Some((operator, right)) if compiled.is_empty() => Op::Compare(operator, Box::new((first, right))),
                    last => {
                        compiled.extend(last);
                        Op::CompareChain(Box::new(first), compiled)
                    }
                }
            }
            Kind::And(a, b) => Op::And(Box::new((self.expression(a)?, self.expression(b)?))),
            Kind::Or(a, b) => Op::Or(Box::new((self.expression(a)?, self.expression(b)?))),
            Kind::If(parts) => Op::If(Box::new((
                self.expression(&parts.0)?,
                self.expression(&parts.1)?,
                self.expression(&parts.2)?,
            ))),
            Kind::List(items) => fold_items(self.expressions(items)?, Value::list, Op::List),
            Kind::Tuple(items) => fold_items(self.expressions(items)?, Value::tuple, Op::Tuple),
            Kind::Dict(pairs) => {
                let mut compiled = Vec::new();
                for (key, value) in pairs {
                    compiled.push((self.expression(key)?, self.expression(value)?));
                }
                let constant = |(key, value): &(Node, Node)| Some((constant(key)?, constant(value)?));
                match compiled.iter().map(constant).collect::<Option<Vec<_>>>() {
                    Some(pairs) => Op::Const(Value::map(pairs)),
                    None => Op::Dict(compiled),
                }
            }
            Kind::Comprehension(item, key, clauses) => self.comprehension(item, key.as_deref(), clauses)?,
            Kind::Format(pieces) => {
                let mut compiled = Vec::new();
                for piece in pieces {
                    compiled.push(match piece {
                        ast::FormatPiece::Text(text) => FormatPiece::Text(text.as_str().into()),
                        ast::FormatPiece::Expression { value, repr, spec } => {
                            format::check(spec).map_err(|what| self.wrong(value.at, what))?;
                            FormatPiece::Value {
                                value: self.expression(value)?,
                                repr: *repr,
                                spec: spec.as_str().into(),
                            }
                        }
                    });
                }
                Op::Format(compiled)
            }
        };
        Ok(Node { at, op })
    }

    fn expressions(&mut self, written: &[Expr]) -> Result<Vec<Node>> {
        written.iter().map(|item| self.expression(item)).collect()
    }

    fn name(&mut self, name: &Arc<str>, at: At) -> Result<Op> {
        if let Some(slot) = self.find_local(name) {
            return Ok(Op::Local(slot, Arc::clone(name)));
        }
        if let Some(index) = self.parameters.iter().position(|known| known == name) {
            return Ok(Op::Parameter(index));
        }
        match self.globals.get(name) {
            Some(Global::Value(value)) => return Ok(Op::Const(value.clone())),
            Some(Global::Function(..)) => {
                return Err(self.wrong(at, format!("the function `{name}` can only be called")));
            }
            Some(Global::Module(module)) => return Err(self.wrong(at, no_module(module))),
            Some(Global::Attribute) => return Ok(Op::Attribute(self.builder.key(name), Arc::clone(name))),
            Some(Global::InState(_)) => return Err(self.wrong(at, format!("expected {name}(\"state\")"))),
            None => {}
        }
        Err(self.wrong(
            at,
            match &**name {
                "self" | "SELF" => "`self` alone is no value: expected an attribute or a method of it".to_owned(),
                "ELSE" => "ELSE stands alone in a condition".to_owned(),
                "INSTATE" => "expected INSTATE(\"state\")".to_owned(),
                "true" => "`true` is unknown: expected True".to_owned(),
                "false" => "`false` is unknown: expected False".to_owned(),
                "null" | "nil" => format!("`{name}` is unknown: expected None"),
                _ if Function::by_name(name).is_some() => format!("the function `{name}` can only be called"),
                _ => format!(
                    "`{name}` is unknown: expected a parameter, a local name or a name of `top` (an attribute is \
                     self.{name})"
                ),
            },
        ))
    }

    fn attribute(&mut self, of: &Expr, name: &Arc<str>, at: At) -> Result<Op> {
        if let Kind::Name(module) = &of.kind
            && let Some(value) = functions::constant(module, name)
            && self.find_local(module).is_none()
        {
            return Ok(Op::Const(value));
        }
        self.own(of, at)?;
        Ok(Op::Attribute(self.builder.key(name), Arc::clone(name)))
    }

    fn comprehension(&mut self, item: &Expr, key: Option<&Expr>, clauses: &[ast::Clause]) -> Result<Op> {
        let before = self.locals.len();
        let mut compiled = Vec::new();
        for clause in clauses {
            compiled.push(match clause {
                ast::Clause::For(target, over) => {
                    let over = self.expression(over)?;
                    let mut names = BTreeSet::new();
                    names_of(target, &mut names);
                    for name in names {
                        self.local(&name);
                    }
                    Clause::For(self.target(target, true)?, over)
                }
                ast::Clause::If(condition) => Clause::If(self.expression(condition)?),
            });
        }
        let item = self.expression(item)?;
        let key = match key {
            Some(key) => Some(self.expression(key)?),
            None => None,
        };
        for local in &mut self.locals[before..] {
            local.seen = false;
        }
        Ok(Op::Comprehension(Box::new(Comprehension {
            item,
            key,
            clauses: compiled,
        })))
    }

    fn call(&mut self, function: &Expr, arguments: &[ast::Argument], at: At) -> Result<Op> {
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
    fn arguments(&mut self, written: &[ast::Argument]) -> Result<(Vec<Node>, Vec<(Arc<str>, Node)>)> {
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

fn no_module(module: &str) -> String {
    format!("the module `{module}` is not there: action code has math, and no others")
}

fn is_self(of: &Expr) -> bool {
    matches!(&of.kind, Kind::Name(name) if matches!(&**name, "self" | "SELF"))
}

/// The value of a node that needs no running.
pub(super) fn constant(node: &Node) -> Option<Value> {
    match &node.op {
        Op::Const(value) => Some(value.clone()),
        _ => None,
    }
}

fn fold_unary(operator: Unary, inner: Node) -> Op {
    match constant(&inner).map(|value| ops::unary(operator, &value)) {
        Some(Ok(value)) => Op::Const(value),
        _ => Op::Unary(operator, Box::new(inner)),
    }
}

fn fold_binary(operator: Binary, a: Node, b: Node) -> Op {
    if let (Some(x), Some(y)) = (constant(&a), constant(&b))
        // A long text by way of `*` is made when it is needed.
        && (operator != Binary::Multiply || (x.as_number().is_some() && y.as_number().is_some()))
        && let Ok(value) = ops::binary(operator, &x, &y, &mut Budget::new())
    {
        return Op::Const(value);
    }
    Op::Binary(operator, Box::new((a, b)))
}

fn fold_items(items: Vec<Node>, make: fn(Vec<Value>) -> Value, op: fn(Vec<Node>) -> Op) -> Op {
    match items.iter().map(constant).collect::<Option<Vec<_>>>() {
        Some(values) => Op::Const(make(values)),
        None => op(items),
    }
}

/// The names that statements assign to.
fn assigned(statements: &[ast::Stmt], names: &mut BTreeSet<Arc<str>>) {
    for statement in statements {
        match &statement.kind {
            Written::Assign(targets, _) | Written::Delete(targets) => {
                targets.iter().for_each(|target| names_of(target, names));
            }
            Written::Augment(target, ..) => names_of(target, names),
            Written::If(branches, otherwise) => {
                branches.iter().for_each(|(_, body)| assigned(body, names));
                assigned(otherwise, names);
            }
            Written::While(_, body) => assigned(body, names),
            Written::For(target, _, body) => {
                names_of(target, names);
                assigned(body, names);
            }
            _ => {}
        }
    }
}

fn names_of(target: &ast::Target, names: &mut BTreeSet<Arc<str>>) {
    match target {
        ast::Target::Name(name, _) => {
            names.insert(Arc::clone(name));
        }
        ast::Target::Tuple(targets, _) => targets.iter().for_each(|target| names_of(target, names)),
        ast::Target::Attribute(..) | ast::Target::Index(..) => {}
    }
}
