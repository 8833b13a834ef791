//! `[[fill]align][sign][#][0][width][,][.precision][kind]`: what stands behind the colon of a placeholder.

use std::fmt::Write as _;

use super::{Result, float, number, repr, text};
use crate::Value;
use crate::script::python::budget::Budget;

#[derive(Default)]
pub(super) struct Spec {
    pub(super) fill: Option<char>,
    pub(super) align: Option<char>,
    /// `+` or a space, for what is not negative.
    pub(super) sign: Option<char>,
    /// `0x` and the like.
    pub(super) prefix: bool,
    pub(super) zeros: bool,
    pub(super) width: usize,
    /// `,` or `_` between thousands.
    pub(super) group: Option<char>,
    pub(super) precision: Option<usize>,
    pub(super) kind: Option<char>,
}

/// Checks what stands behind the colon of a placeholder.
pub(in crate::script::python) fn check(spec: &str) -> Result<()> {
    parse(spec).map(|_| ())
}

pub(super) fn parse(text: &str) -> Result<Spec> {
    let mut spec = Spec::default();
    let mut chars = text.chars().peekable();
    let mut ahead = text.chars();
    let (first, second) = (ahead.next(), ahead.next());
    let is_align = |c: Option<char>| c.is_some_and(|c| "<>^=".contains(c));
    if is_align(second) {
        (spec.fill, spec.align) = (first, second);
        chars.next();
        chars.next();
    } else if is_align(first) {
        spec.align = first;
        chars.next();
    }
    spec.sign = chars.next_if(|c| "+- ".contains(*c)).filter(|c| *c != '-');
    spec.prefix = chars.next_if_eq(&'#').is_some();
    spec.zeros = chars.next_if_eq(&'0').is_some();
    spec.width = number(&mut chars)?;
    spec.group = chars.next_if(|c| ",_".contains(*c));
    if chars.next_if_eq(&'.').is_some() {
        spec.precision = Some(number(&mut chars)?);
    }
    spec.kind = chars.next();
    let known = spec.kind.is_none_or(|kind| "sdfFeEgGxXobcn%".contains(kind));
    if !known || chars.next().is_some() {
        return Err(format!(
            "`{}` is no format: expected such as `>8`, `05d`, `.2f`, `x`",
            super::brief(&text)
        ));
    }
    Ok(spec)
}

/// A value as a placeholder writes it.
pub(in crate::script::python) fn value(
    out: &mut String,
    value: &Value,
    shown: bool,
    spec: &str,
    budget: &mut Budget,
) -> Result<()> {
    let written;
    let value = if shown {
        written = Value::from(repr(value, budget)?);
        &written
    } else {
        value
    };
    if spec.is_empty() {
        out.push_str(&text(value, budget)?);
        return Ok(());
    }
    write(out, value, &parse(spec)?, budget)
}

pub(super) fn write(out: &mut String, value: &Value, spec: &Spec, budget: &mut Budget) -> Result<()> {
    let kind = match (spec.kind, value) {
        (Some('n'), Value::Float(_)) => 'g',
        (Some('n'), _) => 'd',
        (Some(kind), _) => kind,
        (None, Value::Float(_)) => '\0',
        (None, Value::Int(_) | Value::Bool(_)) => 'd',
        (None, _) => 's',
    };
    let wrong = || format!("format `{kind}` doesn't go with {}", value.kind());
    let int = || match value {
        Value::Int(value) => Ok(*value),
        Value::Bool(value) => Ok(i64::from(*value)),
        _ => Err(wrong()),
    };
    let number = || match value {
        Value::Bool(value) => Ok(f64::from(u8::from(*value))),
        _ => value.as_number().ok_or_else(wrong),
    };
    let precision = spec.precision.unwrap_or(6);
    let mut prefix = "";
    // Digits without their sign.
    let mut negative = false;
    let mut body = String::new();
    match kind {
        's' => {
            if matches!(value, Value::List(_) | Value::Tuple(_) | Value::Map(_) | Value::Nil) && spec.width > 0 {
                return Err(wrong());
            }
            body = text(value, budget)?;
            if let Some(most) = spec.precision {
                body = body.chars().take(most).collect();
            }
        }
        'c' => body.push(character(value).ok_or_else(wrong)?),
        'd' | 'x' | 'X' | 'o' | 'b' => {
            let value = int()?;
            negative = value < 0;
            let value = value.unsigned_abs();
            let _ = match kind {
                'd' => write!(body, "{value}"),
                'x' => write!(body, "{value:x}"),
                'X' => write!(body, "{value:X}"),
                'o' => write!(body, "{value:o}"),
                _ => write!(body, "{value:b}"),
            };
            if spec.prefix {
                prefix = match kind {
                    'x' => "0x",
                    'X' => "0X",
                    'o' => "0o",
                    'b' => "0b",
                    _ => "",
                };
            }
        }
        _ => {
            let value = number()?;
            negative = value.is_sign_negative() && !value.is_nan();
            let value = value.abs();
            body = if !value.is_finite() {
                float(value)
            } else {
                match kind {
                    'f' | 'F' => format!("{value:.precision$}"),
                    '%' => format!("{:.precision$}", value * 100.0),
                    'e' | 'E' => exponent(value, precision),
                    'g' | 'G' => general(value, precision.max(1), false),
                    _ => match spec.precision {
                        Some(precision) => general(value, precision.max(1), true),
                        None => float(value),
                    },
                }
            };
            if kind == '%' {
                body.push('%');
            }
            if matches!(kind, 'E' | 'G' | 'F') {
                body.make_ascii_uppercase();
            }
        }
    }
    let is_number = kind != 's' && kind != 'c';
    if let Some(group) = spec.group {
        body = grouped(&body, group);
    }
    let sign = match (negative, spec.sign) {
        (true, _) => "-",
        (false, Some('+')) if is_number => "+",
        (false, Some(' ')) if is_number => " ",
        _ => "",
    };
    let front = format!("{sign}{prefix}");
    let missing = spec.width.saturating_sub(front.len() + body.chars().count());
    let (fill, align) = match (spec.fill, spec.align) {
        (fill, Some(align)) => (fill.unwrap_or(if spec.zeros { '0' } else { ' ' }), align),
        (_, None) if spec.zeros && is_number => ('0', '='),
        (_, None) if is_number => (' ', '>'),
        _ => (' ', '<'),
    };
    budget.make(body.len() + missing * fill.len_utf8() + front.len())?;
    let (before, inside) = match align {
        '>' => (missing, 0),
        '^' => (missing / 2, 0),
        '=' => (0, missing),
        _ => (0, 0),
    };
    out.extend(std::iter::repeat_n(fill, before));
    out.push_str(&front);
    out.extend(std::iter::repeat_n(fill, inside));
    out.push_str(&body);
    out.extend(std::iter::repeat_n(fill, missing - before - inside));
    Ok(())
}

/// The character of `%c`: a code, or a text of one character.
fn character(value: &Value) -> Option<char> {
    match value {
        Value::Int(code) => u32::try_from(*code).ok().and_then(char::from_u32),
        Value::Str(text) => {
            let mut chars = text.chars();
            chars.next().filter(|_| chars.next().is_none())
        }
        _ => None,
    }
}

fn exponent(value: f64, precision: usize) -> String {
    let text = format!("{value:.precision$e}");
    match text.split_once('e') {
        Some((digits, power)) => {
            let (sign, power) = match power.strip_prefix('-') {
                Some(power) => ('-', power),
                None => ('+', power),
            };
            format!("{digits}e{sign}{power:0>2}")
        }
        None => text,
    }
}

/// So many digits, with an exponent if that is shorter; `point` keeps one digit behind the point, as `str` does.
fn general(value: f64, precision: usize, point: bool) -> String {
    let rounded = exponent(value, precision - 1);
    let power: i32 = rounded
        .split_once('e')
        .and_then(|(_, power)| power.parse().ok())
        .unwrap_or(0);
    let digits = i32::try_from(precision).unwrap_or(i32::MAX);
    // The form of `str` goes over to exponents one digit earlier, to have that digit behind the point.
    let most = if point { digits - 1 } else { digits };
    let trim = |text: &str| {
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text.to_owned()
        }
    };
    if value == 0.0 || (-4..most.max(1)).contains(&power) {
        let places = usize::try_from(digits - 1 - power).unwrap_or(0);
        let text = trim(&format!("{value:.places$}"));
        return if point && !text.contains('.') {
            format!("{text}.0")
        } else {
            text
        };
    }
    match rounded.split_once('e') {
        Some((digits, power)) => format!("{}e{power}", trim(digits)),
        None => rounded,
    }
}

fn grouped(text: &str, group: char) -> String {
    let whole = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(whole);
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(group);
        }
        out.push(digit);
    }
    out + rest
}
