//! Statements.

use super::{Flow, Frame, Result};
use crate::script::python::ast::Binary;
use crate::script::python::budget::Budget;
use crate::script::python::code::{Node, Op, Stmt, StmtKind, Target};
use crate::script::python::functions::{self, Function};
use crate::script::python::lexer::At;
use crate::script::python::methods::{self, Arguments, Method};
use crate::script::python::{format, ops};
use crate::{Context, Value};

impl Frame<'_> {
    pub(in crate::script::python) fn block(&mut self, body: &[Stmt], cx: &mut Context<'_>) -> Result<Flow> {
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

    pub(super) fn assign(&mut self, target: &Target, value: Value, cx: &mut Context<'_>) -> Result<()> {
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
    pub(super) fn change(
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
}
