//! Cuts SML into words, strings and marks, and knows where it is.

use std::fmt;

use super::{Direction, ParseError, short};

/// One piece of the text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Token<'a> {
    /// `<`
    Open,
    /// `>`
    Close,
    /// `:`
    Colon,
    /// `.` alone
    Stop,
    /// `[…]`, without the brackets
    Size(&'a str),
    /// In quotes, without them
    Text(&'a str),
    /// A type, a number, a name
    Word(&'a str),
    /// `H->E` and the like
    Direction(Direction),
    /// Nothing more
    End,
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("`<`"),
            Self::Close => f.write_str("`>`"),
            Self::Colon => f.write_str("`:`"),
            Self::Stop => f.write_str("`.`"),
            Self::Size(size) => write!(f, "`[{}]`", short(size)),
            Self::Text(text) => write!(f, "the string \"{}\"", short(text)),
            Self::Word(word) => write!(f, "`{}`", short(word)),
            Self::Direction(direction) => write!(f, "`{direction}`"),
            Self::End => f.write_str("the end of the text"),
        }
    }
}

pub(super) struct Scanner<'a> {
    text: &'a str,
    /// Where the next token may begin.
    at: usize,
    /// Where the token began that was taken last.
    token: usize,
    pub(super) escapes: bool,
}

const DIRECTIONS: [(&str, Direction); 3] = [
    ("H<->E", Direction::Both),
    ("H->E", Direction::HostToEquipment),
    ("H<-E", Direction::EquipmentToHost),
];

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str, escapes: bool) -> Self {
        Self {
            text,
            at: 0,
            token: 0,
            escapes,
        }
    }

    pub(super) fn next(&mut self) -> Result<Token<'a>, ParseError> {
        self.at = self.blank(self.at)?;
        self.token = self.at;
        let (token, length) = self.look()?;
        self.at += length;
        Ok(token)
    }

    pub(super) fn peek(&mut self) -> Result<Token<'a>, ParseError> {
        let (at, token) = (self.at, self.token);
        let next = self.next();
        if next.is_ok() {
            (self.at, self.token) = (at, token);
        }
        next
    }

    /// An error at the token that was taken last.
    pub(super) fn error(&self, what: impl Into<String>) -> ParseError {
        ParseError::new(self.text, self.token, what.into())
    }

    /// Where the token begins that was taken last.
    pub(super) fn place(&self) -> usize {
        self.token
    }

    /// An error at an earlier [place](Self::place).
    pub(super) fn error_at(&self, place: usize, what: impl Into<String>) -> ParseError {
        ParseError::new(self.text, place, what.into())
    }

    fn rest(&self, at: usize) -> &'a str {
        self.text.get(at..).unwrap_or_default()
    }

    /// Steps over blanks and comments.
    fn blank(&mut self, mut at: usize) -> Result<usize, ParseError> {
        loop {
            let rest = self.rest(at);
            let inner = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{FEFF}');
            at += rest.len() - inner.len();
            if inner.starts_with("//") {
                at += inner.find('\n').unwrap_or(inner.len());
            } else if inner.starts_with("/*") {
                let Some(end) = inner.find("*/") else {
                    self.token = at;
                    return Err(self.error("the comment has no end: `*/` is missing"));
                };
                at += end + 2;
            } else {
                return Ok(at);
            }
        }
    }

    fn look(&self) -> Result<(Token<'a>, usize), ParseError> {
        let rest = self.rest(self.at);
        for (text, direction) in DIRECTIONS {
            if rest
                .get(..text.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(text))
            {
                return Ok((Token::Direction(direction), text.len()));
            }
        }
        let Some(first) = rest.chars().next() else {
            return Ok((Token::End, 0));
        };
        Ok(match first {
            '<' => (Token::Open, 1),
            '>' => (Token::Close, 1),
            ':' => (Token::Colon, 1),
            '.' if !rest[1..].starts_with(|c: char| c.is_ascii_digit()) => (Token::Stop, 1),
            '[' => match rest.find(']') {
                Some(end) => (Token::Size(rest[1..end].trim()), end + 1),
                None => return Err(self.error("the bracket has no end: `]` is missing")),
            },
            '"' | '\'' => {
                let end = self
                    .end_of_text(rest, first)
                    .ok_or_else(|| self.error(format!("the string has no end: `{first}` is missing")))?;
                (Token::Text(&rest[1..end]), end + 1)
            }
            _ => {
                let end = rest.find(ends_word).unwrap_or(rest.len());
                // A full stop ends a message, unless it is in a number.
                let word = &rest[..end];
                let number = word.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'));
                let word = match word.find('.') {
                    Some(stop) if !number => &word[..stop],
                    _ => word,
                };
                if word.is_empty() {
                    return Err(self.error(format!("`{first}` has no meaning here")));
                }
                (Token::Word(word), word.len())
            }
        })
    }

    /// Where the closing quote stands.
    fn end_of_text(&self, rest: &str, quote: char) -> Option<usize> {
        let mut escaped = false;
        for (position, c) in rest.char_indices().skip(1) {
            if escaped {
                escaped = false;
            } else if c == '\\' && self.escapes {
                escaped = true;
            } else if c == quote {
                return Some(position);
            }
        }
        None
    }
}

fn ends_word(c: char) -> bool {
    c.is_whitespace() || matches!(c, '<' | '>' | '[' | ']' | ':' | '"' | '\'' | '/' | ',')
}
