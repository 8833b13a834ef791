//! Code as it was written.

use std::sync::Arc;

use super::lexer::At;
use crate::Value;

#[derive(Clone, Debug)]
pub(super) struct Expr {
    pub(super) at: At,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Value(Value),
    Name(Arc<str>),
    Attribute(Box<Expr>, Arc<str>),
    Index(Box<Expr>, Box<Expr>),
    Slice(Box<Expr>, [Option<Box<Expr>>; 3]),
    Call(Box<Expr>, Vec<Argument>),
    Unary(Unary, Box<Expr>),
    Binary(Binary, Box<Expr>, Box<Expr>),
    /// `a < b < c`.
    Compare(Box<Expr>, Vec<(Compare, Expr)>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    /// Condition, then, otherwise.
    If(Box<(Expr, Expr, Expr)>),
    List(Vec<Expr>),
    Tuple(Vec<Expr>),
    Dict(Vec<(Expr, Expr)>),
    /// Item, and the key if it is a dict.
    Comprehension(Box<Expr>, Option<Box<Expr>>, Vec<Clause>),
    Format(Vec<FormatPiece>),
    /// Only where a function is expected.
    Lambda(Vec<Arc<str>>, Box<Expr>),
}

#[derive(Clone, Debug)]
pub(super) enum FormatPiece {
    Text(String),
    Expression { value: Expr, repr: bool, spec: String },
}

#[derive(Clone, Debug)]
pub(super) enum Clause {
    For(Target, Expr),
    If(Expr),
}

#[derive(Clone, Debug)]
pub(super) struct Argument {
    pub(super) name: Option<Arc<str>>,
    pub(super) value: Expr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unary {
    Not,
    Minus,
    Plus,
    Invert,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Modulo,
    Power,
    BitAnd,
    BitOr,
    BitXor,
    ShiftLeft,
    ShiftRight,
}

impl Binary {
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::FloorDivide => "//",
            Self::Modulo => "%",
            Self::Power => "**",
            Self::BitAnd => "&",
            Self::BitOr => "|",
            Self::BitXor => "^",
            Self::ShiftLeft => "<<",
            Self::ShiftRight => ">>",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compare {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
    NotIn,
    Is,
    IsNot,
}

/// Where an assignment goes.
#[derive(Clone, Debug)]
pub(super) enum Target {
    Name(Arc<str>, At),
    /// Of anything; the compiler allows `self`.
    Attribute(Expr, Arc<str>, At),
    Index(Expr, Expr, At),
    Slice(Expr, [Option<Box<Expr>>; 3], At),
    Tuple(Vec<Target>, At),
}

#[derive(Clone, Debug)]
pub(super) struct Stmt {
    pub(super) at: At,
    pub(super) kind: StmtKind,
}

#[derive(Clone, Debug)]
pub(super) enum StmtKind {
    Pass,
    Break,
    Continue,
    Return(Option<Expr>),
    Expression(Expr),
    Assign(Vec<Target>, Expr),
    Augment(Target, Binary, Expr),
    Delete(Vec<Target>),
    Assert(Expr, Option<Expr>),
    If(Vec<(Expr, Vec<Stmt>)>, Vec<Stmt>),
    /// With what follows if no `break` ends it.
    While(Expr, Vec<Stmt>, Vec<Stmt>),
    For(Target, Expr, Vec<Stmt>, Vec<Stmt>),
    Def(Arc<str>, Vec<(Arc<str>, Option<Expr>)>, Vec<Stmt>),
    /// Modules by the names that the code uses for them.
    Import(Vec<(Arc<str>, Arc<str>)>),
    /// Names of a module by the names that the code uses for them.
    From(Arc<str>, Vec<(Arc<str>, Arc<str>)>),
}
