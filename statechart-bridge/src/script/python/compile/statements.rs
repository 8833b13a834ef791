//! Statements, and what they assign to.

use std::sync::Arc;

use super::{Compiler, Global, Result, no_module};
use crate::Value;
use crate::script::python::ast::{self, Expr, Kind, StmtKind as Written};
use crate::script::python::code::{Node, Op, Stmt, StmtKind, Target};
use crate::script::python::lexer::At;

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

    pub(super) fn target(&mut self, target: &ast::Target, shared: bool) -> Result<Target> {
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
}
