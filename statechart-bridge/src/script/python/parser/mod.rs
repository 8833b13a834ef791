//! Tokens to what was written.

mod atoms;
mod expressions;
mod statements;
use std::sync::Arc;

use super::ast::{Expr, Stmt};
use super::lexer::{At, Token, tokens};
use crate::Problem;

/// Expressions in expressions, and blocks in blocks.
const DEEPEST: usize = 40;
const MOST_OPERATORS: usize = 200;

/// Reads statements.
pub(super) fn statements(code: &str, file: &Arc<str>, start: At) -> Result<Vec<Stmt>, Problem> {
    let tokens = tokens(code, file, start, false)?;
    let mut parser = Parser::new(tokens, file);
    let mut statements = Vec::new();
    while *parser.peek() != Token::End {
        if parser.eat_token(&Token::Newline) {
            continue;
        }
        parser.statement(&mut statements)?;
    }
    Ok(statements)
}

/// Reads one expression.
pub(super) fn expression(code: &str, file: &Arc<str>, start: At) -> Result<Expr, Problem> {
    let tokens = tokens(code, file, start, true)?;
    let mut parser = Parser::new(tokens, file);
    if matches!(parser.peek(), Token::End | Token::Newline) {
        return Err(parser.wrong("expected an expression"));
    }
    let value = parser.tuple_or_one()?;
    parser.eat_token(&Token::Newline);
    match parser.peek() {
        Token::End => Ok(value),
        Token::Sign("=") => Err(parser.wrong("`=` assigns, which an expression can't: to compare write `==`")),
        _ => Err(parser.expected("the end of the expression")),
    }
}

struct Parser<'a> {
    tokens: Vec<(Token, At)>,
    next: usize,
    file: &'a Arc<str>,
    depth: usize,
    /// Operators in the current statement.
    operators: usize,
}

const END: (Token, At) = (Token::End, At { line: 0, column: 0 });

/// Words that can't be names, with what to do instead.
const REFUSED: [(&str, &str); 13] = [
    ("class", "classes stand in the diagram"),
    ("try", "errors can't be caught: test first"),
    ("except", "errors can't be caught: test first"),
    ("finally", "errors can't be caught: test first"),
    ("raise", "errors can't be raised: raise an event"),
    ("with", "there is nothing to open"),
    ("global", "keep it in an attribute: self.name"),
    ("nonlocal", "keep it in an attribute: self.name"),
    ("yield", "there are no generators"),
    ("async", "there are no coroutines"),
    ("await", "there are no coroutines"),
    ("exec", "there is no exec"),
    ("match", "use if and elif"),
];

const KEYWORDS: [&str; 20] = [
    "and", "as", "assert", "break", "continue", "def", "del", "elif", "else", "for", "from", "if", "import", "in",
    "is", "not", "or", "pass", "return", "while",
];

impl<'a> Parser<'a> {
    fn new(tokens: Vec<(Token, At)>, file: &'a Arc<str>) -> Self {
        Self {
            tokens,
            next: 0,
            file,
            depth: 0,
            operators: 0,
        }
    }

    fn current(&self) -> &(Token, At) {
        self.tokens.get(self.next).or(self.tokens.last()).unwrap_or(&END)
    }

    fn peek(&self) -> &Token {
        &self.current().0
    }

    fn ahead(&self) -> &Token {
        self.tokens.get(self.next + 1).map_or(&END.0, |(token, _)| token)
    }

    fn at(&self) -> At {
        self.current().1
    }

    fn wrong_at(&self, at: At, what: impl Into<String>) -> Problem {
        Problem::new(at.place(self.file), "", what)
    }

    fn wrong(&self, what: impl Into<String>) -> Problem {
        self.wrong_at(self.at(), what)
    }

    fn expected(&self, what: &str) -> Problem {
        self.wrong(format!("{} is unexpected: expected {what}", self.peek().describe()))
    }

    fn eat_token(&mut self, token: &Token) -> bool {
        let found = self.peek() == token;
        if found {
            self.next += 1;
        }
        found
    }

    fn is(&self, sign: &'static str) -> bool {
        *self.peek() == Token::Sign(sign)
    }

    fn eat(&mut self, sign: &'static str) -> bool {
        self.eat_token(&Token::Sign(sign))
    }

    fn need(&mut self, sign: &'static str) -> Result<(), Problem> {
        if self.eat(sign) {
            Ok(())
        } else {
            Err(self.expected(&format!("`{sign}`")))
        }
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Name(name) if **name == *word)
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        if found {
            self.next += 1;
        }
        found
    }

    fn need_word(&mut self, word: &str) -> Result<(), Problem> {
        if self.eat_word(word) {
            Ok(())
        } else {
            Err(self.expected(&format!("`{word}`")))
        }
    }

    /// A name that is no keyword.
    fn name(&mut self) -> Result<Arc<str>, Problem> {
        match self.peek() {
            Token::Name(name) if KEYWORDS.contains(&&**name) => Err(self.expected("a name")),
            Token::Name(name) => {
                let name = Arc::clone(name);
                self.next += 1;
                Ok(name)
            }
            _ => Err(self.expected("a name")),
        }
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Problem>) -> Result<T, Problem> {
        if self.depth >= DEEPEST {
            return Err(self.wrong(format!("{DEEPEST} deep: expected simpler code, in several steps")));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// Counts what makes the tree of an expression deeper.
    fn count(&mut self, at: At) -> Result<(), Problem> {
        self.operators += 1;
        if self.operators > MOST_OPERATORS {
            let what = format!("more than {MOST_OPERATORS} operators in a statement: use several");
            return Err(self.wrong_at(at, what));
        }
        Ok(())
    }

    fn refuse(&self) -> Result<(), Problem> {
        if let Token::Name(name) = self.peek()
            && !matches!(self.ahead(), Token::Sign("=" | "." | "," | ")" | "]"))
            && let Some((word, instead)) = REFUSED.iter().find(|(word, _)| *word == &**name)
        {
            return Err(self.wrong(format!("`{word}` is not part of the action language: {instead}")));
        }
        Ok(())
    }
}
