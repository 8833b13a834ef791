//! Expressions, from the weakest operator to the strongest.

use super::Parser;
use crate::script::python::ast::{Argument, Binary, Clause, Compare, Expr, Kind, Unary};
use crate::script::python::lexer::Token;
use crate::{Problem, Value};
use std::sync::Arc;

impl Parser<'_> {
    /// An expression, or several with commas: a tuple.
    pub(super) fn tuple_or_one(&mut self) -> Result<Expr, Problem> {
        let at = self.at();
        let first = self.test()?;
        if !self.is(",") {
            return Ok(first);
        }
        let mut items = vec![first];
        while self.eat(",") {
            if matches!(
                self.peek(),
                Token::Newline | Token::End | Token::Sign("=" | ")" | "]" | "}" | ":")
            ) {
                break;
            }
            items.push(self.test()?);
        }
        let kind = Kind::Tuple(items);
        Ok(Expr { at, kind })
    }

    /// An expression without commas.
    pub(super) fn test(&mut self) -> Result<Expr, Problem> {
        self.deeper(|parser| {
            parser.refuse()?;
            if parser.is_word("lambda") {
                return parser.lambda();
            }
            let value = parser.or()?;
            let at = parser.at();
            if !parser.eat_word("if") {
                return Ok(value);
            }
            let condition = parser.or()?;
            parser.need_word("else")?;
            let otherwise = parser.test()?;
            let kind = Kind::If(Box::new((condition, value, otherwise)));
            Ok(Expr { at, kind })
        })
    }

    /// `lambda a, b: value`.
    fn lambda(&mut self) -> Result<Expr, Problem> {
        let at = self.at();
        self.next += 1;
        let mut parameters = Vec::new();
        while !self.is(":") {
            parameters.push(self.name()?);
            if !self.eat(",") {
                break;
            }
        }
        self.need(":")?;
        let value = Box::new(self.test()?);
        let kind = Kind::Lambda(parameters, value);
        Ok(Expr { at, kind })
    }

    /// `a or b or c`.
    fn chain(
        &mut self,
        mut operator: impl FnMut(&mut Self) -> Option<Operator>,
        mut operand: impl FnMut(&mut Self) -> Result<Expr, Problem>,
    ) -> Result<Expr, Problem> {
        let mut left = operand(self)?;
        loop {
            let at = self.at();
            let Some(operator) = operator(self) else {
                return Ok(left);
            };
            self.count(at)?;
            let (a, b) = (Box::new(left), Box::new(operand(self)?));
            let kind = match operator {
                Operator::Or => Kind::Or(a, b),
                Operator::And => Kind::And(a, b),
                Operator::Binary(binary) => Kind::Binary(binary, a, b),
            };
            left = Expr { at, kind };
        }
    }

    pub(super) fn or(&mut self) -> Result<Expr, Problem> {
        self.chain(|parser| parser.eat_word("or").then_some(Operator::Or), Self::and)
    }

    fn and(&mut self) -> Result<Expr, Problem> {
        self.chain(|parser| parser.eat_word("and").then_some(Operator::And), Self::not)
    }

    fn not(&mut self) -> Result<Expr, Problem> {
        let at = self.at();
        if self.eat_word("not") {
            let inner = self.deeper(Self::not)?;
            let kind = Kind::Unary(Unary::Not, Box::new(inner));
            return Ok(Expr { at, kind });
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Expr, Problem> {
        let first = self.bits(0)?;
        let at = self.at();
        let mut rest = Vec::new();
        while let Some(compare) = self.compare()? {
            rest.push((compare, self.bits(0)?));
        }
        if rest.is_empty() {
            return Ok(first);
        }
        let kind = Kind::Compare(Box::new(first), rest);
        Ok(Expr { at, kind })
    }

    fn compare(&mut self) -> Result<Option<Compare>, Problem> {
        let found = match self.peek() {
            Token::Sign("==") => Compare::Equal,
            Token::Sign("!=" | "<>") => Compare::NotEqual,
            Token::Sign("<") => Compare::Less,
            Token::Sign("<=") => Compare::LessEqual,
            Token::Sign(">") => Compare::Greater,
            Token::Sign(">=") => Compare::GreaterEqual,
            Token::Name(name) if **name == *"in" => Compare::In,
            Token::Name(name) if **name == *"is" => {
                self.next += 1;
                return Ok(Some(if self.eat_word("not") {
                    Compare::IsNot
                } else {
                    Compare::Is
                }));
            }
            Token::Name(name) if **name == *"not" && matches!(self.ahead(), Token::Name(word) if **word == *"in") => {
                self.next += 1;
                Compare::NotIn
            }
            _ => return Ok(None),
        };
        self.next += 1;
        Ok(Some(found))
    }

    /// Binary operators by their levels: `|`, `^`, `&`, shifts, sums, products.
    fn bits(&mut self, level: usize) -> Result<Expr, Problem> {
        const LEVELS: [&[(&str, Binary)]; 6] = [
            &[("|", Binary::BitOr)],
            &[("^", Binary::BitXor)],
            &[("&", Binary::BitAnd)],
            &[("<<", Binary::ShiftLeft), (">>", Binary::ShiftRight)],
            &[("+", Binary::Add), ("-", Binary::Subtract)],
            &[
                ("*", Binary::Multiply),
                ("/", Binary::Divide),
                ("//", Binary::FloorDivide),
                ("%", Binary::Modulo),
            ],
        ];
        let Some(operators) = LEVELS.get(level) else {
            return self.factor();
        };
        self.chain(
            |parser| {
                let found = operators.iter().find(|(sign, _)| parser.eat(sign));
                found.map(|(_, binary)| Operator::Binary(*binary))
            },
            |parser| parser.bits(level + 1),
        )
    }

    fn factor(&mut self) -> Result<Expr, Problem> {
        let at = self.at();
        let unary = match self.peek() {
            Token::Sign("-") => Unary::Minus,
            Token::Sign("+") => Unary::Plus,
            Token::Sign("~") => Unary::Invert,
            _ => {
                let base = self.postfix()?;
                let at = self.at();
                if !self.eat("**") {
                    return Ok(base);
                }
                let exponent = self.deeper(Self::factor)?;
                let kind = Kind::Binary(Binary::Power, Box::new(base), Box::new(exponent));
                return Ok(Expr { at, kind });
            }
        };
        self.next += 1;
        let inner = self.deeper(Self::factor)?;
        if let (Unary::Minus, Kind::Value(Value::Int(value))) = (unary, &inner.kind) {
            let kind = Kind::Value(Value::Int(-value));
            return Ok(Expr { at, kind });
        }
        let kind = Kind::Unary(unary, Box::new(inner));
        Ok(Expr { at, kind })
    }

    /// Calls, indices and attributes behind something.
    pub(super) fn postfix(&mut self) -> Result<Expr, Problem> {
        let mut value = self.atom()?;
        loop {
            let at = self.at();
            if self.is(".") || self.is("(") || self.is("[") {
                self.count(at)?;
            }
            let kind = if self.eat(".") {
                let Token::Name(name) = self.peek() else {
                    return Err(self.expected("a name"));
                };
                let name = Arc::clone(name);
                self.next += 1;
                Kind::Attribute(Box::new(value), name)
            } else if self.eat("(") {
                Kind::Call(Box::new(value), self.arguments()?)
            } else if self.eat("[") {
                self.subscript(value)?
            } else {
                return Ok(value);
            };
            value = Expr { at, kind };
        }
    }

    pub(super) fn arguments(&mut self) -> Result<Vec<Argument>, Problem> {
        let mut arguments: Vec<Argument> = Vec::new();
        while !self.is(")") {
            if self.is("*") || self.is("**") {
                return Err(self.wrong("`*` arguments are not part of the action language"));
            }
            let name = match (self.peek(), self.ahead()) {
                (Token::Name(name), Token::Sign("=")) => {
                    let name = Arc::clone(name);
                    self.next += 2;
                    Some(name)
                }
                _ => None,
            };
            if name.is_none() && arguments.last().is_some_and(|last| last.name.is_some()) {
                return Err(self.wrong("an argument without a name behind one with a name"));
            }
            let at = self.at();
            let mut value = self.test()?;
            if self.is_word("for") {
                let clauses = self.clauses()?;
                let kind = Kind::Comprehension(Box::new(value), None, clauses);
                value = Expr { at, kind };
            }
            arguments.push(Argument { name, value });
            if !self.eat(",") {
                break;
            }
        }
        self.need(")")?;
        Ok(arguments)
    }

    fn subscript(&mut self, value: Expr) -> Result<Kind, Problem> {
        let mut parts = [None, None, None];
        let mut colons = 0;
        loop {
            if self.eat(":") {
                colons += 1;
                if colons > 2 {
                    return Err(self.wrong("expected `]`"));
                }
            } else if self.is("]") {
                break;
            } else if let Some(part) = parts.get_mut(colons).filter(|part| part.is_none()) {
                let index = if colons == 0 {
                    self.tuple_or_one()?
                } else {
                    self.test()?
                };
                *part = Some(Box::new(index));
            } else {
                return Err(self.expected("`]`"));
            }
        }
        self.need("]")?;
        let of = Box::new(value);
        match (colons, parts) {
            (0, [Some(index), _, _]) => Ok(Kind::Index(of, index)),
            (0, _) => Err(self.wrong("expected an index")),
            (_, parts) => Ok(Kind::Slice(of, parts)),
        }
    }

    pub(super) fn clauses(&mut self) -> Result<Vec<Clause>, Problem> {
        let mut clauses = Vec::new();
        loop {
            if self.eat_word("for") {
                let target = self.targets()?;
                self.need_word("in")?;
                clauses.push(Clause::For(target, self.or()?));
            } else if self.eat_word("if") {
                clauses.push(Clause::If(self.or()?));
            } else {
                return Ok(clauses);
            }
            if clauses.len() > 8 {
                return Err(self.wrong("a long comprehension: use `for`"));
            }
        }
    }
}

enum Operator {
    Or,
    And,
    Binary(Binary),
}
