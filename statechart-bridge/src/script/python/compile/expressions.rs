//! Expressions.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Compiler, Global, Result, constant, names_of, no_module};
use crate::Value;
use crate::script::python::ast::{self, Binary, Expr, Kind, Unary};
use crate::script::python::budget::Budget;
use crate::script::python::code::{Clause, Comprehension, FormatPiece, Node, Op};
use crate::script::python::functions::{self, Function};
use crate::script::python::lexer::At;
use crate::script::python::{format, ops};

impl Compiler<'_> {
    /// Compiles an expression, and computes it if it is constant.
    pub(in crate::script::python) fn expression(&mut self, written: &Expr) -> Result<Node> {
        let op = self.op(written)?;
        let at = written.at;
        Ok(Node { at, op })
    }

    /// Each kind has a function of its own, so that this one, which calls itself by way of them, takes little stack.
    fn op(&mut self, written: &Expr) -> Result<Op> {
        let at = written.at;
        match &written.kind {
            Kind::Value(value) => Ok(Op::Const(value.clone())),
            Kind::Name(name) => self.name(name, at),
            Kind::Attribute(of, name) => self.attribute(of, name, at),
            Kind::Index(of, index) => self.two(of, index, Op::Index),
            Kind::Slice(of, parts) => self.slice(of, parts),
            Kind::Call(function, arguments) => self.call(function, arguments, at),
            Kind::Unary(operator, inner) => self.unary(*operator, inner),
            Kind::Binary(operator, a, b) => self.binary(*operator, a, b),
            Kind::Compare(first, rest) => self.comparison(first, rest),
            Kind::And(a, b) => self.two(a, b, Op::And),
            Kind::Or(a, b) => self.two(a, b, Op::Or),
            Kind::If(parts) => self.conditional(parts),
            Kind::List(items) => self.list(items, at),
            Kind::Tuple(items) => self.tuple(items, at),
            Kind::Dict(pairs) => self.dict(pairs, at),
            Kind::Comprehension(item, key, clauses) => self.comprehension(item, key.as_deref(), clauses),
            Kind::Format(pieces) => self.format(pieces),
            Kind::Lambda(..) => self.lambda(at),
        }
    }

    fn two(&mut self, a: &Expr, b: &Expr, op: fn(Box<(Node, Node)>) -> Op) -> Result<Op> {
        let a = self.expression(a)?;
        let b = self.expression(b)?;
        Ok(op(Box::new((a, b))))
    }

    fn unary(&mut self, operator: Unary, inner: &Expr) -> Result<Op> {
        let inner = self.expression(inner)?;
        Ok(fold_unary(operator, inner))
    }

    fn binary(&mut self, operator: Binary, a: &Expr, b: &Expr) -> Result<Op> {
        let a = self.expression(a)?;
        let b = self.expression(b)?;
        Ok(fold_binary(operator, a, b, &mut self.builder.folding.0))
    }

    fn conditional(&mut self, parts: &(Expr, Expr, Expr)) -> Result<Op> {
        let condition = self.expression(&parts.0)?;
        let then = self.expression(&parts.1)?;
        let otherwise = self.expression(&parts.2)?;
        Ok(Op::If(Box::new((condition, then, otherwise))))
    }

    fn list(&mut self, items: &[Expr], at: At) -> Result<Op> {
        let items = self.expressions(items)?;
        self.fold_items(items, at, Value::list, Op::List)
    }

    fn tuple(&mut self, items: &[Expr], at: At) -> Result<Op> {
        let items = self.expressions(items)?;
        self.fold_items(items, at, Value::tuple, Op::Tuple)
    }

    fn fold_items(
        &mut self,
        items: Vec<Node>,
        at: At,
        make: fn(Vec<Value>) -> Value,
        op: fn(Vec<Node>) -> Op,
    ) -> Result<Op> {
        Ok(match items.iter().map(constant).collect::<Option<Vec<_>>>() {
            Some(values) => {
                self.admit(&values, at)?;
                Op::Const(make(values))
            }
            None => op(items),
        })
    }

    /// Constants of `top` become parts of others.
    fn admit<'v>(&mut self, values: impl IntoIterator<Item = &'v Value>, at: At) -> Result<()> {
        let budget = &mut self.builder.folding.0;
        let mut values = values.into_iter();
        let admitted = values.try_for_each(|value| budget.admit(value));
        admitted.map_err(|what| self.wrong(at, what))
    }

    fn lambda(&self, at: At) -> Result<Op> {
        let what = "a `lambda` is no value here: expected it in sorted, sort, min, max (as key=), map or filter";
        Err(self.wrong(at, what))
    }

    fn slice(&mut self, of: &Expr, parts: &[Option<Box<Expr>>; 3]) -> Result<Op> {
        let of = self.expression(of)?;
        Ok(Op::Slice(Box::new(of), Box::new(self.parts(parts)?)))
    }

    fn comparison(&mut self, first: &Expr, rest: &[(ast::Compare, Expr)]) -> Result<Op> {
        let types = is_type_call(first) || rest.iter().any(|(_, right)| is_type_call(right));
        let first = self.operand(first, types)?;
        let mut compiled = Vec::new();
        for (operator, right) in rest {
            compiled.push((*operator, self.operand(right, types)?));
        }
        Ok(match compiled.pop() {
            Some((operator, right)) if compiled.is_empty() => Op::Compare(operator, Box::new((first, right))),
            last => {
                compiled.extend(last);
                Op::CompareChain(Box::new(first), compiled)
            }
        })
    }

    fn dict(&mut self, pairs: &[(Expr, Expr)], at: At) -> Result<Op> {
        let mut compiled = Vec::new();
        for (key, value) in pairs {
            compiled.push((self.expression(key)?, self.expression(value)?));
        }
        let budget = &mut self.builder.folding.0;
        let mut constant = |(key, value): &(Node, Node)| {
            let (key, value) = (constant(key)?, constant(value)?);
            ops::key(&key, budget).ok()?;
            Some((key, value))
        };
        Ok(match compiled.iter().map(&mut constant).collect::<Option<Vec<_>>>() {
            Some(pairs) => {
                self.admit(pairs.iter().map(|(_, value)| value), at)?;
                Op::Const(Value::map(pairs))
            }
            None => Op::Dict(compiled),
        })
    }

    fn format(&mut self, pieces: &[ast::FormatPiece]) -> Result<Op> {
        let mut compiled = Vec::new();
        for piece in pieces {
            compiled.push(match piece {
                ast::FormatPiece::Text(text) => FormatPiece::Text(text.as_str().into()),
                ast::FormatPiece::Expression { value, repr, spec } => {
                    format::check(spec).map_err(|what| self.wrong(value.at, what))?;
                    FormatPiece::Value {
                        value: self.expression(value)?,
                        repr: *repr,
                        spec: spec.as_str().into(),
                    }
                }
            });
        }
        Ok(Op::Format(compiled))
    }

    /// The parts of a slice.
    pub(super) fn parts(&mut self, parts: &[Option<Box<Expr>>; 3]) -> Result<[Option<Node>; 3]> {
        let mut compiled = [None, None, None];
        for (part, written) in compiled.iter_mut().zip(parts) {
            if let Some(written) = written {
                *part = Some(self.expression(written)?);
            }
        }
        Ok(compiled)
    }

    /// A side of a comparison, in which the name of a type may stand beside `type(x)`.
    fn operand(&mut self, written: &Expr, types: bool) -> Result<Node> {
        if let Kind::Name(name) = &written.kind
            && types
            && self.find_local(name).is_none()
            && !self.parameters.contains(name)
            && let Some(known) = functions::type_name(name)
        {
            let (at, op) = (written.at, Op::Const(known.into()));
            return Ok(Node { at, op });
        }
        self.expression(written)
    }

    fn expressions(&mut self, written: &[Expr]) -> Result<Vec<Node>> {
        written.iter().map(|item| self.expression(item)).collect()
    }

    pub(super) fn name(&mut self, name: &Arc<str>, at: At) -> Result<Op> {
        if let Some(slot) = self.find_local(name) {
            return Ok(Op::Local(slot, Arc::clone(name)));
        }
        if let Some(index) = self.parameters.iter().position(|known| known == name) {
            return Ok(Op::Parameter(index));
        }
        match self.globals.get(name) {
            Some(Global::Value(value)) => return Ok(Op::Const(value.clone())),
            Some(Global::Function(..)) => {
                return Err(self.wrong(at, format!("the function `{name}` can only be called")));
            }
            Some(Global::Module(module)) => return Err(self.wrong(at, no_module(module))),
            Some(Global::Builtin(_)) => {
                return Err(self.wrong(at, format!("the function `{name}` can only be called")));
            }
            Some(Global::Attribute) => return Ok(Op::Attribute(self.builder.key(name), Arc::clone(name))),
            Some(Global::InState(_)) => return Err(self.wrong(at, format!("expected {name}(\"state\")"))),
            None => {}
        }
        Err(self.wrong(
            at,
            match &**name {
                "self" | "SELF" => "`self` alone is no value: expected an attribute or a method of it".to_owned(),
                "ELSE" => "ELSE stands alone in a condition".to_owned(),
                "INSTATE" => "expected INSTATE(\"state\")".to_owned(),
                "true" => "`true` is unknown: expected True".to_owned(),
                "false" => "`false` is unknown: expected False".to_owned(),
                "null" | "nil" => format!("`{name}` is unknown: expected None"),
                _ if Function::by_name(name).is_some() => format!("the function `{name}` can only be called"),
                _ => format!(
                    "`{name}` is unknown: expected a parameter, a local name or a name of `top` (an attribute is \
                     self.{name})"
                ),
            },
        ))
    }

    fn attribute(&mut self, of: &Expr, name: &Arc<str>, at: At) -> Result<Op> {
        if let Kind::Name(module) = &of.kind
            && let Some(value) = functions::constant(module, name)
            && self.find_local(module).is_none()
        {
            return Ok(Op::Const(value));
        }
        if is_type_call(of) && &**name == "__name__" {
            return Ok(self.expression(of)?.op);
        }
        self.own(of, at)?;
        Ok(Op::Attribute(self.builder.key(name), Arc::clone(name)))
    }

    fn comprehension(&mut self, item: &Expr, key: Option<&Expr>, clauses: &[ast::Clause]) -> Result<Op> {
        let before = self.locals.len();
        let mut compiled = Vec::new();
        for clause in clauses {
            compiled.push(match clause {
                ast::Clause::For(target, over) => {
                    let over = self.expression(over)?;
                    let mut names = BTreeSet::new();
                    names_of(target, &mut names);
                    for name in names {
                        self.local(&name);
                    }
                    Clause::For(self.target(target, true)?, over)
                }
                ast::Clause::If(condition) => Clause::If(self.expression(condition)?),
            });
        }
        let item = self.expression(item)?;
        let key = match key {
            Some(key) => Some(self.expression(key)?),
            None => None,
        };
        self.forget(before);
        Ok(Op::Comprehension(Box::new(Comprehension {
            item,
            key,
            clauses: compiled,
        })))
    }
}

/// `type(x)`.
fn is_type_call(written: &Expr) -> bool {
    matches!(&written.kind, Kind::Call(function, _) if matches!(&function.kind, Kind::Name(name) if &**name == "type"))
}

fn fold_unary(operator: Unary, inner: Node) -> Op {
    match constant(&inner).map(|value| ops::unary(operator, &value)) {
        Some(Ok(value)) => Op::Const(value),
        _ => Op::Unary(operator, Box::new(inner)),
    }
}

fn fold_binary(operator: Binary, a: Node, b: Node, budget: &mut Budget) -> Op {
    if let (Some(x), Some(y)) = (constant(&a), constant(&b))
        // A long text by way of `*` is made when it is needed.
        && (operator != Binary::Multiply || (x.as_number().is_some() && y.as_number().is_some()))
        && let Ok(value) = ops::binary(operator, &x, &y, budget)
    {
        return Op::Const(value);
    }
    Op::Binary(operator, Box::new((a, b)))
}
