//! Runs compiled code.

use std::sync::Arc;

use super::ast::{Binary, Compare};
use super::budget::Budget;
use super::code::{Clause, Clock, Comprehension, FormatPiece, Node, Op, Program, Stmt, StmtKind, Target};
use super::functions::{self, Function};
use super::lexer::At;
use super::methods::{self, Arguments, Method};
use super::{format, ops};
use crate::{Context, Fault, Value};

type Result<T> = std::result::Result<T, Fault>;

/// What a running piece of code has.
pub(super) struct Frame<'a> {
    pub(super) program: &'a Program,
    pub(super) file: &'a Arc<str>,
    pub(super) locals: Vec<Option<Value>>,
    pub(super) budget: &'a mut Budget,
}

/// How a block ends.
pub(super) enum Flow {
    Next,
    Break,
    Continue,
    Return(Value),
}

impl Frame<'_> {
    #[cold]
    fn fault(&self, at: At, message: impl Into<String>) -> Fault {
        Fault::new(message.into()).at(at.place(self.file))
    }

    /// Puts the place of the code to an error.
    #[inline]
    fn at<T>(&self, at: At, result: std::result::Result<T, String>) -> Result<T> {
        result.map_err(|message| self.fault(at, message))
    }

    #[inline]
    fn step(&mut self, at: At) -> Result<()> {
        let result = self.budget.step();
        self.at(at, result)
    }

    pub(super) fn block(&mut self, body: &[Stmt], cx: &mut Context<'_>) -> Result<Flow> {
        for statement in body {
            self.step(statement.at)?;
            match self.statement(statement, cx)? {
                Flow::Next => {}
                flow => return Ok(flow),
            }
        }
        Ok(Flow::Next)
    }

    fn statement(&mut self, statement: &Stmt, cx: &mut Context<'_>) -> Result<Flow> {
        match &statement.kind {
            StmtKind::Pass => {}
            StmtKind::Break => return Ok(Flow::Break),
            StmtKind::Continue => return Ok(Flow::Continue),
            StmtKind::Return(None) => return Ok(Flow::Return(Value::Nil)),
            StmtKind::Return(Some(value)) => return Ok(Flow::Return(self.eval(value, cx)?)),
            StmtKind::Expression(value) => {
                self.eval(value, cx)?;
            }
            StmtKind::Assign(targets, value) => {
                let value = self.eval(value, cx)?;
                let Some((last, others)) = targets.split_last() else {
                    return Ok(Flow::Next);
                };
                for target in others {
                    self.assign(target, value.clone(), cx)?;
                }
                self.assign(last, value, cx)?;
            }
            StmtKind::Augment(place, operator, value) => self.augment(statement.at, place, *operator, value, cx)?,
            StmtKind::DeleteIndex(of, index) => {
                let index = self.eval(index, cx)?;
                self.change(of, cx, &mut |value, _| ops::delete_index(value, &index))?;
            }
            StmtKind::Assert(condition, message) => {
                if !self.test(condition, cx)? {
                    let message = match message {
                        Some(message) => {
                            let message = self.eval(message, cx)?;
                            let text = format::text(&message, self.budget);
                            self.at(statement.at, text)?
                        }
                        None => "an assertion failed".to_owned(),
                    };
                    return Err(self.fault(statement.at, message));
                }
            }
            StmtKind::If(branches, otherwise) => {
                for (condition, body) in branches {
                    if self.test(condition, cx)? {
                        return self.block(body, cx);
                    }
                }
                return self.block(otherwise, cx);
            }
            StmtKind::While(condition, body) => {
                while self.test(condition, cx)? {
                    self.step(statement.at)?;
                    match self.block(body, cx)? {
                        Flow::Next | Flow::Continue => {}
                        Flow::Break => break,
                        Flow::Return(value) => return Ok(Flow::Return(value)),
                    }
                }
            }
            StmtKind::For(target, over, body) => return self.each(statement.at, target, over, body, cx),
        }
        Ok(Flow::Next)
    }

    fn augment(&mut self, at: At, place: &Node, operator: Binary, value: &Node, cx: &mut Context<'_>) -> Result<()> {
        let value = self.eval(value, cx)?;
        // The usual case, without ado.
        if let (Op::Attribute(key, _), Value::Int(by)) = (&place.op, &value)
            && let (Some(Value::Int(number)), Binary::Add | Binary::Subtract) = (cx.get_mut(*key), operator)
        {
            let result = match operator {
                Binary::Add => number.checked_add(*by),
                _ => number.checked_sub(*by),
            };
            return match result {
                Some(result) => {
                    *number = result;
                    Ok(())
                }
                None => Err(self.fault(at, ops::TOO_LARGE)),
            };
        }
        self.change(place, cx, &mut |current, budget| {
            ops::augment(operator, current, &value, budget)
        })
    }

    fn each(&mut self, at: At, target: &Target, over: &Node, body: &[Stmt], cx: &mut Context<'_>) -> Result<Flow> {
        // A range needs no list.
        if let Op::Builtin(Function::Range, arguments, _) = &over.op {
            let values = self.all(arguments, cx)?;
            let (mut next, stop, step) = self.at(over.at, functions::range(&values))?;
            while (step > 0 && next < stop) || (step < 0 && next > stop) {
                self.step(at)?;
                self.assign(target, Value::Int(next), cx)?;
                match self.block(body, cx)? {
                    Flow::Next | Flow::Continue => {}
                    Flow::Break => break,
                    flow @ Flow::Return(_) => return Ok(flow),
                }
                next = next.saturating_add(step);
            }
            return Ok(Flow::Next);
        }
        let items = self.items(over, cx)?;
        for item in items.iter() {
            self.step(at)?;
            self.assign(target, item.clone(), cx)?;
            match self.block(body, cx)? {
                Flow::Next | Flow::Continue => {}
                Flow::Break => break,
                flow @ Flow::Return(_) => return Ok(flow),
            }
        }
        Ok(Flow::Next)
    }

    fn items(&mut self, over: &Node, cx: &mut Context<'_>) -> Result<Arc<Vec<Value>>> {
        let value = self.eval(over, cx)?;
        let items = ops::items(&value, self.budget);
        self.at(over.at, items)
    }

    fn all(&mut self, nodes: &[Node], cx: &mut Context<'_>) -> Result<Vec<Value>> {
        let mut values = Vec::with_capacity(nodes.len());
        for node in nodes {
            values.push(self.eval(node, cx)?);
        }
        Ok(values)
    }

    fn named(&mut self, nodes: &[(Arc<str>, Node)], cx: &mut Context<'_>) -> Result<Vec<(Arc<str>, Value)>> {
        let mut values = Vec::new();
        for (name, node) in nodes {
            values.push((Arc::clone(name), self.eval(node, cx)?));
        }
        Ok(values)
    }

    fn assign(&mut self, target: &Target, value: Value, cx: &mut Context<'_>) -> Result<()> {
        match target {
            Target::Local(slot) => {
                if let Some(local) = self.locals.get_mut(*slot) {
                    *local = Some(value);
                }
            }
            Target::Attribute(key) => cx.set(*key, value),
            Target::Index(of_and_index) => {
                let (of, index) = &**of_and_index;
                let index = self.eval(index, cx)?;
                let mut value = Some(value);
                self.change(of, cx, &mut |place, budget| {
                    ops::set_index(place, &index, value.take().unwrap_or_default(), budget)
                })?;
            }
            Target::Tuple(targets, at) => {
                let items = ops::items(&value, self.budget);
                let items = self.at(*at, items)?;
                if items.len() != targets.len() {
                    let message = format!("{} values for {} targets", items.len(), targets.len());
                    return Err(self.fault(*at, message));
                }
                for (target, item) in targets.iter().zip(items.iter()) {
                    self.assign(target, item.clone(), cx)?;
                }
            }
        }
        Ok(())
    }

    /// Changes a place where it is: a local, an attribute, or an item of one.
    fn change(
        &mut self,
        place: &Node,
        cx: &mut Context<'_>,
        change: &mut dyn FnMut(&mut Value, &mut Budget) -> std::result::Result<(), String>,
    ) -> Result<()> {
        match &place.op {
            Op::Local(slot, name) => match self.locals.get_mut(*slot) {
                Some(Some(value)) => {
                    let result = change(value, self.budget);
                    self.at(place.at, result)
                }
                _ => Err(self.fault(place.at, format!("`{name}` has no value yet"))),
            },
            Op::Attribute(key, name) => match cx.get_mut(*key) {
                Some(value) => {
                    let result = change(value, self.budget);
                    self.at(place.at, result)
                }
                None => Err(self.no_attribute(place.at, name, cx)),
            },
            Op::Index(of_and_index) => {
                let (of, index) = &**of_and_index;
                let index = self.eval(index, cx)?;
                self.change(of, cx, &mut |value, budget| {
                    change(ops::index_mut(value, &index)?, budget)
                })
            }
            // `map.setdefault(key, []).append(item)`.
            Op::Method(of, Method::SetDefault, arguments, _) => {
                let values = self.all(arguments, cx)?;
                let arguments = Arguments {
                    values: &values,
                    named: &[],
                };
                self.change(of, cx, &mut |value, budget| {
                    methods::change(value, Method::SetDefault, &arguments, budget)?;
                    change(ops::index_mut(value, values.first().unwrap_or(&Value::Nil))?, budget)
                })
            }
            // Nobody keeps what it was.
            _ => {
                let mut value = self.eval(place, cx)?;
                let result = change(&mut value, self.budget);
                self.at(place.at, result)
            }
        }
    }

    #[cold]
    fn no_attribute(&self, at: At, name: &str, cx: &Context<'_>) -> Fault {
        self.fault(at, format!("class {} has no attribute `{name}`", cx.class()))
    }

    /// A value that needs no computing.
    #[inline]
    fn peek<'f>(&'f self, node: &'f Node, cx: &'f Context<'_>) -> Option<&'f Value> {
        match &node.op {
            Op::Const(value) => Some(value),
            Op::Parameter(index) => Some(cx.parameter(*index)),
            Op::Attribute(key, _) => cx.get(*key),
            Op::Local(slot, _) => self.locals.get(*slot)?.as_ref(),
            _ => None,
        }
    }

    /// Whether a condition holds.
    #[inline]
    pub(super) fn test(&mut self, node: &Node, cx: &mut Context<'_>) -> Result<bool> {
        match &node.op {
            Op::Compare(operator, operands) => self.compare(node.at, *operator, &operands.0, &operands.1, cx),
            Op::And(operands) => Ok(self.test(&operands.0, cx)? && self.test(&operands.1, cx)?),
            Op::Or(operands) => Ok(self.test(&operands.0, cx)? || self.test(&operands.1, cx)?),
            Op::Unary(super::ast::Unary::Not, inner) => Ok(!self.test(inner, cx)?),
            Op::InState(_) => Ok(self.eval(node, cx)?.is_true()),
            _ => match self.peek(node, cx) {
                Some(value) => Ok(value.is_true()),
                None => Ok(self.eval(node, cx)?.is_true()),
            },
        }
    }

    fn compare(&mut self, at: At, operator: Compare, a: &Node, b: &Node, cx: &mut Context<'_>) -> Result<bool> {
        if let (Some(a), Some(b)) = (self.peek(a, cx), self.peek(b, cx)) {
            let result = ops::compare(operator, a, b);
            return self.at(at, result);
        }
        let a = self.eval(a, cx)?;
        let result = match self.peek(b, cx) {
            Some(b) => ops::compare(operator, &a, b),
            None => {
                let b = self.eval(b, cx)?;
                ops::compare(operator, &a, &b)
            }
        };
        self.at(at, result)
    }

    /// The value of an expression.
    pub(super) fn eval(&mut self, node: &Node, cx: &mut Context<'_>) -> Result<Value> {
        match &node.op {
            Op::Const(value) => Ok(value.clone()),
            Op::Parameter(index) => Ok(cx.parameter(*index).clone()),
            Op::Local(slot, name) => match self.locals.get(*slot) {
                Some(Some(value)) => Ok(value.clone()),
                _ => Err(self.fault(node.at, format!("`{name}` has no value yet"))),
            },
            Op::Attribute(key, name) => match cx.get(*key) {
                Some(value) => Ok(value.clone()),
                None => Err(self.no_attribute(node.at, name, cx)),
            },
            Op::Compare(..) | Op::Unary(super::ast::Unary::Not, _) => Ok(Value::Bool(self.test(node, cx)?)),
            Op::Binary(operator, operands) => self.binary(node.at, *operator, &operands.0, &operands.1, cx),
            Op::And(operands) => {
                let left = self.eval(&operands.0, cx)?;
                if left.is_true() {
                    self.eval(&operands.1, cx)
                } else {
                    Ok(left)
                }
            }
            Op::Or(operands) => {
                let left = self.eval(&operands.0, cx)?;
                if left.is_true() {
                    Ok(left)
                } else {
                    self.eval(&operands.1, cx)
                }
            }
            Op::If(parts) => {
                let (condition, then, otherwise) = &**parts;
                let chosen = if self.test(condition, cx)? { then } else { otherwise };
                self.eval(chosen, cx)
            }
            _ => self.eval_rest(node, cx),
        }
    }

    fn binary(&mut self, at: At, operator: Binary, a: &Node, b: &Node, cx: &mut Context<'_>) -> Result<Value> {
        let a = self.eval(a, cx)?;
        let b = self.eval(b, cx)?;
        let result = ops::binary(operator, &a, &b, self.budget);
        self.at(at, result)
    }

    /// What is rarer.
    fn eval_rest(&mut self, node: &Node, cx: &mut Context<'_>) -> Result<Value> {
        match &node.op {
            Op::Index(of_and_index) => {
                let (of, index) = &**of_and_index;
                let index = self.eval(index, cx)?;
                let result = match self.peek(of, cx) {
                    Some(of) => ops::index(of, &index),
                    None => {
                        let of = self.eval(of, cx)?;
                        ops::index(&of, &index)
                    }
                };
                self.at(node.at, result)
            }
            Op::Slice(of, parts) => {
                let of = self.eval(of, cx)?;
                let mut bounds = [None, None, None];
                for (bound, part) in bounds.iter_mut().zip(parts.iter()) {
                    if let Some(part) = part {
                        *bound = Some(self.eval(part, cx)?);
                    }
                }
                let result = ops::slice(&of, bounds, self.budget);
                self.at(node.at, result)
            }
            Op::Unary(operator, inner) => {
                let value = self.eval(inner, cx)?;
                self.at(node.at, ops::unary(*operator, &value))
            }
            Op::CompareChain(first, rest) => {
                let mut left = self.eval(first, cx)?;
                for (operator, right) in rest {
                    let right = self.eval(right, cx)?;
                    let result = ops::compare(*operator, &left, &right);
                    if !self.at(node.at, result)? {
                        return Ok(Value::Bool(false));
                    }
                    left = right;
                }
                Ok(Value::Bool(true))
            }
            Op::List(items) => {
                let made = self.budget.make_items(items.len());
                self.at(node.at, made)?;
                Ok(self.all(items, cx)?.into())
            }
            Op::Tuple(items) => {
                let made = self.budget.make_items(items.len());
                self.at(node.at, made)?;
                Ok(Value::tuple(self.all(items, cx)?))
            }
            Op::Dict(pairs) => {
                let made = self.budget.make_items(pairs.len());
                self.at(node.at, made)?;
                let mut map = crate::Map::with_capacity(pairs.len());
                for (key, value) in pairs {
                    map.insert(self.eval(key, cx)?, self.eval(value, cx)?);
                }
                Ok(map.into())
            }
            Op::Comprehension(comprehension) => self.comprehension(node.at, comprehension, cx),
            Op::Format(pieces) => self.format(node.at, pieces, cx),
            Op::Builtin(function, arguments, named) => {
                self.step(node.at)?;
                let values = self.all(arguments, cx)?;
                let named = self.named(named, cx)?;
                let arguments = Arguments {
                    values: &values,
                    named: &named,
                };
                let result = functions::call(*function, &arguments, cx, self.budget);
                self.at(node.at, result)
            }
            Op::Function(number, arguments) => self.function(node.at, *number, arguments, cx),
            Op::OwnMethod(name, arguments) => {
                self.step(node.at)?;
                let values = self.all(arguments, cx)?;
                let result = self.budget.lend(|| cx.call(name, &values));
                result.map_err(|fault| fault.at(node.at.place(self.file)))
            }
            Op::Method(of, method, arguments, named) => self.method(node.at, of, *method, arguments, named, cx),
            Op::InState(references) => {
                for reference in references {
                    let active = cx.in_state(reference);
                    if !active.map_err(|fault| fault.at(node.at.place(self.file)))? {
                        return Ok(Value::Bool(false));
                    }
                }
                Ok(Value::Bool(true))
            }
            Op::HasAttribute(name) => Ok((cx.find(name).is_some() || cx.has_method(name)).into()),
            Op::Time(clock) => Ok(match clock {
                Clock::Behind => Value::Float(cx.behind().as_secs_f64()),
                Clock::Simulated => milliseconds(cx.now()),
                Clock::Wall => milliseconds(cx.now() + cx.behind()),
            }),
            // The others are computed where they are met most.
            _ => self.eval(node, cx),
        }
    }

    fn method(
        &mut self,
        at: At,
        of: &Node,
        method: Method,
        arguments: &[Node],
        named: &[(Arc<str>, Node)],
        cx: &mut Context<'_>,
    ) -> Result<Value> {
        self.step(at)?;
        let values = self.all(arguments, cx)?;
        let named = self.named(named, cx)?;
        let arguments = Arguments {
            values: &values,
            named: &named,
        };
        if method.changes() {
            let mut result = Value::Nil;
            self.change(of, cx, &mut |value, budget| {
                result = methods::change(value, method, &arguments, budget)?;
                Ok(())
            })?;
            return Ok(result);
        }
        let of = self.eval(of, cx)?;
        let result = methods::call(&of, method, &arguments, self.budget);
        self.at(at, result)
    }

    fn format(&mut self, at: At, pieces: &[FormatPiece], cx: &mut Context<'_>) -> Result<Value> {
        let mut text = String::new();
        for piece in pieces {
            match piece {
                FormatPiece::Text(part) => text.push_str(part),
                FormatPiece::Value { value, repr, spec } => {
                    let value = self.eval(value, cx)?;
                    let written = format::value(&mut text, &value, *repr, spec, self.budget);
                    self.at(at, written)?;
                }
            }
        }
        let made = self.budget.make(text.len());
        self.at(at, made)?;
        Ok(text.into())
    }

    fn function(&mut self, at: At, number: usize, arguments: &[Option<Node>], cx: &mut Context<'_>) -> Result<Value> {
        self.step(at)?;
        let Some(function) = self.program.functions.get(number) else {
            return Err(self.fault(at, "the function is gone"));
        };
        let mut locals = Vec::with_capacity(function.locals);
        for (argument, (_, default)) in arguments.iter().zip(&function.parameters) {
            locals.push(match argument {
                Some(argument) => Some(self.eval(argument, cx)?),
                None => default.clone(),
            });
        }
        locals.resize(function.locals, None);
        let entered = self.budget.enter();
        self.at(at, entered)?;
        let mut inner = Frame {
            program: self.program,
            file: &function.file,
            locals,
            budget: self.budget,
        };
        let flow = inner.block(&function.body, cx);
        self.budget.leave();
        match flow? {
            Flow::Return(value) => Ok(value),
            _ => Ok(Value::Nil),
        }
    }

    fn comprehension(&mut self, at: At, comprehension: &Comprehension, cx: &mut Context<'_>) -> Result<Value> {
        if comprehension.key.is_some() {
            let mut map = crate::Map::new();
            self.clauses(at, comprehension, &comprehension.clauses, cx, &mut |key, value| {
                map.insert(key, value);
            })?;
            return Ok(map.into());
        }
        let mut list = Vec::new();
        self.clauses(at, comprehension, &comprehension.clauses, cx, &mut |_, value| {
            list.push(value);
        })?;
        Ok(list.into())
    }

    fn clauses(
        &mut self,
        at: At,
        comprehension: &Comprehension,
        clauses: &[Clause],
        cx: &mut Context<'_>,
        push: &mut dyn FnMut(Value, Value),
    ) -> Result<()> {
        match clauses.split_first() {
            None => {
                self.step(at)?;
                let made = self.budget.make_items(1);
                self.at(at, made)?;
                let key = match &comprehension.key {
                    Some(key) => self.eval(key, cx)?,
                    None => Value::Nil,
                };
                let value = self.eval(&comprehension.item, cx)?;
                push(key, value);
                Ok(())
            }
            Some((Clause::If(condition), rest)) => {
                if self.test(condition, cx)? {
                    self.clauses(at, comprehension, rest, cx, push)?;
                }
                Ok(())
            }
            Some((Clause::For(target, over), rest)) => {
                for item in self.items(over, cx)?.iter() {
                    self.step(at)?;
                    self.assign(target, item.clone(), cx)?;
                    self.clauses(at, comprehension, rest, cx, push)?;
                }
                Ok(())
            }
        }
    }
}

fn milliseconds(time: std::time::Duration) -> Value {
    Value::Int(i64::try_from(time.as_millis()).unwrap_or(i64::MAX))
}
