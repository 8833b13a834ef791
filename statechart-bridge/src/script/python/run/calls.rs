//! Calls, comprehensions and format texts.

use std::sync::Arc;

use super::{Flow, Frame, Result};
use crate::script::python::code::{Clause, Comprehension, FormatPiece, Node};
use crate::script::python::format;
use crate::script::python::functions::{self, Function};
use crate::script::python::lexer::At;
use crate::script::python::methods::{self, Arguments, Method};
use crate::script::python::ops;
use crate::{Context, Value};

impl Frame<'_> {
    pub(super) fn builtin(
        &mut self,
        at: At,
        function: Function,
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
        let result = functions::call(function, &arguments, cx, self.budget);
        self.at(at, result)
    }

    pub(super) fn own_method(&mut self, at: At, name: &str, arguments: &[Node], cx: &mut Context<'_>) -> Result<Value> {
        self.step(at)?;
        let values = self.all(arguments, cx)?;
        let result = self.budget.lend(|| cx.call(name, &values));
        result.map_err(|fault| fault.at(at.place(self.file)))
    }

    pub(super) fn method(
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
        let result = match Self::peek(&self.locals, of, cx) {
            Some(of) => methods::call(of, method, &arguments, self.budget),
            None => {
                let of = self.eval(of, cx)?;
                methods::call(&of, method, &arguments, self.budget)
            }
        };
        self.at(at, result)
    }

    pub(super) fn format(&mut self, at: At, pieces: &[FormatPiece], cx: &mut Context<'_>) -> Result<Value> {
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

    pub(super) fn function(
        &mut self,
        at: At,
        number: usize,
        arguments: &[Option<Node>],
        cx: &mut Context<'_>,
    ) -> Result<Value> {
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

    pub(super) fn comprehension(
        &mut self,
        at: At,
        comprehension: &Comprehension,
        cx: &mut Context<'_>,
    ) -> Result<Value> {
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
                let result = ops::key(&key, self.budget);
                self.at(at, result)?;
                self.admit(at, &value)?;
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
