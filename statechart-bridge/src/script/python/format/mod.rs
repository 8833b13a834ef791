//! Values as text: `str` and `repr`, `%`, `format` and format texts.

mod braces;
mod percent;
mod spec;

use std::fmt::{self, Display, Write as _};

pub(super) use braces::format;
pub(super) use percent::percent;
pub(super) use spec::{check, value};

use super::budget::Budget;
use super::ops;
use crate::Value;

type Result<T> = std::result::Result<T, String>;

/// What `str` and `print` make of a value: text as it is, bytes read as UTF-8, all else as code writes it.
pub(super) fn text(value: &Value, budget: &mut Budget) -> Result<String> {
    let mut out = String::new();
    write_text(&mut out, value, budget)?;
    Ok(out)
}

/// Adds what `str` makes of a value.
pub(super) fn write_text(out: &mut String, value: &Value, budget: &mut Budget) -> Result<()> {
    match value {
        Value::Str(text) => {
            budget.make(text.len())?;
            out.push_str(text);
        }
        Value::Bytes(bytes) => {
            budget.make(bytes.len())?;
            out.push_str(&String::from_utf8_lossy(bytes));
        }
        other => write_repr(out, other, budget)?,
    }
    Ok(())
}

/// What `repr` makes of a value: as Python's code writes it.
pub(super) fn repr(value: &Value, budget: &mut Budget) -> Result<String> {
    let mut out = String::new();
    write_repr(&mut out, value, budget)?;
    Ok(out)
}

fn write_repr(out: &mut String, value: &Value, budget: &mut Budget) -> Result<()> {
    let start = out.len();
    match value {
        Value::Float(value) => out.push_str(&float(*value)),
        Value::Str(text) => quote(out, text),
        Value::Bytes(bytes) => quote_bytes(out, bytes),
        Value::List(items) => return write_items(out, '[', items, ']', budget),
        Value::Tuple(items) if items.len() == 1 => {
            write_items(out, '(', items, ',', budget)?;
            out.push(')');
            return Ok(());
        }
        Value::Tuple(items) => return write_items(out, '(', items, ')', budget),
        Value::Map(map) => {
            out.push('{');
            for (at, (key, value)) in map.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                write_repr(out, key, budget)?;
                out.push_str(": ");
                write_repr(out, value, budget)?;
            }
            out.push('}');
            return budget.make(map.len() + 2);
        }
        other => {
            let _ = write!(out, "{other}");
        }
    }
    budget.make(out.len() - start)
}

fn write_items(out: &mut String, open: char, items: &[Value], close: char, budget: &mut Budget) -> Result<()> {
    out.push(open);
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        write_repr(out, item, budget)?;
    }
    out.push(close);
    budget.make(items.len() + 2)
}

/// A text in quotes: in double ones if that spares backslashes.
fn quote(out: &mut String, text: &str) {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    out.push(quote);
    // The usual case, at once.
    if text
        .bytes()
        .all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'\'' | b'"' | b'\\'))
    {
        out.push_str(text);
        out.push(quote);
        return;
    }
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            ' '..='~' => out.push(c),
            c if is_printable(c) => out.push(c),
            c => {
                let _ = match u32::from(c) {
                    code @ ..=0xff => write!(out, "\\x{code:02x}"),
                    code @ ..=0xffff => write!(out, "\\u{code:04x}"),
                    code => write!(out, "\\U{code:08x}"),
                };
            }
        }
    }
    out.push(quote);
}

/// As far as the standard library knows: it escapes what has no look of its own.
fn is_printable(c: char) -> bool {
    !c.is_whitespace() && c.escape_debug().count() == 1
}

fn quote_bytes(out: &mut String, bytes: &[u8]) {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') {
        b'"'
    } else {
        b'\''
    };
    out.push('b');
    out.push(quote.into());
    for byte in bytes {
        match byte {
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            b'\\' => out.push_str("\\\\"),
            byte if *byte == quote => {
                out.push('\\');
                out.push((*byte).into());
            }
            b' '..=b'~' => out.push((*byte).into()),
            byte => {
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
    out.push(quote.into());
}

/// A floating number with as many digits as tell it from all others.
pub(super) fn float(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let shortest = format!("{value:e}");
    let (digits, power) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let power: i32 = power.parse().unwrap_or(0);
    if (-4..16).contains(&power) {
        return format!("{value:?}");
    }
    let sign = if power < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", power.unsigned_abs())
}

/// The whole part of a number.
pub(super) fn ops_int(float: f64) -> Result<Value> {
    let whole = float.trunc();
    if !whole.is_finite() {
        return Err(format!("{} is no whole number", self::float(float)));
    }
    #[expect(clippy::cast_possible_truncation, reason = "in range: checked in this line")]
    (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0)
        .contains(&whole)
        .then_some(Value::Int(whole as i64))
        .ok_or_else(|| ops::TOO_LARGE.to_owned())
}

/// A value in the message of an error: its beginning, if it is long.
pub(super) fn brief(value: &impl Display) -> String {
    const MOST: usize = 80;
    struct Beginning(String);
    impl fmt::Write for Beginning {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            let room = MOST.saturating_sub(self.0.len());
            if text.len() <= room {
                self.0.push_str(text);
                return Ok(());
            }
            self.0.push_str(&text[..text.floor_char_boundary(room)]);
            self.0.push('…');
            // Nobody reads the rest, so that nobody shall write it.
            Err(fmt::Error)
        }
    }
    let mut beginning = Beginning(String::new());
    let _ = write!(beginning, "{value}");
    beginning.0
}

const WIDEST: usize = 1024;

fn number(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<usize> {
    let mut value = 0;
    while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
        value = value * 10 + digit as usize;
        if value > WIDEST {
            return Err(too_wide());
        }
        chars.next();
    }
    Ok(value)
}

fn too_wide() -> String {
    format!("a width of more than {WIDEST}")
}
