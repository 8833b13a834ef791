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
        let Some(first) = body.first() else {
            return Ok(Flow::Next);
        };
        self.nest(first.at)?;
        let mut flow = Flow::Next;
        for statement in body {
            self.step(statement.at)?;
            flow = self.statement(statement, cx)?;
            if !matches!(flow, Flow::Next) {
                break;
            }
        }
        self.budget.unnest();
        Ok(flow)
    }

    fn statement(&mut self, statement: &Stmt, cx: &mut Context<'_>) -> Result<Flow> {
        let at = statement.at;
        match &statement.kind {
            StmtKind::Pass => Ok(Flow::Next),
            StmtKind::Break => Ok(Flow::Break),
            StmtKind::Continue => Ok(Flow::Continue),
            StmtKind::Return(None) => Ok(Flow::Return(Value::Nil)),
            StmtKind::Return(Some(value)) => self.eval(value, cx).map(Flow::Return),
            StmtKind::Expression(value) => self.eval(value, cx).map(|_| Flow::Next),
            StmtKind::Assign(targets, value) => self.assign_all(targets, value, cx),
            StmtKind::Augment(place, operator, value) => self.augment(at, place, *operator, value, cx),
            StmtKind::DeleteIndex(of, index) => self.delete(of, index, cx),
            StmtKind::DeleteSlice(of, parts) => self.delete_slice(of, parts, cx),
            StmtKind::Assert(condition, message) => self.assert(at, condition, message.as_ref(), cx),
            StmtKind::If(branches, otherwise) => self.branch(branches, otherwise, cx),
            StmtKind::While(condition, body, otherwise) => self.repeat(at, condition, body, otherwise, cx),
            StmtKind::For(target, over, body, otherwise) => match self.each(at, target, over, body, cx)? {
                Flow::Next => self.block(otherwise, cx),
                Flow::Break => Ok(Flow::Next),
                flow => Ok(flow),
            },
        }
    }

    fn assign_all(&mut self, targets: &[Target], value: &Node, cx: &mut Context<'_>) -> Result<Flow> {
        let value = self.eval(value, cx)?;
        if let Some((last, others)) = targets.split_last() {
            for target in others {
                self.assign(target, value.clone(), cx)?;
            }
            self.assign(last, value, cx)?;
        }
        Ok(Flow::Next)
    }

    fn delete(&mut self, of: &Node, index: &Node, cx: &mut Context<'_>) -> Result<Flow> {
        let index = self.index(index, cx)?;
        self.change(of, cx, &mut |value, budget| ops::delete_index(value, &index, budget))?;
        Ok(Flow::Next)
    }

    fn delete_slice(&mut self, of: &Node, parts: &[Option<Node>; 3], cx: &mut Context<'_>) -> Result<Flow> {
        let bounds = self.bounds(parts, cx)?;
        self.change(of, cx, &mut |value, budget| {
            ops::set_slice(value, &bounds, None, budget)
        })?;
        Ok(Flow::Next)
    }

    fn assert(&mut self, at: At, condition: &Node, message: Option<&Node>, cx: &mut Context<'_>) -> Result<Flow> {
        if self.test(condition, cx)? {
            return Ok(Flow::Next);
        }
        let message = match message {
            Some(message) => {
                let message = self.eval(message, cx)?;
                let text = format::text(&message, self.budget);
                self.at(at, text)?
            }
            None => "an assertion failed".to_owned(),
        };
        Err(self.fault(at, message))
    }

    fn branch(&mut self, branches: &[(Node, Vec<Stmt>)], otherwise: &[Stmt], cx: &mut Context<'_>) -> Result<Flow> {
        for (condition, body) in branches {
            if self.test(condition, cx)? {
                return self.block(body, cx);
            }
        }
        self.block(otherwise, cx)
    }

    fn repeat(
        &mut self,
        at: At,
        condition: &Node,
        body: &[Stmt],
        otherwise: &[Stmt],
        cx: &mut Context<'_>,
    ) -> Result<Flow> {
        while self.test(condition, cx)? {
            self.step(at)?;
            match self.block(body, cx)? {
                Flow::Next | Flow::Continue => {}
                Flow::Break => return Ok(Flow::Next),
                flow @ Flow::Return(_) => return Ok(flow),
            }
        }
        self.block(otherwise, cx)
    }

    fn augment(&mut self, at: At, place: &Node, operator: Binary, value: &Node, cx: &mut Context<'_>) -> Result<Flow> {
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
                    Ok(Flow::Next)
                }
                None => Err(self.fault(at, ops::TOO_LARGE)),
            };
        }
        self.change(place, cx, &mut |current, budget| {
            ops::augment(operator, current, &value, budget)
        })?;
        Ok(Flow::Next)
    }

    /// Runs the body for each item: `Break` says that it was broken off.
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
                    Flow::Break => return Ok(Flow::Break),
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
                Flow::Break => return Ok(Flow::Break),
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
                let index = self.index(index, cx)?;
                let mut value = Some(value);
                self.change(of, cx, &mut |place, budget| {
                    ops::set_index(place, &index, value.take().unwrap_or_default(), budget)
                })?;
            }
            Target::Slice(of, parts) => {
                let bounds = self.bounds(parts, cx)?;
                self.change(of, cx, &mut |place, budget| {
                    ops::set_slice(place, &bounds, Some(&value), budget)
                })?;
            }
            Target::Tuple(targets, at) => match value.items() {
                Some(items) => self.assign_each(targets, items, *at, cx)?,
                None => {
                    let items = ops::items(&value, self.budget);
                    self.assign_each(targets, &self.at(*at, items)?, *at, cx)?;
                }
            },
        }
        Ok(())
    }

    fn assign_each(&mut self, targets: &[Target], items: &[Value], at: At, cx: &mut Context<'_>) -> Result<()> {
        if items.len() != targets.len() {
            let message = format!("{} values for {} targets", items.len(), targets.len());
            return Err(self.fault(at, message));
        }
        for (target, item) in targets.iter().zip(items) {
            self.assign(target, item.clone(), cx)?;
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
                let index = self.index(index, cx)?;
                self.change(of, cx, &mut |value, budget| {
                    change(ops::index_mut(value, &index, budget)?, budget)
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
                    let key = values.first().unwrap_or(&Value::Nil);
                    change(ops::index_mut(value, key, budget)?, budget)
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
