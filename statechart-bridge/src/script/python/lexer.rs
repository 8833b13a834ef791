//! Text to tokens. Lines and columns are those of the model's file.

use std::sync::Arc;

use crate::{Place, Problem};

/// Where something stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct At {
    pub(super) line: u32,
    pub(super) column: u32,
}

impl At {
    pub(super) fn place(self, file: &Arc<str>) -> Place {
        Place::new(Arc::clone(file), self.line, self.column)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Name(Arc<str>),
    Int(i64),
    Float(f64),
    Str(Arc<str>),
    Bytes(Arc<[u8]>),
    /// A format string: texts, and between them expressions as written.
    Format(Vec<Piece>),
    /// Operators and brackets.
    Sign(&'static str),
    Newline,
    Indent,
    Dedent,
    End,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    Text(String),
    /// An expression, and how to write its value.
    Expression {
        code: String,
        at: At,
        repr: bool,
        spec: String,
    },
}

impl Token {
    /// As messages name it.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Name(name) => format!("`{name}`"),
            Self::Int(value) => format!("`{value}`"),
            Self::Float(value) => format!("`{value:?}`"),
            Self::Str(_) | Self::Format(_) => "a text".to_owned(),
            Self::Bytes(_) => "bytes".to_owned(),
            Self::Sign(sign) => format!("`{sign}`"),
            Self::Newline => "the end of the line".to_owned(),
            Self::Indent => "more indentation".to_owned(),
            Self::Dedent => "less indentation".to_owned(),
            Self::End => "the end".to_owned(),
        }
    }
}

/// Longer signs first.
const SIGNS: [&str; 46] = [
    "**=", "//=", "<<=", ">>=", "==", "!=", "<=", ">=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "**", "//",
    "<<", ">>", "->", "<>", "+", "-", "*", "/", "%", "&", "|", "^", "~", "<", ">", "=", "(", ")", "[", "]", "{", "}",
    ",", ":", ".", ";", "@", "!",
];

/// Longer code is none that a person wrote into a model.
const LONGEST: usize = 1024 * 1024;
/// Brackets in brackets.
const DEEPEST: usize = 64;

pub(super) struct Lexer<'a> {
    file: &'a Arc<str>,
    chars: Vec<char>,
    next: usize,
    at: At,
    indents: Vec<u32>,
    /// Whether the outermost indentation is still open to be told.
    floating: bool,
    brackets: Vec<char>,
    tokens: Vec<(Token, At)>,
}

/// Splits code into tokens. `start` is where the code stands in the file; `expression` code has no lines.
pub(super) fn tokens(code: &str, file: &Arc<str>, start: At, expression: bool) -> Result<Vec<(Token, At)>, Problem> {
    let mut lexer = Lexer {
        file,
        chars: code.chars().collect(),
        next: 0,
        at: start,
        indents: Vec::new(),
        floating: false,
        brackets: Vec::new(),
        tokens: Vec::new(),
    };
    if code.len() > LONGEST {
        return Err(lexer.wrong(
            start,
            format!("{} bytes of code: expected {LONGEST} at most", code.len()),
        ));
    }
    if expression {
        lexer.brackets.push(' ');
    }
    lexer.all()?;
    Ok(lexer.tokens)
}

impl Lexer<'_> {
    fn wrong(&self, at: At, what: impl Into<String>) -> Problem {
        Problem::new(at.place(self.file), "", what)
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.next + ahead).copied()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek(0)?;
        self.next += 1;
        if c == '\n' {
            self.at.line += 1;
            self.at.column = 1;
        } else {
            self.at.column += 1;
        }
        Some(c)
    }

    fn push(&mut self, token: Token, at: At) {
        self.tokens.push((token, at));
    }

    fn all(&mut self) -> Result<(), Problem> {
        let mut fresh_line = true;
        loop {
            if fresh_line && self.brackets.is_empty() {
                if !self.indentation()? {
                    break;
                }
                fresh_line = false;
            }
            let at = self.at;
            let Some(c) = self.peek(0) else { break };
            match c {
                ' ' | '\t' | '\r' | '\u{c}' => {
                    self.bump();
                }
                '\n' => {
                    self.bump();
                    if self.brackets.is_empty() {
                        self.push(Token::Newline, at);
                        fresh_line = true;
                    }
                }
                '#' => self.comment(),
                '\\' if self.peek(1) == Some('\n') => {
                    self.bump();
                    self.bump();
                }
                '\\' if self.peek(1) == Some('\r') && self.peek(2) == Some('\n') => {
                    self.bump();
                    self.bump();
                    self.bump();
                }
                '0'..='9' => self.number(at)?,
                '.' if self.peek(1).is_some_and(|next| next.is_ascii_digit()) => self.number(at)?,
                '"' | '\'' => self.string(at, "")?,
                c if c == '_' || c.is_alphabetic() => self.name(at)?,
                _ => self.sign(at)?,
            }
        }
        if let Some(open) = self.brackets.iter().rev().find(|open| **open != ' ') {
            return Err(self.wrong(self.at, format!("`{open}` is not closed")));
        }
        let at = self.at;
        if !matches!(self.tokens.last(), None | Some((Token::Newline | Token::Dedent, _))) {
            self.push(Token::Newline, at);
        }
        for _ in 1..self.indents.len() {
            self.push(Token::Dedent, at);
        }
        self.push(Token::End, at);
        Ok(())
    }

    fn comment(&mut self) {
        while self.peek(0).is_some_and(|c| c != '\n') {
            self.bump();
        }
    }

    /// The spaces at the beginning of a line with something in it; false at the end.
    ///
    /// The first such line gives the indentation of the whole, whatever it is: code stands indented in files.
    fn indentation(&mut self) -> Result<bool, Problem> {
        loop {
            let mut width = 0;
            // Code that begins right behind its tag is as far in as it stands there, but its later lines are not.
            let first_in_line = self.next == 0 && self.at.column > 1;
            while let Some(c) = self.peek(0) {
                match c {
                    ' ' => width += 1,
                    '\t' => width = width / 8 * 8 + 8,
                    '\r' | '\u{c}' => {}
                    _ => break,
                }
                self.bump();
            }
            match self.peek(0) {
                None => return Ok(false),
                Some('\n') => {
                    self.bump();
                    continue;
                }
                Some('#') => {
                    self.comment();
                    continue;
                }
                Some(_) => {}
            }
            let at = self.at;
            if self.indents.is_empty() {
                self.indents.push(if first_in_line { FLOATING } else { width });
                return Ok(true);
            }
            if self.indents == [FLOATING] {
                // The second line of code says how far in the whole is, unless it belongs to a block.
                let opens = self
                    .tokens
                    .iter()
                    .rev()
                    .nth(1)
                    .is_some_and(|(token, _)| *token == Token::Sign(":"));
                if opens {
                    self.indents = vec![0, width];
                    self.floating = true;
                    self.push(Token::Indent, at);
                } else {
                    self.indents = vec![width];
                }
                return Ok(true);
            }
            let current = self.indents.last().copied().unwrap_or(0);
            if width > current {
                if self.indents.len() > DEEPEST {
                    return Err(self.wrong(at, format!("blocks in blocks, {DEEPEST} deep: expected fewer")));
                }
                self.indents.push(width);
                self.push(Token::Indent, at);
                return Ok(true);
            }
            while self.indents.len() > 1 && self.indents.last().is_some_and(|last| width < *last) {
                self.indents.pop();
                self.push(Token::Dedent, at);
            }
            if self.floating && self.indents.len() == 1 {
                self.indents = vec![width];
                self.floating = false;
            }
            if self.indents.last() != Some(&width) {
                return Err(self.wrong(at, "the indentation fits no line before"));
            }
            return Ok(true);
        }
    }

    fn name(&mut self, at: At) -> Result<(), Problem> {
        let mut name = String::new();
        while let Some(c) = self.peek(0).filter(|c| *c == '_' || c.is_alphanumeric()) {
            name.push(c);
            self.bump();
        }
        let quoted = matches!(self.peek(0), Some('"' | '\''));
        let prefix = name.to_ascii_lowercase();
        if quoted && matches!(&*prefix, "r" | "b" | "u" | "f" | "rb" | "br" | "rf" | "fr" | "ur") {
            return self.string(at, &prefix);
        }
        self.push(Token::Name(name.into()), at);
        Ok(())
    }

    fn number(&mut self, at: At) -> Result<(), Problem> {
        let mut digits = String::new();
        let radix = match (self.peek(0), self.peek(1).map(|c| c.to_ascii_lowercase())) {
            (Some('0'), Some('x')) => 16,
            (Some('0'), Some('o')) => 8,
            (Some('0'), Some('b')) => 2,
            _ => 10,
        };
        if radix != 10 {
            self.bump();
            self.bump();
        }
        let mut is_float = false;
        while let Some(c) = self.peek(0) {
            let exponent = radix == 10 && matches!(c, 'e' | 'E') && {
                let sign = matches!(self.peek(1), Some('+' | '-'));
                self.peek(1 + usize::from(sign))
                    .is_some_and(|next| next.is_ascii_digit())
            };
            if exponent {
                is_float = true;
                digits.push('e');
                self.bump();
                if let Some(sign) = self.peek(0).filter(|c| matches!(c, '+' | '-')) {
                    digits.push(sign);
                    self.bump();
                }
            } else if c.is_digit(radix) {
                digits.push(c);
                self.bump();
            } else if c == '.' && radix == 10 && !is_float {
                is_float = true;
                digits.push(c);
                self.bump();
            } else if c == '_' {
                self.bump();
            } else {
                break;
            }
        }
        // `10L` of Python 2.
        if !is_float && matches!(self.peek(0), Some('L' | 'l')) {
            self.bump();
        }
        if self.peek(0).is_some_and(|c| c == '_' || c.is_alphanumeric()) {
            return Err(self.wrong(at, "expected a number"));
        }
        let token = if is_float {
            digits
                .parse()
                .ok()
                .filter(|value: &f64| value.is_finite())
                .map(Token::Float)
        } else {
            i64::from_str_radix(&digits, radix).ok().map(Token::Int)
        };
        match token {
            Some(token) => self.push(token, at),
            None => return Err(self.wrong(at, "the number is too large: whole numbers have 64 bits")),
        }
        Ok(())
    }

    fn sign(&mut self, at: At) -> Result<(), Problem> {
        let found = SIGNS.iter().find(|sign| {
            let mut signs = sign.chars().enumerate();
            signs.all(|(ahead, c)| self.peek(ahead) == Some(c))
        });
        let Some(sign) = found else {
            let c = self.peek(0).unwrap_or(' ');
            return Err(self.wrong(at, format!("`{c}` means nothing here")));
        };
        for _ in 0..sign.len() {
            self.bump();
        }
        match *sign {
            "(" | "[" | "{" => {
                if self.brackets.len() > DEEPEST {
                    return Err(self.wrong(at, format!("brackets in brackets, {DEEPEST} deep: expected fewer")));
                }
                self.brackets.push(sign.chars().next().unwrap_or(' '));
            }
            ")" | "]" | "}" => {
                let open = match *sign {
                    ")" => '(',
                    "]" => '[',
                    _ => '{',
                };
                if self.brackets.last() != Some(&open) {
                    return Err(self.wrong(at, format!("`{sign}` closes nothing")));
                }
                self.brackets.pop();
            }
            _ => {}
        }
        self.push(Token::Sign(sign), at);
        Ok(())
    }

    fn string(&mut self, at: At, prefix: &str) -> Result<(), Problem> {
        let quote = self.bump().unwrap_or('"');
        let long = self.peek(0) == Some(quote) && self.peek(1) == Some(quote);
        if long {
            self.bump();
            self.bump();
        }
        let raw = prefix.contains('r');
        let is_bytes = prefix.contains('b');
        let is_format = prefix.contains('f');
        let mut bytes = Vec::new();
        let mut text = String::new();
        let mut pieces = Vec::new();
        loop {
            let here = self.at;
            let Some(c) = self.bump() else {
                return Err(self.wrong(at, "the text is not closed"));
            };
            if c == quote {
                let closes = !long || (self.peek(0) == Some(quote) && self.peek(1) == Some(quote));
                if closes {
                    if long {
                        self.bump();
                        self.bump();
                    }
                    break;
                }
            }
            if c == '\n' && !long {
                return Err(self.wrong(at, "the text is not closed in its line"));
            }
            if is_format && (c == '{' || c == '}') {
                if self.peek(0) == Some(c) {
                    self.bump();
                    text.push(c);
                } else if c == '}' {
                    return Err(self.wrong(here, "`}` alone in a format text: write `}}`"));
                } else {
                    pieces.push(Piece::Text(std::mem::take(&mut text)));
                    pieces.push(self.placeholder(quote)?);
                }
                continue;
            }
            let value = if c == '\\' && !raw {
                match self.escape(here, is_bytes)? {
                    Some(value) => value,
                    None => continue,
                }
            } else if c == '\\' && self.peek(0) == Some(quote) {
                // In a raw text too the quote behind a backslash doesn't end it.
                text.push('\\');
                bytes.push(b'\\');
                self.bump();
                quote
            } else {
                if is_bytes {
                    let mut buffer = [0; 4];
                    bytes.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
                    continue;
                }
                c
            };
            if is_bytes {
                bytes.push(u8::try_from(u32::from(value)).unwrap_or(b'?'));
            } else {
                text.push(value);
            }
        }
        let token = if is_bytes {
            Token::Bytes(bytes.into())
        } else if is_format {
            pieces.push(Piece::Text(text));
            Token::Format(pieces)
        } else {
            Token::Str(text.into())
        };
        self.push(token, at);
        Ok(())
    }

    /// What stands behind a backslash; nothing for a line that goes on.
    fn escape(&mut self, at: At, is_bytes: bool) -> Result<Option<char>, Problem> {
        let Some(c) = self.bump() else {
            return Err(self.wrong(at, "the text is not closed"));
        };
        Ok(Some(match c {
            '\n' => return Ok(None),
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'v' => '\u{b}',
            '\\' | '\'' | '"' => c,
            'x' => self.digits(at, 2)?,
            'u' if !is_bytes => self.digits(at, 4)?,
            'U' if !is_bytes => self.digits(at, 8)?,
            '0'..='7' => {
                let mut value = c.to_digit(8).unwrap_or(0);
                for _ in 0..2 {
                    match self.peek(0).and_then(|c| c.to_digit(8)) {
                        Some(digit) if value * 8 + digit < 256 => {
                            value = value * 8 + digit;
                            self.bump();
                        }
                        _ => break,
                    }
                }
                char::from_u32(value).unwrap_or(' ')
            }
            other => {
                return Err(self.wrong(
                    at,
                    format!("`\\{other}` is no escape: write `\\\\{other}`, or a raw text with r before it"),
                ));
            }
        }))
    }

    fn digits(&mut self, at: At, count: usize) -> Result<char, Problem> {
        let mut value = 0;
        for _ in 0..count {
            let digit = self.peek(0).and_then(|c| c.to_digit(16));
            let Some(digit) = digit else {
                return Err(self.wrong(at, format!("expected {count} hexadecimal digits")));
            };
            value = value * 16 + digit;
            self.bump();
        }
        char::from_u32(value).ok_or_else(|| self.wrong(at, "there is no such character"))
    }

    /// `{expression!r:spec}` of a format text, behind its opening bracket.
    fn placeholder(&mut self, quote: char) -> Result<Piece, Problem> {
        let at = self.at;
        let mut code = String::new();
        let mut open = 0_usize;
        loop {
            match self.peek(0) {
                None | Some('\n') => return Err(self.wrong(at, "`{` is not closed in the format text")),
                Some(c) if c == quote => return Err(self.wrong(at, "`{` is not closed in the format text")),
                Some('}' | ':') if open == 0 => break,
                Some('!') if open == 0 && self.peek(1) != Some('=') => break,
                Some(c) => {
                    match c {
                        '(' | '[' | '{' => open += 1,
                        ')' | ']' | '}' => open = open.saturating_sub(1),
                        _ => {}
                    }
                    code.push(c);
                    self.bump();
                }
            }
        }
        let mut repr = false;
        if self.peek(0) == Some('!') {
            self.bump();
            match self.bump() {
                Some('r') => repr = true,
                Some('s') => {}
                _ => return Err(self.wrong(at, "expected !r or !s")),
            }
        }
        let mut spec = String::new();
        if self.peek(0) == Some(':') {
            self.bump();
            while let Some(c) = self.peek(0).filter(|c| *c != '}' && *c != '\n' && *c != quote) {
                spec.push(c);
                self.bump();
            }
        }
        if self.bump() != Some('}') {
            return Err(self.wrong(at, "`{` is not closed in the format text"));
        }
        Ok(Piece::Expression { code, at, repr, spec })
    }
}

/// The indentation of code that begins behind its tag, before its second line says what it is.
const FLOATING: u32 = u32::MAX;
