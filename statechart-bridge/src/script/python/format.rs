//! Values as text: `str`, `repr`, `%`, `format` and format texts.

use std::fmt::Write as _;

use super::budget::Budget;
use super::ops;
use crate::Value;

type Result<T> = std::result::Result<T, String>;

/// What `str` and `print` make of a value: text as it is, bytes read as UTF-8, all else as code writes it.
pub(super) fn text(value: &Value, budget: &mut Budget) -> Result<String> {
    Ok(match value {
        Value::Str(text) => {
            budget.make(text.len())?;
            text.as_ref().to_owned()
        }
        Value::Bytes(bytes) => {
            budget.make(bytes.len())?;
            String::from_utf8_lossy(bytes).into_owned()
        }
        other => {
            let text = other.to_string();
            budget.make(text.len())?;
            text
        }
    })
}

/// `format % values`.
pub(super) fn percent(format: &str, values: &Value, budget: &mut Budget) -> Result<String> {
    let one = std::slice::from_ref(values);
    let given = match values {
        Value::Tuple(items) => &items[..],
        _ => one,
    };
    let mut given = given.iter();
    let mut out = String::new();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut key = None;
        if chars.peek() == Some(&'(') {
            chars.next();
            key = Some(chars.by_ref().take_while(|c| *c != ')').collect::<String>());
        }
        let mut spec = Spec::default();
        while let Some(flag) = chars.peek().copied().filter(|c| "-+ 0#".contains(*c)) {
            match flag {
                '-' => spec.align = Some('<'),
                '+' => spec.plus = true,
                '0' => spec.zeros = true,
                _ => {}
            }
            chars.next();
        }
        spec.width = number(&mut chars)?;
        if chars.peek() == Some(&'.') {
            chars.next();
            spec.precision = Some(number(&mut chars)?);
        }
        let Some(kind) = chars.next() else {
            return Err("a `%` at the end of a format: write `%%`".to_owned());
        };
        if kind == '%' {
            out.push('%');
            continue;
        }
        let keyed;
        let value = match key {
            Some(key) => {
                keyed = ops::index(values, &Value::from(key))?;
                &keyed
            }
            None => given.next().ok_or("fewer values than the format has places")?,
        };
        if spec.align.is_none() {
            // `%` puts texts and numbers to the right.
            spec.align = Some('>');
        }
        spec.kind = Some(match kind {
            's' => 's',
            'r' => {
                let text = value.to_string();
                spec.kind = Some('s');
                pad(&mut out, &text, &spec, budget)?;
                continue;
            }
            'i' | 'u' => 'd',
            'd' | 'f' | 'F' | 'e' | 'g' | 'x' | 'X' | 'o' | 'c' => kind,
            other => {
                return Err(format!(
                    "`%{other}` is no format: expected one of %s %r %d %f %e %g %x %o %c %%"
                ));
            }
        });
        if spec.kind == Some('d')
            && let Value::Float(float) = value
        {
            write(&mut out, &ops_int(*float)?, &spec, budget)?;
            continue;
        }
        write(&mut out, value, &spec, budget)?;
    }
    if matches!(values, Value::Tuple(_)) && given.next().is_some() {
        return Err("more values than the format has places".to_owned());
    }
    budget.make(out.len())?;
    Ok(out)
}

/// The whole part of a number.
pub(super) fn ops_int(float: f64) -> Result<Value> {
    let whole = float.trunc();
    #[expect(clippy::cast_possible_truncation, reason = "in range: checked in this line")]
    (-9.2e18..9.2e18)
        .contains(&whole)
        .then_some(Value::Int(whole as i64))
        .ok_or_else(|| ops::TOO_LARGE.to_owned())
}

const WIDEST: usize = 1024;

fn number(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<usize> {
    let mut value = 0;
    while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
        value = value * 10 + digit as usize;
        if value > WIDEST {
            return Err(format!("a width of more than {WIDEST}"));
        }
        chars.next();
    }
    Ok(value)
}

/// `[[fill]align][+][0][width][,][.precision][kind]`.
#[derive(Default)]
struct Spec {
    fill: Option<char>,
    align: Option<char>,
    plus: bool,
    zeros: bool,
    width: usize,
    comma: bool,
    precision: Option<usize>,
    kind: Option<char>,
}

/// Checks what stands behind the colon of a placeholder.
pub(super) fn check(spec: &str) -> Result<()> {
    parse(spec).map(|_| ())
}

fn parse(text: &str) -> Result<Spec> {
    let mut spec = Spec::default();
    let mut chars = text.chars().peekable();
    let mut ahead = text.chars();
    let (first, second) = (ahead.next(), ahead.next());
    let is_align = |c: Option<char>| c.is_some_and(|c| "<>^".contains(c));
    if is_align(second) {
        (spec.fill, spec.align) = (first, second);
        chars.next();
        chars.next();
    } else if is_align(first) {
        spec.align = first;
        chars.next();
    }
    if chars.peek() == Some(&'+') {
        spec.plus = true;
        chars.next();
    }
    if chars.peek() == Some(&'0') {
        spec.zeros = true;
        chars.next();
    }
    spec.width = number(&mut chars)?;
    if chars.peek() == Some(&',') {
        spec.comma = true;
        chars.next();
    }
    if chars.peek() == Some(&'.') {
        chars.next();
        spec.precision = Some(number(&mut chars)?);
    }
    spec.kind = chars.next();
    let known = spec.kind.is_none_or(|kind| "sdfFegxXobc%".contains(kind));
    if !known || chars.next().is_some() {
        return Err(format!(
            "`{text}` is no format: expected such as `>8`, `05d`, `.2f`, `x`"
        ));
    }
    Ok(spec)
}

/// A value as a placeholder writes it.
pub(super) fn value(out: &mut String, value: &Value, repr: bool, spec: &str, budget: &mut Budget) -> Result<()> {
    let shown;
    let value = if repr {
        shown = Value::from(value.to_string());
        &shown
    } else {
        value
    };
    if spec.is_empty() {
        out.push_str(&text(value, budget)?);
        return Ok(());
    }
    write(out, value, &parse(spec)?, budget)
}

fn write(out: &mut String, value: &Value, spec: &Spec, budget: &mut Budget) -> Result<()> {
    let kind = match (spec.kind, value) {
        (Some(kind), _) => kind,
        (None, Value::Float(_)) if spec.precision.is_some() => 'g',
        (None, Value::Int(_)) => 'd',
        (None, _) => 's',
    };
    let wrong = || format!("format `{kind}` doesn't go with {}", value.kind());
    let int = || match value {
        Value::Int(value) => Ok(*value),
        Value::Bool(value) => Ok(i64::from(*value)),
        _ => Err(wrong()),
    };
    let float = || match value {
        Value::Bool(value) => Ok(f64::from(u8::from(*value))),
        _ => value.as_number().ok_or_else(wrong),
    };
    let mut body = String::new();
    match kind {
        's' => {
            body = text(value, budget)?;
            if let Some(most) = spec.precision {
                body = body.chars().take(most).collect();
            }
        }
        'c' => match value {
            Value::Int(code) => {
                let c = u32::try_from(*code).ok().and_then(char::from_u32).ok_or_else(wrong)?;
                body.push(c);
            }
            _ => body = text(value, budget)?,
        },
        'd' => {
            body = int()?.to_string();
        }
        'x' => body = radix(int()?, |n| format!("{n:x}")),
        'X' => body = radix(int()?, |n| format!("{n:X}")),
        'o' => body = radix(int()?, |n| format!("{n:o}")),
        'b' => body = radix(int()?, |n| format!("{n:b}")),
        'f' | 'F' => {
            let precision = spec.precision.unwrap_or(6);
            let _ = write!(body, "{:.precision$}", float()?);
        }
        '%' => {
            let precision = spec.precision.unwrap_or(6);
            let _ = write!(body, "{:.precision$}%", float()? * 100.0);
        }
        'e' => body = exponent(float()?, spec.precision.unwrap_or(6)),
        _ => body = general(float()?, spec.precision.unwrap_or(6).max(1)),
    }
    if spec.comma {
        body = thousands(&body);
    }
    let is_number = kind != 's' && kind != 'c';
    if spec.plus && is_number && !body.starts_with('-') {
        body.insert(0, '+');
    }
    if spec.zeros && is_number && spec.align != Some('<') {
        let missing = spec.width.saturating_sub(body.chars().count());
        let sign = usize::from(body.starts_with(['-', '+']));
        body.insert_str(sign, &"0".repeat(missing));
    }
    let number_spec = Spec {
        fill: spec.fill,
        align: spec.align.or(if is_number { Some('>') } else { None }),
        width: spec.width,
        ..Spec::default()
    };
    pad(out, &body, &number_spec, budget)
}

fn radix(value: i64, digits: impl Fn(u64) -> String) -> String {
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{}", digits(value.unsigned_abs()))
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

fn general(value: f64, precision: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let power = value.abs().log10().floor();
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let plain = power >= -4.0 && power < precision as f64;
    let text = if plain {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and the precision, which is small"
        )]
        let places = (precision as f64 - 1.0 - power).max(0.0) as usize;
        format!("{value:.places$}")
    } else {
        exponent(value, precision - 1)
    };
    let trim = |text: &str| text.trim_end_matches('0').trim_end_matches('.').to_owned();
    match text.split_once('e') {
        Some((digits, power)) if digits.contains('.') => format!("{}e{power}", trim(digits)),
        None if text.contains('.') => trim(&text),
        _ => text,
    }
}

fn thousands(text: &str) -> String {
    let whole = text.find('.').unwrap_or(text.len());
    let (whole, rest) = text.split_at(whole);
    let (sign, digits) = match whole.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", whole),
    };
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    format!("{sign}{out}{rest}")
}

fn pad(out: &mut String, body: &str, spec: &Spec, budget: &mut Budget) -> Result<()> {
    let missing = spec.width.saturating_sub(body.chars().count());
    budget.make(body.len() + missing)?;
    let fill = spec.fill.unwrap_or(' ');
    let before = match spec.align {
        Some('>') => missing,
        Some('^') => missing / 2,
        _ => 0,
    };
    out.extend(std::iter::repeat_n(fill, before));
    out.push_str(body);
    out.extend(std::iter::repeat_n(fill, missing - before));
    Ok(())
}

/// `format.format(values)`.
pub(super) fn format(
    format: &str,
    values: &[Value],
    named: &[(std::sync::Arc<str>, Value)],
    budget: &mut Budget,
) -> Result<String> {
    let mut out = String::new();
    let mut rest = format;
    let mut next = 0;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let c = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(more) = rest.strip_prefix(c) {
            out.push_str(c);
            rest = more;
            continue;
        }
        if c == "}" {
            return Err("`}` alone in a format: write `}}`".to_owned());
        }
        let Some((place, more)) = rest.split_once('}') else {
            return Err("`{` is not closed in a format".to_owned());
        };
        rest = more;
        let (name, spec) = place.split_once(':').unwrap_or((place, ""));
        let (name, repr) = match name.strip_suffix("!r") {
            Some(name) => (name, true),
            None => (name.strip_suffix("!s").unwrap_or(name), false),
        };
        let chosen = if name.is_empty() {
            next += 1;
            values.get(next - 1)
        } else if let Ok(index) = name.parse::<usize>() {
            values.get(index)
        } else {
            named.iter().find(|(known, _)| **known == *name).map(|(_, value)| value)
        };
        let chosen = chosen.ok_or_else(|| format!("no value for `{{{place}}}`"))?;
        value(&mut out, chosen, repr, spec, budget)?;
    }
    out.push_str(rest);
    budget.make(out.len())?;
    Ok(out)
}
