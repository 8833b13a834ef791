//! Numbers from text, and what is done with them by functions.

use super::ops::TOO_LARGE;
use crate::Value;

/// Digits without the underscores between them; nothing if they stand elsewhere.
pub(super) fn without_underscores(text: &str, radix: u32) -> Option<String> {
    let bytes = text.as_bytes();
    let is_digit = |at: Option<usize>| {
        let byte = at.and_then(|at| bytes.get(at)).copied();
        byte.is_some_and(|byte| char::from(byte).is_digit(radix))
    };
    let wrong = |at: usize| bytes.get(at) == Some(&b'_') && !(is_digit(at.checked_sub(1)) && is_digit(Some(at + 1)));
    (0..bytes.len()).all(|at| !wrong(at)).then(|| text.replace('_', ""))
}

/// A whole number as code and people write it.
pub(super) fn parse(text: &str, radix: u32) -> Option<i64> {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let (known, rest) = match lower.get(..2) {
        Some("0x") => (16, &lower[2..]),
        Some("0o") => (8, &lower[2..]),
        Some("0b") => (2, &lower[2..]),
        _ => (10, &*lower),
    };
    let (radix, rest) = match radix {
        0 => (known, rest),
        radix if radix == known => (radix, rest),
        radix => (radix, &*lower),
    };
    let rest = rest.strip_prefix('_').filter(|_| known != 10).unwrap_or(rest);
    if !rest.starts_with(|c: char| c.is_digit(radix)) {
        return None;
    }
    let digits = without_underscores(rest, radix)?;
    i64::from_str_radix(&format!("{sign}{digits}"), radix).ok()
}

/// To so many digits behind the point, to the even neighbour if it is in the middle.
pub(super) fn round(value: f64, digits: i64) -> f64 {
    // The widest numbers have 308 digits before the point and 324 behind it.
    match digits {
        _ if !value.is_finite() => value,
        ..-308 => 0.0_f64.copysign(value),
        324.. => value,
        // The library's text form is exact, so that nothing is rounded twice.
        0.. => format!("{value:.*}", usize::try_from(digits).unwrap_or(0))
            .parse()
            .unwrap_or(value),
        _ => {
            let scale = 10_f64.powi(i32::try_from(-digits).unwrap_or(0));
            (value / scale).round_ties_even() * scale
        }
    }
}

pub(super) fn round_int(value: i64, digits: i64) -> Result<Value, String> {
    if digits >= 0 {
        return Ok(Value::Int(value));
    }
    let Some(scale) = u32::try_from(digits.unsigned_abs())
        .ok()
        .and_then(|digits| 10_i64.checked_pow(digits))
    else {
        return Ok(Value::Int(0));
    };
    let (quotient, rest) = (value.div_euclid(scale), value.rem_euclid(scale));
    let up = match rest.cmp(&(scale - rest)) {
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => quotient % 2 != 0,
        std::cmp::Ordering::Less => false,
    };
    let rounded = (quotient + i64::from(up)).checked_mul(scale);
    rounded.map(Value::Int).ok_or_else(|| TOO_LARGE.to_owned())
}

/// `pow(a, b, m)`.
pub(super) fn power_rest(base: i64, exponent: i64, modulus: i64) -> Result<Value, String> {
    if modulus == 0 {
        return Err("pow: a modulus of 0".to_owned());
    }
    let Ok(mut exponent) = u64::try_from(exponent) else {
        return Err("pow: a negative exponent with a modulus".to_owned());
    };
    let modulus = i128::from(modulus);
    let (mut result, mut base) = (1_i128.rem_euclid(modulus), i128::from(base).rem_euclid(modulus));
    while exponent > 0 {
        if exponent % 2 == 1 {
            result = result * base % modulus;
        }
        base = base * base % modulus;
        exponent /= 2;
    }
    // With the sign of the modulus.
    if modulus < 0 && result > 0 {
        result += modulus;
    }
    i64::try_from(result).map(Value::Int).map_err(|_| TOO_LARGE.to_owned())
}

pub(super) fn gcd(a: i64, b: i64) -> Result<Value, String> {
    let (mut a, mut b) = (a.unsigned_abs(), b.unsigned_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    i64::try_from(a).map(Value::Int).map_err(|_| TOO_LARGE.to_owned())
}
