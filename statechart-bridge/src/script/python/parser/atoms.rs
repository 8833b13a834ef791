//! Names, numbers, texts, and what stands in brackets.

use super::{KEYWORDS, Parser};
use crate::script::python::ast::{Expr, FormatPiece, Kind};
use crate::script::python::lexer::{At, Piece, Token, tokens};
use crate::{Problem, Value};
use std::sync::Arc;

impl Parser<'_> {
    pub(super) fn atom(&mut self) -> Result<Expr, Problem> {
        self.refuse()?;
        let at = self.at();
        let kind = match self.peek() {
            Token::Int(value) => Kind::Value(Value::Int(*value)),
            Token::Float(value) => Kind::Value(Value::Float(*value)),
            Token::Str(_) | Token::Bytes(_) | Token::Format(_) => return self.strings(),
            Token::Name(name) => match &**name {
                "None" => Kind::Value(Value::Nil),
                "True" => Kind::Value(Value::Bool(true)),
                "False" => Kind::Value(Value::Bool(false)),
                word if KEYWORDS.contains(&word) => return Err(self.expected("an expression")),
                _ => Kind::Name(Arc::clone(name)),
            },
            Token::Sign("(") => {
                self.next += 1;
                return self.parenthesis(at);
            }
            Token::Sign("[") => {
                self.next += 1;
                return self.brackets(at);
            }
            Token::Sign("{") => {
                self.next += 1;
                return self.braces(at);
            }
            _ => return Err(self.expected("an expression")),
        };
        self.next += 1;
        Ok(Expr { at, kind })
    }

    fn parenthesis(&mut self, at: At) -> Result<Expr, Problem> {
        if self.eat(")") {
            let kind = Kind::Tuple(Vec::new());
            return Ok(Expr { at, kind });
        }
        let mut inner = self.tuple_or_one()?;
        if self.is_word("for") {
            let clauses = self.clauses()?;
            let kind = Kind::Comprehension(Box::new(inner), None, clauses);
            inner = Expr { at, kind };
        }
        self.need(")")?;
        Ok(inner)
    }

    fn brackets(&mut self, at: At) -> Result<Expr, Problem> {
        let mut items = Vec::new();
        while !self.is("]") {
            items.push(self.test()?);
            if self.is_word("for") && items.len() == 1 {
                let clauses = self.clauses()?;
                self.need("]")?;
                let item = items.remove(0);
                let kind = Kind::Comprehension(Box::new(item), None, clauses);
                return Ok(Expr { at, kind });
            }
            if !self.eat(",") {
                break;
            }
        }
        self.need("]")?;
        let kind = Kind::List(items);
        Ok(Expr { at, kind })
    }

    fn braces(&mut self, at: At) -> Result<Expr, Problem> {
        let mut pairs = Vec::new();
        while !self.is("}") {
            let key = self.test()?;
            if !self.eat(":") {
                return Err(self.expected("`:` and the key's value (there are no sets: use a list or a dict)"));
            }
            let value = self.test()?;
            if self.is_word("for") && pairs.is_empty() {
                let clauses = self.clauses()?;
                self.need("}")?;
                let kind = Kind::Comprehension(Box::new(value), Some(Box::new(key)), clauses);
                return Ok(Expr { at, kind });
            }
            pairs.push((key, value));
            if !self.eat(",") {
                break;
            }
        }
        self.need("}")?;
        let kind = Kind::Dict(pairs);
        Ok(Expr { at, kind })
    }

    /// Texts that stand side by side are one.
    fn strings(&mut self) -> Result<Expr, Problem> {
        let at = self.at();
        let mut text = String::new();
        let mut bytes: Option<Vec<u8>> = None;
        let mut pieces = Vec::new();
        loop {
            match self.peek().clone() {
                Token::Str(part) if bytes.is_none() => text.push_str(&part),
                Token::Bytes(part) if text.is_empty() && pieces.is_empty() => {
                    bytes.get_or_insert_default().extend_from_slice(&part);
                }
                Token::Format(parts) if bytes.is_none() => {
                    for part in parts {
                        match part {
                            Piece::Text(part) => text.push_str(&part),
                            Piece::Expression { code, at, repr, spec } => {
                                let value = self.deeper(|parser| {
                                    let tokens = tokens(&code, parser.file, at, true)?;
                                    let mut inner = Parser::new(tokens, parser.file);
                                    inner.depth = parser.depth;
                                    inner.operators = parser.operators;
                                    let value = inner.tuple_or_one()?;
                                    inner.eat_token(&Token::Newline);
                                    match inner.peek() {
                                        Token::End => Ok(value),
                                        _ => Err(inner.expected("`}`")),
                                    }
                                })?;
                                pieces.push(FormatPiece::Text(std::mem::take(&mut text)));
                                pieces.push(FormatPiece::Expression { value, repr, spec });
                            }
                        }
                    }
                }
                Token::Str(_) | Token::Bytes(_) | Token::Format(_) => {
                    return Err(self.wrong("text and bytes side by side: expected one of the two"));
                }
                _ => break,
            }
            self.next += 1;
        }
        let kind = if let Some(bytes) = bytes {
            Kind::Value(bytes.into())
        } else if pieces.is_empty() {
            Kind::Value(text.into())
        } else {
            pieces.push(FormatPiece::Text(text));
            Kind::Format(pieces)
        };
        Ok(Expr { at, kind })
    }
}
