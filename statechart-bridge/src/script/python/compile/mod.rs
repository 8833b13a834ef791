//! What was written to code: names become slots, keys and numbers.

mod calls;
mod expressions;
mod sharing;
mod statements;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::ast::{self, Expr, Kind, StmtKind as Written};
use super::code::{Node, Op, Stmt};
use super::functions::Function;
use super::lexer::At;
use crate::model::ModelBuilder;
use crate::{Key, Problem, Value};

type Result<T> = std::result::Result<T, Problem>;

/// What the names of `top` mean.
#[derive(Clone, Debug)]
pub(super) enum Global {
    Value(Value),
    /// A function, by its number, with the names of its parameters and how many have no default.
    Function(usize, Arc<[Arc<str>]>, usize),
    Module(Arc<str>),
    /// A function of a module that was imported by its name.
    Builtin(Function),
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
    /// Attributes that are assigned to.
    pub(super) assigns: Vec<Key>,
    /// Whether it calls what may do something.
    pub(super) acts: bool,
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
            assigns: Vec::new(),
            acts: false,
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

    /// Those behind the first so many can't be named any more.
    fn forget(&mut self, before: usize) {
        for local in self.locals.iter_mut().skip(before) {
            local.seen = false;
        }
    }

    fn find_local(&self, name: &str) -> Option<usize> {
        self.locals.iter().rposition(|local| local.seen && &*local.name == name)
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
            Written::While(_, body, otherwise) => {
                assigned(body, names);
                assigned(otherwise, names);
            }
            Written::For(target, _, body, otherwise) => {
                names_of(target, names);
                assigned(body, names);
                assigned(otherwise, names);
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
        ast::Target::Attribute(..) | ast::Target::Index(..) | ast::Target::Slice(..) => {}
    }
}
