//! Statements, and what they assign to.

use std::sync::Arc;

use super::{Compiler, Global, Result, no_module};
use crate::script::python::ast::{self, Binary, Expr, Kind, StmtKind as Written};
use crate::script::python::code::{Node, Op, Stmt, StmtKind, Target};
use crate::script::python::lexer::At;
use crate::{Key, Value};

impl Compiler<'_> {
    pub(super) fn block(&mut self, statements: &[ast::Stmt]) -> Result<Vec<Stmt>> {
        statements.iter().map(|statement| self.statement(statement)).collect()
    }

    fn in_loop(&mut self, body: &[ast::Stmt]) -> Result<Vec<Stmt>> {
        self.loops += 1;
        let body = self.block(body);
        self.loops -= 1;
        body
    }

    fn statement(&mut self, statement: &ast::Stmt) -> Result<Stmt> {
        let kind = self.kind(statement)?;
        let at = statement.at;
        Ok(Stmt { at, kind })
    }

    /// As with expressions, each kind has a function of its own.
    fn kind(&mut self, statement: &ast::Stmt) -> Result<StmtKind> {
        let at = statement.at;
        match &statement.kind {
            Written::Pass => Ok(StmtKind::Pass),
            Written::Break | Written::Continue if self.loops == 0 => self.refuse(at, "there is no loop around"),
            Written::Break => Ok(StmtKind::Break),
            Written::Continue => Ok(StmtKind::Continue),
            Written::Return(None) => Ok(StmtKind::Return(None)),
            Written::Return(Some(value)) => self.expression(value).map(|value| StmtKind::Return(Some(value))),
            Written::Expression(value) => self.expression(value).map(StmtKind::Expression),
            Written::Assign(targets, value) => self.assignment(targets, value),
            Written::Augment(target, operator, value) => self.augmented(target, *operator, value),
            Written::Delete(targets) => self.deletion(targets, at),
            Written::Assert(condition, message) => self.assertion(condition, message.as_ref()),
            Written::If(branches, otherwise) => self.branches(branches, otherwise),
            Written::While(condition, body, otherwise) => self.repetition(condition, body, otherwise),
            Written::For(target, over, body, otherwise) => self.each(target, over, body, otherwise),
            Written::Def(..) => self.refuse(
                at,
                "a function in an action: write it in `top`, or as a method of the class",
            ),
            Written::Import(modules) => {
                let unknown = modules
                    .iter()
                    .find(|(module, used)| **module != *"math" || used != module);
                match unknown {
                    Some((module, _)) => self.refuse(at, &no_module(module)),
                    None => Ok(StmtKind::Pass),
                }
            }
            Written::From(..) => self.refuse(at, "`from … import` in an action: write it in `top`"),
        }
    }

    fn refuse(&self, at: At, what: &str) -> Result<StmtKind> {
        Err(self.wrong(at, what))
    }

    fn assignment(&mut self, targets: &[ast::Target], value: &Expr) -> Result<StmtKind> {
        let shared = targets.len() > 1 || self.is_shared(value);
        let node = self.expression(value)?;
        self.stored(value);
        let targets = targets.iter().map(|target| self.target(target, shared));
        Ok(StmtKind::Assign(targets.collect::<Result<_>>()?, node))
    }

    fn augmented(&mut self, target: &ast::Target, operator: Binary, value: &Expr) -> Result<StmtKind> {
        let value = self.expression(value)?;
        Ok(StmtKind::Augment(self.place(target)?, operator, value))
    }

    fn assertion(&mut self, condition: &Expr, message: Option<&Expr>) -> Result<StmtKind> {
        let condition = self.expression(condition)?;
        let message = message.map(|message| self.expression(message)).transpose()?;
        Ok(StmtKind::Assert(condition, message))
    }

    fn branches(&mut self, branches: &[(Expr, Vec<ast::Stmt>)], otherwise: &[ast::Stmt]) -> Result<StmtKind> {
        let mut compiled = Vec::new();
        for (condition, body) in branches {
            compiled.push((self.expression(condition)?, self.block(body)?));
        }
        Ok(StmtKind::If(compiled, self.block(otherwise)?))
    }

    fn repetition(&mut self, condition: &Expr, body: &[ast::Stmt], otherwise: &[ast::Stmt]) -> Result<StmtKind> {
        let condition = self.expression(condition)?;
        Ok(StmtKind::While(condition, self.in_loop(body)?, self.block(otherwise)?))
    }

    fn each(
        &mut self,
        target: &ast::Target,
        over: &Expr,
        body: &[ast::Stmt],
        otherwise: &[ast::Stmt],
    ) -> Result<StmtKind> {
        let over = self.expression(over)?;
        let target = self.target(target, true)?;
        Ok(StmtKind::For(target, over, self.in_loop(body)?, self.block(otherwise)?))
    }

    fn deletion(&mut self, targets: &[ast::Target], at: At) -> Result<StmtKind> {
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
                ast::Target::Slice(of, parts, at) => {
                    self.changed(of, *at)?;
                    let of = self.expression(of)?;
                    let at = *at;
                    let kind = StmtKind::DeleteSlice(of, Box::new(self.parts(parts)?));
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
        Ok(StmtKind::If(vec![(always, deletions)], Vec::new()))
    }

    pub(super) fn target(&mut self, target: &ast::Target, shared: bool) -> Result<Target> {
        Ok(match target {
            ast::Target::Name(name, at) => {
                self.assignable(name, *at)?;
                if self.is_bare_attribute(name) {
                    return Ok(Target::Attribute(self.assigned_key(name)));
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
                Target::Attribute(self.assigned_key(name))
            }
            ast::Target::Index(of, index, at) => {
                self.changed(of, *at)?;
                let (of, index) = (self.expression(of)?, self.expression(index)?);
                Target::Index(Box::new((of, index)))
            }
            ast::Target::Slice(of, parts, at) => {
                self.changed(of, *at)?;
                Target::Slice(Box::new(self.expression(of)?), Box::new(self.parts(parts)?))
            }
            ast::Target::Tuple(targets, at) => {
                let targets = targets.iter().map(|target| self.target(target, true));
                Target::Tuple(targets.collect::<Result<_>>()?, *at)
            }
        })
    }

    /// A target that is changed where it is.
    pub(super) fn place(&mut self, target: &ast::Target) -> Result<Node> {
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
            ast::Target::Slice(_, _, at) => {
                return Err(self.wrong(*at, "a slice can't be changed by an operator: assign to it"));
            }
            ast::Target::Tuple(_, at) => return Err(self.wrong(*at, "several targets: expected one")),
        };
        let place = self.expression(&Expr { at, kind })?;
        if let Op::Attribute(key, _) = &place.op {
            self.assigns.push(*key);
        }
        Ok(place)
    }

    fn assigned_key(&mut self, name: &str) -> Key {
        let key = self.builder.key(name);
        self.assigns.push(key);
        key
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
}
