//! Large and small letters, and what characters are.

use super::Method;
use crate::Value;

/// A method that changes letters.
pub(super) fn change(method: Method, text: &[u8], is_text: bool, make: &dyn Fn(&[u8]) -> Value) -> Option<Value> {
    if !is_text || text.is_ascii() {
        // Bytes have letters only as far as ASCII has.
        match method {
            Method::Lower | Method::CaseFold => return Some(make(&text.to_ascii_lowercase())),
            Method::Upper => return Some(make(&text.to_ascii_uppercase())),
            _ => {}
        }
    }
    let whole = String::from_utf8_lossy(text);
    let changed = match method {
        Method::Lower => whole.to_lowercase(),
        // Not all of Unicode's folding, but what is met.
        Method::CaseFold => whole.to_lowercase().replace('ß', "ss"),
        Method::Upper => whole.to_uppercase(),
        Method::SwapCase => {
            let mut out = String::new();
            for c in whole.chars() {
                if c.is_uppercase() {
                    out.extend(c.to_lowercase());
                } else {
                    out.extend(c.to_uppercase());
                }
            }
            out
        }
        Method::Capitalize | Method::Title => {
            let mut start = true;
            let mut out = String::new();
            for c in whole.chars() {
                if start {
                    out.extend(c.to_uppercase());
                } else {
                    out.extend(c.to_lowercase());
                }
                start = method == Method::Title && !c.is_alphabetic();
            }
            out
        }
        _ => return None,
    };
    Some(make(changed.as_bytes()))
}

/// A method that asks what characters are.
pub(super) fn test(method: Method, text: &str) -> Option<Value> {
    let all = |test: fn(char) -> bool| !text.is_empty() && text.chars().all(test);
    let any = |test: fn(char) -> bool| text.chars().any(test);
    Some(Value::Bool(match method {
        Method::IsDigit | Method::IsDecimal => all(|c| c.is_ascii_digit()),
        Method::IsNumeric => all(char::is_numeric),
        Method::IsAlpha => all(char::is_alphabetic),
        Method::IsAlnum => all(char::is_alphanumeric),
        Method::IsSpace => all(char::is_whitespace),
        Method::IsLower => any(char::is_lowercase) && !any(char::is_uppercase),
        Method::IsUpper => any(char::is_uppercase) && !any(char::is_lowercase),
        Method::IsTitle => {
            let mut inside = false;
            let mut letters = false;
            for c in text.chars() {
                if c.is_uppercase() && inside || c.is_lowercase() && !inside {
                    return Some(Value::Bool(false));
                }
                inside = c.is_uppercase() || c.is_lowercase();
                letters |= inside;
            }
            letters
        }
        _ => return None,
    }))
}
