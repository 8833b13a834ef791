//! Compiled code: names are slots and keys, functions are numbers.

use std::sync::Arc;

use super::ast::{Binary, Compare, Unary};
use super::functions::Function as Builtin;
use super::lexer::At;
use super::methods::Method;
use crate::{Key, Value};

/// What all code of a model shares: the functions of its `top`.
#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) functions: Vec<Function>,
}

/// A function of `top`. Its parameters are its first locals.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) parameters: Vec<(Arc<str>, Option<Value>)>,
    pub(super) file: Arc<str>,
    pub(super) locals: usize,
    pub(super) body: Vec<Stmt>,
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) at: At,
    pub(super) op: Op,
}

#[derive(Debug)]
pub(super) enum Op {
    Const(Value),
    /// A parameter of the event, or an argument of the method.
    Parameter(usize),
    Local(usize, Arc<str>),
    Attribute(Key, Arc<str>),
    Index(Box<(Node, Node)>),
    Slice(Box<Node>, Box<[Option<Node>; 3]>),
    Unary(Unary, Box<Node>),
    Binary(Binary, Box<(Node, Node)>),
    Compare(Compare, Box<(Node, Node)>),
    /// Each operand is computed once.
    CompareChain(Box<Node>, Vec<(Compare, Node)>),
    And(Box<(Node, Node)>),
    Or(Box<(Node, Node)>),
    If(Box<(Node, Node, Node)>),
    List(Vec<Node>),
    Tuple(Vec<Node>),
    Dict(Vec<(Node, Node)>),
    Comprehension(Box<Comprehension>),
    Format(Vec<FormatPiece>),
    Builtin(Builtin, Vec<Node>, Vec<(Arc<str>, Node)>),
    /// A function of `top`; its arguments with defaults filled in by name.
    Function(usize, Vec<Option<Node>>),
    /// A method of the instance's class.
    OwnMethod(Arc<str>, Vec<Node>),
    Method(Box<Node>, Method, Vec<Node>, Vec<(Arc<str>, Node)>),
    /// A function that is told by another what to do with each item.
    Keyed(Box<Keyed>),
    /// Whether a value is of one of these types, by their names here.
    IsInstance(Box<Node>, Vec<&'static str>),
    InState(Vec<Arc<str>>),
    HasAttribute(Arc<str>),
    Time(Clock),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    /// Seconds that simulated time is behind the clock.
    Behind,
    /// Simulated milliseconds since the start.
    Simulated,
    /// Milliseconds of the clock since the start.
    Wall,
}

/// `sorted(items, key=…)` and the like.
#[derive(Debug)]
pub(super) struct Keyed {
    pub(super) what: KeyedBy,
    /// The items; of `sort` the place of the list.
    pub(super) items: Node,
    /// Where each item is put for the key, and the key.
    pub(super) slot: usize,
    pub(super) key: Node,
    pub(super) reverse: Option<Node>,
    pub(super) default: Option<Node>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyedBy {
    Sorted,
    Sort,
    Min,
    Max,
    Map,
    Filter,
}

#[derive(Debug)]
pub(super) struct Comprehension {
    pub(super) item: Node,
    pub(super) key: Option<Node>,
    pub(super) clauses: Vec<Clause>,
}

#[derive(Debug)]
pub(super) enum Clause {
    For(Target, Node),
    If(Node),
}

#[derive(Debug)]
pub(super) enum FormatPiece {
    Text(Box<str>),
    Value { value: Node, repr: bool, spec: Box<str> },
}

#[derive(Debug)]
pub(super) enum Target {
    Local(usize),
    Attribute(Key),
    /// Of a place: a local, an attribute, or an index of one.
    Index(Box<(Node, Node)>),
    Slice(Box<Node>, Box<[Option<Node>; 3]>),
    Tuple(Vec<Target>, At),
}

#[derive(Debug)]
pub(super) struct Stmt {
    pub(super) at: At,
    pub(super) kind: StmtKind,
}

#[derive(Debug)]
pub(super) enum StmtKind {
    Pass,
    Break,
    Continue,
    Return(Option<Node>),
    Expression(Node),
    Assign(Vec<Target>, Node),
    /// The place is a local, an attribute, or an index of one.
    Augment(Node, Binary, Node),
    DeleteIndex(Node, Node),
    Assert(Node, Option<Node>),
    If(Vec<(Node, Vec<Stmt>)>, Vec<Stmt>),
    While(Node, Vec<Stmt>, Vec<Stmt>),
    For(Target, Node, Vec<Stmt>, Vec<Stmt>),
    DeleteSlice(Node, Box<[Option<Node>; 3]>),
}
