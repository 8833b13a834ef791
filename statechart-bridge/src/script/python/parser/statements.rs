//! Statements.

use std::sync::Arc;

use super::Parser;
use crate::Problem;
use crate::script::python::ast::{Argument, Binary, Expr, Kind, Stmt, StmtKind, Target};
use crate::script::python::lexer::Token;

impl Parser<'_> {
    /// One statement, or several small ones in a line.
    pub(super) fn statement(&mut self, into: &mut Vec<Stmt>) -> Result<(), Problem> {
        if *self.peek() == Token::Indent {
            return Err(self.wrong("the line is indented more than those before"));
        }
        self.refuse()?;
        self.operators = 0;
        let at = self.at();
        let word = match self.peek() {
            Token::Name(name) => Arc::clone(name),
            _ => Arc::from(""),
        };
        let kind = match &*word {
            "if" => {
                self.next += 1;
                self.deeper(Self::conditional)?
            }
            "while" => {
                self.next += 1;
                let condition = self.test()?;
                let body = self.deeper(Self::block)?;
                StmtKind::While(condition, body, self.otherwise()?)
            }
            "for" => {
                self.next += 1;
                let target = self.targets()?;
                self.need_word("in")?;
                let over = self.tuple_or_one()?;
                let body = self.deeper(Self::block)?;
                StmtKind::For(target, over, body, self.otherwise()?)
            }
            "def" => {
                self.next += 1;
                self.deeper(Self::definition)?
            }
            _ => return self.line(into),
        };
        into.push(Stmt { at, kind });
        Ok(())
    }

    /// `else` of a loop.
    fn otherwise(&mut self) -> Result<Vec<Stmt>, Problem> {
        if self.eat_word("else") {
            self.deeper(Self::block)
        } else {
            Ok(Vec::new())
        }
    }

    fn conditional(&mut self) -> Result<StmtKind, Problem> {
        let mut branches = vec![(self.test()?, self.block()?)];
        loop {
            if self.eat_word("elif") {
                branches.push((self.test()?, self.block()?));
            } else if self.eat_word("else") {
                return Ok(StmtKind::If(branches, self.block()?));
            } else {
                return Ok(StmtKind::If(branches, Vec::new()));
            }
        }
    }

    fn definition(&mut self) -> Result<StmtKind, Problem> {
        let name = self.name()?;
        self.need("(")?;
        let mut parameters = Vec::new();
        while !self.is(")") {
            let parameter = self.name()?;
            let default = if self.eat("=") { Some(self.test()?) } else { None };
            parameters.push((parameter, default));
            if !self.eat(",") {
                break;
            }
        }
        self.need(")")?;
        let body = self.block()?;
        Ok(StmtKind::Def(name, parameters, body))
    }

    pub(super) fn block(&mut self) -> Result<Vec<Stmt>, Problem> {
        self.need(":")?;
        let mut body = Vec::new();
        if !self.eat_token(&Token::Newline) {
            self.line(&mut body)?;
            return Ok(body);
        }
        if !self.eat_token(&Token::Indent) {
            return Err(self.expected("a line that is indented more"));
        }
        while !self.eat_token(&Token::Dedent) {
            if *self.peek() == Token::End {
                break;
            }
            if self.eat_token(&Token::Newline) {
                continue;
            }
            self.statement(&mut body)?;
        }
        Ok(body)
    }

    /// Small statements with semicolons between.
    fn line(&mut self, into: &mut Vec<Stmt>) -> Result<(), Problem> {
        loop {
            self.refuse()?;
            self.operators = 0;
            let at = self.at();
            let kind = self.small()?;
            into.push(Stmt { at, kind });
            if !self.eat(";") {
                break;
            }
            if matches!(self.peek(), Token::Newline | Token::End) {
                break;
            }
        }
        match self.peek() {
            Token::End => Ok(()),
            Token::Newline => {
                self.next += 1;
                Ok(())
            }
            _ => Err(self.expected("the end of the line")),
        }
    }

    fn small(&mut self) -> Result<StmtKind, Problem> {
        if self.eat_word("pass") {
            return Ok(StmtKind::Pass);
        }
        if self.eat_word("break") {
            return Ok(StmtKind::Break);
        }
        if self.eat_word("continue") {
            return Ok(StmtKind::Continue);
        }
        if self.eat_word("return") {
            if matches!(self.peek(), Token::Newline | Token::End | Token::Sign(";")) {
                return Ok(StmtKind::Return(None));
            }
            return Ok(StmtKind::Return(Some(self.tuple_or_one()?)));
        }
        if self.eat_word("del") {
            return Ok(StmtKind::Delete(match self.targets()? {
                Target::Tuple(targets, _) => targets,
                target => vec![target],
            }));
        }
        if self.eat_word("assert") {
            let condition = self.test()?;
            let message = if self.eat(",") { Some(self.test()?) } else { None };
            return Ok(StmtKind::Assert(condition, message));
        }
        if self.is_word("import") || self.is_word("from") {
            return self.import();
        }
        if self.is_word("print") && !matches!(self.ahead(), Token::Sign("(" | "=" | ".")) {
            return self.old_print();
        }
        self.assignment()
    }

    fn import(&mut self) -> Result<StmtKind, Problem> {
        let mut modules = Vec::new();
        if self.eat_word("from") {
            return self.import_from();
        }
        self.next += 1;
        loop {
            let mut name = self.name()?.to_string();
            while self.eat(".") {
                name = format!("{name}.{}", self.name()?);
            }
            let module: Arc<str> = name.into();
            let used = if self.eat_word("as") {
                self.name()?
            } else {
                Arc::clone(&module)
            };
            modules.push((module, used));
            if !self.eat(",") {
                return Ok(StmtKind::Import(modules));
            }
        }
    }

    /// `from math import sqrt, floor as down`.
    fn import_from(&mut self) -> Result<StmtKind, Problem> {
        let mut module = self.name()?.to_string();
        while self.eat(".") {
            module = format!("{module}.{}", self.name()?);
        }
        self.need_word("import")?;
        if self.is("*") {
            return Err(self.wrong("`import *`: expected the names that are used"));
        }
        let bracket = self.eat("(");
        let mut names = Vec::new();
        loop {
            let name = self.name()?;
            let used = if self.eat_word("as") {
                self.name()?
            } else {
                Arc::clone(&name)
            };
            names.push((name, used));
            if !self.eat(",") || self.is(")") {
                break;
            }
        }
        if bracket {
            self.need(")")?;
        }
        Ok(StmtKind::From(module.into(), names))
    }

    /// `print a, b` of Python 2.
    fn old_print(&mut self) -> Result<StmtKind, Problem> {
        let at = self.at();
        self.next += 1;
        let mut arguments = Vec::new();
        while !matches!(self.peek(), Token::Newline | Token::End | Token::Sign(";")) {
            let value = self.test()?;
            arguments.push(Argument { name: None, value });
            if !self.eat(",") {
                break;
            }
        }
        let print = Expr {
            at,
            kind: Kind::Name("print".into()),
        };
        let kind = Kind::Call(Box::new(print), arguments);
        Ok(StmtKind::Expression(Expr { at, kind }))
    }

    fn assignment(&mut self) -> Result<StmtKind, Problem> {
        let first = self.tuple_or_one()?;
        let operation = match self.peek() {
            Token::Sign("+=") => Binary::Add,
            Token::Sign("-=") => Binary::Subtract,
            Token::Sign("*=") => Binary::Multiply,
            Token::Sign("/=") => Binary::Divide,
            Token::Sign("//=") => Binary::FloorDivide,
            Token::Sign("%=") => Binary::Modulo,
            Token::Sign("**=") => Binary::Power,
            Token::Sign("&=") => Binary::BitAnd,
            Token::Sign("|=") => Binary::BitOr,
            Token::Sign("^=") => Binary::BitXor,
            Token::Sign("<<=") => Binary::ShiftLeft,
            Token::Sign(">>=") => Binary::ShiftRight,
            Token::Sign("=") => {
                let mut targets = vec![self.target(first)?];
                loop {
                    self.next += 1;
                    let value = self.tuple_or_one()?;
                    if !self.is("=") {
                        return Ok(StmtKind::Assign(targets, value));
                    }
                    targets.push(self.target(value)?);
                }
            }
            _ => return Ok(StmtKind::Expression(first)),
        };
        let at = self.at();
        self.next += 1;
        let target = self.target(first)?;
        if matches!(target, Target::Tuple(..)) {
            return Err(self.wrong_at(at, "several targets: expected one"));
        }
        Ok(StmtKind::Augment(target, operation, self.tuple_or_one()?))
    }

    /// An expression as the target of an assignment.
    pub(super) fn target(&self, expression: Expr) -> Result<Target, Problem> {
        let at = expression.at;
        Ok(match expression.kind {
            Kind::Name(name) => Target::Name(name, at),
            Kind::Attribute(of, name) => Target::Attribute(*of, name, at),
            Kind::Index(of, index) => Target::Index(*of, *index, at),
            Kind::Slice(of, parts) => Target::Slice(*of, parts, at),
            Kind::Tuple(items) | Kind::List(items) if !items.is_empty() => {
                let targets = items.into_iter().map(|item| self.target(item));
                Target::Tuple(targets.collect::<Result<_, _>>()?, at)
            }
            _ => return Err(self.wrong_at(at, "this can't be assigned to")),
        })
    }

    /// Targets of `for` and `del`, up to what is no target.
    pub(super) fn targets(&mut self) -> Result<Target, Problem> {
        let at = self.at();
        let mut items = Vec::new();
        let mut comma = false;
        loop {
            // Not a whole expression: `in` ends it.
            items.push(self.deeper(Self::postfix)?);
            if !self.eat(",") {
                break;
            }
            comma = true;
            if self.is_word("in") || matches!(self.peek(), Token::Newline | Token::End) {
                break;
            }
        }
        match items.pop() {
            Some(only) if items.is_empty() && !comma => self.target(only),
            last => {
                items.extend(last);
                let kind = Kind::Tuple(items);
                self.target(Expr { at, kind })
            }
        }
    }
}
