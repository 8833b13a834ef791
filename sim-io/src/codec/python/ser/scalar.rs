//! Texts and numbers as Python writes them.

use super::super::text;
use crate::codec::json_text::push_number;

/// A string with its quotes, in ASCII.
pub(in super::super) fn string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut plain = 0;
    let bytes = text.as_bytes();
    for (at, c) in text.char_indices() {
        if matches!(c, ' '..='~') && c != '"' && c != '\\' {
            continue;
        }
        out.extend_from_slice(&bytes[plain..at]);
        plain = at + c.len_utf8();
        for unit in c.encode_utf16(&mut [0; 2]) {
            escape(*unit, out);
        }
    }
    out.extend_from_slice(&bytes[plain..]);
    out.push(b'"');
}

fn escape(unit: u16, out: &mut Vec<u8>) {
    let short = match unit {
        0x08 => b'b',
        0x09 => b't',
        0x0a => b'n',
        0x0c => b'f',
        0x0d => b'r',
        0x22 => b'"',
        0x5c => b'\\',
        _ => {
            let digit = |shift: u16| b"0123456789abcdef"[usize::from(unit >> shift & 0xf)];
            out.extend_from_slice(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// Generalized UTF-8 with its quotes.
pub(super) fn surrogates(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for unit in text::units(bytes) {
        match unit {
            0x20..=0x7e if unit != 0x22 && unit != 0x5c => out.push(unit as u8),
            _ => escape(unit, out),
        }
    }
    out.push(b'"');
}

/// A float as Python's `repr` shows it, and as its `json` writes those that are no numbers.
pub(super) fn float(value: f64, out: &mut Vec<u8>) {
    if !value.is_finite() {
        let word = match (value.is_nan(), value > 0.0) {
            (true, _) => "NaN",
            (_, true) => "Infinity",
            _ => "-Infinity",
        };
        out.extend_from_slice(word.as_bytes());
        return;
    }
    // The shortest digits that lead back to this value, as Python takes them.
    let shown = format!("{value:e}");
    let (digits, exponent) = shown.split_once('e').unwrap_or((&shown, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let plain = value.to_string();
        out.extend_from_slice(plain.as_bytes());
        if !plain.contains('.') {
            out.extend_from_slice(b".0");
        }
        return;
    }
    out.extend_from_slice(digits.as_bytes());
    out.push(b'e');
    out.push(if exponent < 0 { b'-' } else { b'+' });
    let exponent = exponent.unsigned_abs();
    if exponent < 10 {
        out.push(b'0');
    }
    push_number(exponent.into(), out);
}

pub(super) fn integer(value: i64, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    push_number(value.unsigned_abs(), out);
}
