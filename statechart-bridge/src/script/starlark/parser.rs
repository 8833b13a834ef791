//! Tokens to what was written.

use std::sync::Arc;

use super::ast::{Argument, Binary, Clause, Compare, Expr, FormatPiece, Kind, Stmt, StmtKind, Target, Unary};
use super::lexer::{At, Piece, Token, tokens};
use crate::{Problem, Value};

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
const REFUSED: [(&str, &str); 14] = [
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
    ("lambda", "write a function in `top`, or a method"),
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

    /// One statement, or several small ones in a line.
    fn statement(&mut self, into: &mut Vec<Stmt>) -> Result<(), Problem> {
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
                self.no_else("while")?;
                StmtKind::While(condition, body)
            }
            "for" => {
                self.next += 1;
                let target = self.targets()?;
                self.need_word("in")?;
                let over = self.tuple_or_one()?;
                let body = self.deeper(Self::block)?;
                self.no_else("for")?;
                StmtKind::For(target, over, body)
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

    fn no_else(&self, what: &str) -> Result<(), Problem> {
        if self.is_word("else") {
            return Err(self.wrong(format!("`else` of a `{what}` is not part of the action language")));
        }
        Ok(())
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

    fn block(&mut self) -> Result<Vec<Stmt>, Problem> {
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
            return Err(self.wrong("`from … import` is not part of the action language: there are no modules"));
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
    fn target(&self, expression: Expr) -> Result<Target, Problem> {
        let at = expression.at;
        Ok(match expression.kind {
            Kind::Name(name) => Target::Name(name, at),
            Kind::Attribute(of, name) => Target::Attribute(*of, name, at),
            Kind::Index(of, index) => Target::Index(*of, *index, at),
            Kind::Tuple(items) | Kind::List(items) if !items.is_empty() => {
                let targets = items.into_iter().map(|item| self.target(item));
                Target::Tuple(targets.collect::<Result<_, _>>()?, at)
            }
            _ => return Err(self.wrong_at(at, "this can't be assigned to")),
        })
    }

    /// Targets of `for` and `del`, up to what is no target.
    fn targets(&mut self) -> Result<Target, Problem> {
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

    /// An expression, or several with commas: a tuple.
    fn tuple_or_one(&mut self) -> Result<Expr, Problem> {
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
    fn test(&mut self) -> Result<Expr, Problem> {
        self.deeper(|parser| {
            parser.refuse()?;
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

    fn or(&mut self) -> Result<Expr, Problem> {
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
                    Compare::NotEqual
                } else {
                    Compare::Equal
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
    fn postfix(&mut self) -> Result<Expr, Problem> {
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

    fn arguments(&mut self) -> Result<Vec<Argument>, Problem> {
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

    fn clauses(&mut self) -> Result<Vec<Clause>, Problem> {
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

    fn atom(&mut self) -> Result<Expr, Problem> {
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

enum Operator {
    Or,
    And,
    Binary(Binary),
}
