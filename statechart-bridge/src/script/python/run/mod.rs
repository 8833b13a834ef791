//! Runs compiled code.

mod calls;
mod statements;
use std::sync::Arc;

use super::ast::{Binary, Compare};
use super::budget::Budget;
use super::code::{Clock, Node, Op, Program};
use super::functions::{self};
use super::lexer::At;
use super::methods::Arguments;
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
}

fn milliseconds(time: std::time::Duration) -> Value {
    Value::Int(i64::try_from(time.as_millis()).unwrap_or(i64::MAX))
}
