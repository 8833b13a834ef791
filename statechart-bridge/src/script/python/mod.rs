//! The action language of model files: a subset of Python, compiled to slots.
//!
//! Code is compiled when the model is loaded: names become slots, attributes keys, and what can't run is told then, with
//! its place. It works on the engine's values, without copies in and out, and can reach nothing but its instance.
//!
//! Besides Python 3 it knows bytes that go together with text (received data can be added to a text, split, searched and
//! cut), Python 2's `print x`, `xrange`, and `has_key`, and of SCCD `self`, `SELF`, `INSTATE`, `sccd_yield()`,
//! `self.getSimulatedTime()`.
//!
//! Less than Python: no classes, exceptions, generators, sets, `*arguments`, functions as values, and no modules but
//! `math`. Lists and dicts are values: code that would see a difference is refused when it is loaded, as far as that can be
//! told. Whole numbers have 64 bits; more is an error.

mod ast;
mod budget;
mod code;
mod compile;
mod format;
mod functions;
mod lexer;
mod methods;
mod numbers;
mod ops;
mod parser;
mod run;

use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) use budget::Budget;
use code::{Function, Node, Op, Program, Stmt};
use compile::{Compiler, Global, Globals};
use lexer::At;
use run::{Flow, Frame};

use super::{Code, Context, Expression, Fault, Key, Script};
use crate::model::ModelBuilder;
use crate::{Place, Problem, Value};

/// The language with the names of one model's `top`.
#[derive(Debug, Default)]
pub(crate) struct Language {
    program: Arc<Program>,
    globals: Globals,
}

fn start(place: &Place) -> At {
    At {
        line: place.line.max(1),
        column: place.column.max(1),
    }
}

impl Language {
    /// The language with these constants and functions. Imports of what isn't there are told as warnings: only their use
    /// is an error.
    pub(crate) fn new(top: Option<(&str, &Place)>, builder: &mut ModelBuilder) -> Result<Self, Problem> {
        let Some((text, place)) = top else {
            return Ok(Self::default());
        };
        let file = &place.file;
        let wrong = |at: At, what: String| Problem::new(at.place(file), "", what);
        let statements = parser::statements(text, file, start(place))?;
        let mut globals = Globals::new();
        let mut definitions = Vec::new();
        // Functions first: they may call each other.
        for statement in &statements {
            if let ast::StmtKind::Def(name, parameters, body) = &statement.kind {
                let least = parameters.iter().take_while(|(_, default)| default.is_none()).count();
                if parameters.iter().skip(least).any(|(_, default)| default.is_none()) {
                    let message = format!("{name}: a parameter without default behind one with a default");
                    return Err(wrong(statement.at, message));
                }
                let names = parameters.iter().map(|(name, _)| Arc::clone(name)).collect();
                let global = Global::Function(definitions.len(), names, least);
                globals.insert(Arc::clone(name), global);
                definitions.push((parameters, body));
            }
        }
        for statement in &statements {
            match &statement.kind {
                ast::StmtKind::Pass | ast::StmtKind::Def(..) => {}
                // A text alone is a comment.
                ast::StmtKind::Expression(ast::Expr {
                    kind: ast::Kind::Value(_),
                    ..
                }) => {}
                ast::StmtKind::Import(modules) => {
                    for (module, name) in modules {
                        if &**module != "math" {
                            let what = format!("the module `{module}` is not there: code that uses it is refused");
                            builder.warn(statement.at.place(file), "top", what);
                        }
                        globals.insert(Arc::clone(name), Global::Module(Arc::clone(module)));
                    }
                }
                ast::StmtKind::From(module, names) => {
                    for (name, used) in names {
                        let constant = functions::constant(module, name);
                        let function = functions::Function::find(&format!("{module}.{name}"));
                        let global = match (constant, function) {
                            (Some(value), _) => Global::Value(value),
                            (_, Some(function)) => Global::Builtin(function),
                            _ => {
                                let what =
                                    format!("the module `{module}` has no `{name}` here: code that uses it is refused");
                                builder.warn(statement.at.place(file), "top", what);
                                continue;
                            }
                        };
                        globals.insert(Arc::clone(used), global);
                    }
                }
                ast::StmtKind::Assign(targets, value) => {
                    let node = Compiler::new(builder, file, &globals, &[]).expression(value)?;
                    let Some(value) = compile::constant(&node) else {
                        return Err(wrong(node.at, "expected a constant".to_owned()));
                    };
                    for target in targets {
                        match target {
                            ast::Target::Name(name, _) => {
                                globals.insert(Arc::clone(name), Global::Value(value.clone()));
                            }
                            _ => return Err(wrong(statement.at, "expected a name".to_owned())),
                        }
                    }
                }
                _ => {
                    let message = "in `top` stand constants, functions and imports, nothing that acts";
                    return Err(wrong(statement.at, message.to_owned()));
                }
            }
        }
        let mut functions = Vec::new();
        for (parameters, body) in definitions {
            let mut compiler = Compiler::new(builder, file, &globals, &[]);
            compiler.in_function = true;
            let mut compiled = Vec::new();
            for (name, default) in parameters {
                let slot = compiler.local(name);
                compiler.share(slot);
                let default = match default {
                    None => None,
                    Some(default) => {
                        let node = compiler.expression(default)?;
                        let value = compile::constant(&node);
                        Some(value.ok_or_else(|| wrong(node.at, "expected a constant".to_owned()))?)
                    }
                };
                compiled.push((Arc::clone(name), default));
            }
            let body = compiler.body(body)?;
            functions.push(Function {
                parameters: compiled,
                file: Arc::clone(file),
                locals: compiler.locals.len(),
                body,
            });
        }
        Ok(Self {
            program: Arc::new(Program { functions }),
            globals,
        })
    }

    /// Adds what SCXML has: attributes by their names alone, and `In` with the paths of the states.
    pub(crate) fn with_data<'a>(
        mut self,
        attributes: impl IntoIterator<Item = &'a Arc<str>>,
        paths: BTreeMap<Arc<str>, String>,
    ) -> Self {
        for name in attributes {
            self.globals.insert(Arc::clone(name), Global::Attribute);
        }
        self.globals.insert("In".into(), Global::InState(Arc::new(paths)));
        self
    }

    /// Compiles statements.
    pub(crate) fn action(
        &self,
        text: &str,
        place: &Place,
        parameters: &[Arc<str>],
        builder: &mut ModelBuilder,
    ) -> Result<Code, Problem> {
        let statements = parser::statements(text, &place.file, start(place))?;
        let mut compiler = Compiler::new(builder, &place.file, &self.globals, parameters);
        let body = Body::Block(compiler.body(&statements)?);
        Ok(self.code(body, compiler))
    }

    /// Compiles an expression.
    pub(crate) fn expression(
        &self,
        text: &str,
        place: &Place,
        parameters: &[Arc<str>],
        builder: &mut ModelBuilder,
    ) -> Result<Expression, Problem> {
        let written = parser::expression(text, &place.file, start(place))?;
        let mut compiler = Compiler::new(builder, &place.file, &self.globals, parameters);
        let node = compiler.expression(&written)?;
        // The engine does the simplest ones by itself.
        Ok(match node.op {
            Op::Const(value) => Expression::Value(value),
            Op::Parameter(index) => Expression::Parameter(index),
            Op::Attribute(_, name) => Expression::Attribute(name),
            _ => Expression::Code(self.code(Body::Expression(node), compiler)),
        })
    }

    /// Compiles a condition.
    pub(crate) fn condition(
        &self,
        text: &str,
        place: &Place,
        parameters: &[Arc<str>],
        builder: &mut ModelBuilder,
    ) -> Result<Code, Problem> {
        let written = parser::expression(text, &place.file, start(place))?;
        let mut compiler = Compiler::new(builder, &place.file, &self.globals, parameters);
        let node = compiler.expression(&written)?;
        Ok(self.code(Body::Expression(node), compiler))
    }

    /// The value of an expression without names.
    pub(crate) fn constant(&self, text: &str, place: &Place) -> Result<Value, Problem> {
        let mut builder = ModelBuilder::default();
        match self.expression(text, place, &[], &mut builder)? {
            Expression::Value(value) => Ok(value),
            _ => Err(Problem::new(
                place.clone(),
                "",
                format!("`{text}`: expected a constant"),
            )),
        }
    }

    fn code(&self, body: Body, compiler: Compiler<'_>) -> Code {
        Arc::new(Piece {
            program: Arc::clone(&self.program),
            file: Arc::clone(compiler.file),
            locals: compiler.locals.len(),
            copied: compiler.copied,
            references: compiler.references,
            assigns: compiler.assigns,
            acts: compiler.acts,
            body,
        })
    }
}

/// Does something for each of these, all of it on one budget.
pub(crate) fn for_each(items: &[Value], mut run: impl FnMut(usize, &Value) -> Result<(), Fault>) -> Result<(), Fault> {
    Budget::spend(|budget| {
        for (index, item) in items.iter().enumerate() {
            budget.step()?;
            budget.lend(|| run(index, item))?;
        }
        Ok(())
    })
}

/// A condition as its parts that are joined by `and`: which attributes are compared with which parameters.
pub(crate) fn same(text: &str, place: &Place, parameters: &[Arc<str>]) -> Option<(Arc<str>, usize)> {
    let written = parser::expression(text, &place.file, start(place)).ok()?;
    same_in(&written, parameters)
}

fn same_in(written: &ast::Expr, parameters: &[Arc<str>]) -> Option<(Arc<str>, usize)> {
    match &written.kind {
        ast::Kind::And(a, b) => same_in(a, parameters).or_else(|| same_in(b, parameters)),
        ast::Kind::Compare(a, rest) => {
            let [(ast::Compare::Equal, b)] = &rest[..] else {
                return None;
            };
            let pair = |own: &ast::Expr, given: &ast::Expr| match (&own.kind, &given.kind) {
                (ast::Kind::Attribute(of, name), ast::Kind::Name(parameter)) => {
                    let is_self = matches!(&of.kind, ast::Kind::Name(of) if matches!(&**of, "self" | "SELF"));
                    let index = parameters.iter().position(|known| known == parameter)?;
                    is_self.then(|| (Arc::clone(name), index))
                }
                _ => None,
            };
            pair(a, b).or_else(|| pair(b, a))
        }
        _ => None,
    }
}

/// A compiled piece of code.
struct Piece {
    program: Arc<Program>,
    file: Arc<str>,
    locals: usize,
    copied: Vec<(usize, usize)>,
    references: Vec<String>,
    assigns: Vec<Key>,
    acts: bool,
    body: Body,
}

enum Body {
    Block(Vec<Stmt>),
    Expression(Node),
}

impl Piece {
    #[inline]
    fn frame<'a>(&'a self, budget: &'a mut Budget, cx: &Context<'_>) -> Frame<'a> {
        let mut locals = Vec::new();
        if self.locals > 0 {
            locals.resize(self.locals, None);
        }
        for (parameter, slot) in &self.copied {
            if let Some(local) = locals.get_mut(*slot) {
                *local = Some(cx.parameter(*parameter).clone());
            }
        }
        Frame {
            program: &self.program,
            file: &self.file,
            locals,
            budget,
        }
    }
}

impl Script for Piece {
    fn run(&self, cx: &mut Context<'_>) -> Result<Value, Fault> {
        Budget::spend(|budget| {
            let mut frame = self.frame(budget, cx);
            match &self.body {
                Body::Expression(node) => frame.eval(node, cx),
                Body::Block(statements) => match frame.block(statements, cx)? {
                    Flow::Return(value) => Ok(value),
                    _ => Ok(Value::Nil),
                },
            }
        })
    }

    fn test(&self, cx: &mut Context<'_>) -> Result<bool, Fault> {
        match &self.body {
            Body::Expression(node) => Budget::spend(|budget| self.frame(budget, cx).test(node, cx)),
            Body::Block(_) => Ok(self.run(cx)?.is_true()),
        }
    }

    fn references(&self) -> Vec<String> {
        self.references.clone()
    }

    fn only_computes(&self) -> bool {
        !self.acts && matches!(self.body, Body::Expression(_))
    }

    fn assigns(&self) -> Option<Vec<Key>> {
        Some(self.assigns.clone())
    }
}
