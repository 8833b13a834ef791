//! Runs compiled code.

mod calls;
mod keyed;
mod statements;

use std::ops::Deref;
use std::sync::Arc;

use super::ast::{Binary, Compare, Unary};
use super::budget::Budget;
use super::code::{Clock, Node, Op, Program};
use super::functions::{self};
use super::lexer::At;
use super::ops;
use crate::{Context, Fault, Value};

type Result<T> = std::result::Result<T, Fault>;

/// What a running piece of code has.
pub(super) struct Frame<'a> {
    pub(super) program: &'a Program,
    pub(super) file: &'a Arc<str>,
    pub(super) locals: Vec<Option<Value>>,
    pub(super) budget: &'a mut Budget,
}

/// The values of arguments: without a list as long as they are few.
enum Values {
    Few([Value; FEW], usize),
    Many(Vec<Value>),
}

const FEW: usize = 3;

impl Deref for Values {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        match self {
            Self::Few(values, count) => &values[..*count],
            Self::Many(values) => values,
        }
    }
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

    /// Goes into an expression or a block; whoever calls comes out of it by [`Budget::unnest`]. An error ends all anyway.
    #[inline]
    fn nest(&mut self, at: At) -> Result<()> {
        let result = self.budget.nest();
        self.at(at, result)
    }

    /// A value becomes a part of another.
    #[inline]
    fn admit(&mut self, at: At, value: &Value) -> Result<()> {
        let result = self.budget.admit(value);
        self.at(at, result)
    }

    /// The value of an index or a key.
    fn index(&mut self, node: &Node, cx: &mut Context<'_>) -> Result<Value> {
        let index = self.eval(node, cx)?;
        if let Value::Tuple(_) = index {
            let result = ops::key(&index, self.budget);
            self.at(node.at, result)?;
        }
        Ok(index)
    }

    fn items(&mut self, over: &Node, cx: &mut Context<'_>) -> Result<Arc<Vec<Value>>> {
        let value = self.eval(over, cx)?;
        let items = ops::items(&value, self.budget);
        self.at(over.at, items)
    }

    fn all(&mut self, nodes: &[Node], cx: &mut Context<'_>) -> Result<Values> {
        if nodes.len() > FEW {
            return self.list(nodes, cx).map(Values::Many);
        }
        let mut values = [const { Value::Nil }; FEW];
        for (value, node) in values.iter_mut().zip(nodes) {
            *value = self.eval(node, cx)?;
        }
        Ok(Values::Few(values, nodes.len()))
    }

    fn list(&mut self, nodes: &[Node], cx: &mut Context<'_>) -> Result<Vec<Value>> {
        let mut values = Vec::with_capacity(nodes.len());
        for node in nodes {
            values.push(self.eval(node, cx)?);
        }
        Ok(values)
    }

    /// The items of a new list.
    fn parts(&mut self, at: At, nodes: &[Node], cx: &mut Context<'_>) -> Result<Vec<Value>> {
        let made = self.budget.make_items(nodes.len());
        self.at(at, made)?;
        let values = self.list(nodes, cx)?;
        for value in &values {
            self.admit(at, value)?;
        }
        Ok(values)
    }

    fn bounds(&mut self, parts: &[Option<Node>; 3], cx: &mut Context<'_>) -> Result<[Option<Value>; 3]> {
        let mut bounds = [None, None, None];
        for (bound, part) in bounds.iter_mut().zip(parts) {
            if let Some(part) = part {
                *bound = Some(self.eval(part, cx)?);
            }
        }
        Ok(bounds)
    }

    fn named(&mut self, nodes: &[(Arc<str>, Node)], cx: &mut Context<'_>) -> Result<Vec<(Arc<str>, Value)>> {
        let mut values = Vec::new();
        for (name, node) in nodes {
            values.push((Arc::clone(name), self.eval(node, cx)?));
        }
        Ok(values)
    }

    #[cold]
    fn no_attribute(&self, at: At, name: &str, cx: &Context<'_>) -> Fault {
        self.fault(at, format!("class {} has no attribute `{name}`", cx.class()))
    }

    /// A value that needs no computing.
    #[inline]
    fn peek<'f>(locals: &'f [Option<Value>], node: &'f Node, cx: &'f Context<'_>) -> Option<&'f Value> {
        match &node.op {
            Op::Const(value) => Some(value),
            Op::Parameter(index) => Some(cx.parameter(*index)),
            Op::Attribute(key, _) => cx.get(*key),
            Op::Local(slot, _) => locals.get(*slot)?.as_ref(),
            _ => None,
        }
    }

    /// Whether a condition holds.
    #[inline]
    pub(super) fn test(&mut self, node: &Node, cx: &mut Context<'_>) -> Result<bool> {
        match &node.op {
            Op::Compare(operator, operands) => self.compare(node.at, *operator, &operands.0, &operands.1, cx),
            Op::And(operands) => {
                self.nest(node.at)?;
                let result = self.test(&operands.0, cx)? && self.test(&operands.1, cx)?;
                self.budget.unnest();
                Ok(result)
            }
            Op::Or(operands) => {
                self.nest(node.at)?;
                let result = self.test(&operands.0, cx)? || self.test(&operands.1, cx)?;
                self.budget.unnest();
                Ok(result)
            }
            Op::Unary(Unary::Not, inner) => {
                self.nest(node.at)?;
                let result = !self.test(inner, cx)?;
                self.budget.unnest();
                Ok(result)
            }
            Op::InState(references) => {
                for reference in references {
                    let active = cx.in_state(reference);
                    if !active.map_err(|fault| fault.at(node.at.place(self.file)))? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            _ => match Self::peek(&self.locals, node, cx) {
                Some(value) => Ok(value.is_true()),
                None => Ok(self.eval(node, cx)?.is_true()),
            },
        }
    }

    fn compare(&mut self, at: At, operator: Compare, a: &Node, b: &Node, cx: &mut Context<'_>) -> Result<bool> {
        if let (Some(a), Some(b)) = (Self::peek(&self.locals, a, cx), Self::peek(&self.locals, b, cx))
            && let Some(result) = ops::compare_simple(operator, a, b, self.budget)
        {
            return self.at(at, result);
        }
        let a = self.eval(a, cx)?;
        if let Some(b) = Self::peek(&self.locals, b, cx)
            && let Some(result) = ops::compare_simple(operator, &a, b, self.budget)
        {
            return self.at(at, result);
        }
        let b = self.eval(b, cx)?;
        let result = ops::compare(operator, &a, &b, self.budget);
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
            Op::Builtin(functions::Function::Len, arguments, named)
                if let ([of], []) = (&arguments[..], &named[..])
                    && let Some(of) = Self::peek(&self.locals, of, cx) =>
            {
                let length = self.budget.step().and_then(|()| ops::length(of, self.budget));
                self.at(node.at, length).map(Value::from)
            }
            _ => {
                self.nest(node.at)?;
                let value = self.compute(node, cx)?;
                self.budget.unnest();
                Ok(value)
            }
        }
    }

    /// The value of what has others inside. Each kind has a function of its own, so that this one, which calls itself by
    /// way of them, takes little stack.
    fn compute(&mut self, node: &Node, cx: &mut Context<'_>) -> Result<Value> {
        let at = node.at;
        match &node.op {
            Op::Compare(..) | Op::Unary(Unary::Not, _) | Op::InState(_) => self.test(node, cx).map(Value::Bool),
            Op::Binary(operator, operands) => self.binary(at, *operator, &operands.0, &operands.1, cx),
            Op::And(operands) => self.and(&operands.0, &operands.1, cx),
            Op::Or(operands) => self.or(&operands.0, &operands.1, cx),
            Op::If(parts) => {
                let (condition, then, otherwise) = &**parts;
                let chosen = if self.test(condition, cx)? { then } else { otherwise };
                self.eval(chosen, cx)
            }
            Op::Index(of_and_index) => self.item(at, &of_and_index.0, &of_and_index.1, cx),
            Op::Slice(of, parts) => self.slice(at, of, parts, cx),
            Op::Unary(operator, inner) => self.unary(at, *operator, inner, cx),
            Op::CompareChain(first, rest) => self.chain(at, first, rest, cx).map(Value::Bool),
            Op::List(items) => self.parts(at, items, cx).map(Value::from),
            Op::Tuple(items) => self.parts(at, items, cx).map(Value::tuple),
            Op::Dict(pairs) => self.dict(at, pairs, cx),
            Op::Comprehension(comprehension) => self.comprehension(at, comprehension, cx),
            Op::Format(pieces) => self.format(at, pieces, cx),
            Op::Builtin(function, arguments, named) => self.builtin(at, *function, arguments, named, cx),
            Op::Function(number, arguments) => self.function(at, *number, arguments, cx),
            Op::OwnMethod(name, arguments) => self.own_method(at, name, arguments, cx),
            Op::Method(of, method, arguments, named) => self.method(at, of, *method, arguments, named, cx),
            Op::Keyed(keyed) => self.keyed(at, keyed, cx),
            Op::IsInstance(value, types) => self.is_instance(value, types, cx),
            Op::HasAttribute(name) => Ok((cx.find(name).is_some() || cx.has_method(name)).into()),
            Op::Time(clock) => Ok(time(*clock, cx)),
            // These need no computing.
            Op::Const(_) | Op::Parameter(_) | Op::Local(..) | Op::Attribute(..) => self.eval(node, cx),
        }
    }

    fn binary(&mut self, at: At, operator: Binary, a: &Node, b: &Node, cx: &mut Context<'_>) -> Result<Value> {
        if operator == Binary::Add && matches!(a.op, Op::Binary(Binary::Add, _)) {
            return self.sum(at, a, b, cx);
        }
        let a = self.eval(a, cx)?;
        let b = self.eval(b, cx)?;
        let result = ops::binary(operator, &a, &b, self.budget);
        self.at(at, result)
    }

    /// The sum of three or more. Texts are put together at once: each in between would be made to be thrown away.
    fn sum(&mut self, at: At, a: &Node, b: &Node, cx: &mut Context<'_>) -> Result<Value> {
        let mut terms = vec![(at, b)];
        let mut first = a;
        while let Op::Binary(Binary::Add, operands) = &first.op {
            terms.push((first.at, &operands.1));
            first = &operands.0;
        }
        let mut sum = self.eval(first, cx)?;
        // What is to be put behind the sum, if that is text.
        let mut text = String::new();
        while let Some((at, term)) = terms.pop() {
            let term = self.eval(term, cx)?;
            if let (Value::Str(start), Value::Str(more)) = (&sum, &term) {
                let made = self
                    .budget
                    .make(more.len() + if text.is_empty() { start.len() } else { 0 });
                self.at(at, made)?;
                if text.is_empty() {
                    // With a little room for what follows.
                    text.reserve(start.len() + more.len() + 256);
                    text.push_str(start);
                }
                text.push_str(more);
                continue;
            }
            if !text.is_empty() {
                sum = std::mem::take(&mut text).into();
            }
            let result = ops::binary(Binary::Add, &sum, &term, self.budget);
            sum = self.at(at, result)?;
        }
        Ok(if text.is_empty() { sum } else { text.into() })
    }

    fn and(&mut self, a: &Node, b: &Node, cx: &mut Context<'_>) -> Result<Value> {
        let left = self.eval(a, cx)?;
        if left.is_true() { self.eval(b, cx) } else { Ok(left) }
    }

    fn or(&mut self, a: &Node, b: &Node, cx: &mut Context<'_>) -> Result<Value> {
        let left = self.eval(a, cx)?;
        if left.is_true() { Ok(left) } else { self.eval(b, cx) }
    }

    fn item(&mut self, at: At, of: &Node, index: &Node, cx: &mut Context<'_>) -> Result<Value> {
        let index = self.index(index, cx)?;
        let result = match Self::peek(&self.locals, of, cx) {
            Some(of) => ops::index(of, &index, self.budget),
            None => {
                let of = self.eval(of, cx)?;
                ops::index(&of, &index, self.budget)
            }
        };
        self.at(at, result)
    }

    fn slice(&mut self, at: At, of: &Node, parts: &[Option<Node>; 3], cx: &mut Context<'_>) -> Result<Value> {
        let of = self.eval(of, cx)?;
        let bounds = self.bounds(parts, cx)?;
        let result = ops::slice(&of, &bounds, self.budget);
        self.at(at, result)
    }

    fn unary(&mut self, at: At, operator: Unary, inner: &Node, cx: &mut Context<'_>) -> Result<Value> {
        let value = self.eval(inner, cx)?;
        self.at(at, ops::unary(operator, &value))
    }

    fn chain(&mut self, at: At, first: &Node, rest: &[(Compare, Node)], cx: &mut Context<'_>) -> Result<bool> {
        let mut left = self.eval(first, cx)?;
        for (operator, right) in rest {
            let right = self.eval(right, cx)?;
            let result = ops::compare(*operator, &left, &right, self.budget);
            if !self.at(at, result)? {
                return Ok(false);
            }
            left = right;
        }
        Ok(true)
    }

    fn dict(&mut self, at: At, pairs: &[(Node, Node)], cx: &mut Context<'_>) -> Result<Value> {
        let made = self.budget.make_items(pairs.len());
        self.at(at, made)?;
        let mut map = crate::Map::with_capacity(pairs.len());
        for (key, value) in pairs {
            let key_at = key.at;
            let (key, value) = (self.eval(key, cx)?, self.eval(value, cx)?);
            let result = ops::key(&key, self.budget);
            self.at(key_at, result)?;
            self.admit(at, &value)?;
            map.insert(key, value);
        }
        Ok(map.into())
    }

    fn is_instance(&mut self, value: &Node, types: &[&str], cx: &mut Context<'_>) -> Result<Value> {
        let value = self.eval(value, cx)?;
        let name = functions::type_of(&value);
        // A truth value is a number too.
        let number = name == "bool" && types.contains(&"int");
        Ok(Value::Bool(number || types.contains(&name)))
    }
}

fn time(clock: Clock, cx: &Context<'_>) -> Value {
    let milliseconds = |time: std::time::Duration| Value::Int(i64::try_from(time.as_millis()).unwrap_or(i64::MAX));
    match clock {
        Clock::Behind => Value::Float(cx.behind().as_secs_f64()),
        Clock::Simulated => milliseconds(cx.now()),
        Clock::Wall => milliseconds(cx.now().saturating_add(cx.behind())),
    }
}
