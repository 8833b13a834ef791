//! `encode` and `decode`.

use super::{Arguments, Result};
use crate::Value;
use crate::script::python::budget::Budget;

enum Codec {
    Utf8,
    Ascii,
    Latin1,
}

enum Errors {
    Strict,
    Replace,
    Ignore,
}

fn options(arguments: &Arguments<'_>) -> Result<(Codec, Errors)> {
    let given = |index: usize, name: &str| match arguments.get(index).or(arguments.named(name)) {
        None => Ok(None),
        Some(Value::Str(text)) => Ok(Some(text.to_ascii_lowercase().replace('_', "-"))),
        Some(other) => Err(format!("{name} is {}: expected a text", other.kind())),
    };
    let codec = match given(0, "encoding")?.as_deref() {
        None | Some("utf-8" | "utf8") => Codec::Utf8,
        Some("ascii" | "us-ascii") => Codec::Ascii,
        Some("latin-1" | "latin1" | "iso-8859-1" | "iso8859-1") => Codec::Latin1,
        Some(other) => return Err(format!("encoding `{other}`: expected utf-8, ascii or latin-1")),
    };
    let errors = match given(1, "errors")?.as_deref() {
        None | Some("strict") => Errors::Strict,
        Some("replace") => Errors::Replace,
        Some("ignore") => Errors::Ignore,
        Some(other) => return Err(format!("errors `{other}`: expected strict, replace or ignore")),
    };
    Ok((codec, errors))
}

pub(super) fn encode(text: &str, arguments: &Arguments<'_>, budget: &mut Budget) -> Result<Value> {
    budget.make(text.len())?;
    let (codec, errors) = options(arguments)?;
    let (name, last) = match codec {
        Codec::Utf8 => return Ok(text.as_bytes().into()),
        Codec::Ascii => ("ASCII", '\u{7f}'),
        Codec::Latin1 => ("Latin-1", '\u{ff}'),
    };
    let mut out = Vec::with_capacity(text.len());
    for c in text.chars() {
        match (u8::try_from(u32::from(c)), &errors) {
            (Ok(byte), _) if c <= last => out.push(byte),
            (_, Errors::Strict) => return Err(format!("encode: {name} has no {c:?}")),
            (_, Errors::Replace) => out.push(b'?'),
            (_, Errors::Ignore) => {}
        }
    }
    Ok(out.into())
}

pub(super) fn decode(bytes: &[u8], arguments: &Arguments<'_>, budget: &mut Budget) -> Result<Value> {
    budget.make(bytes.len().saturating_mul(3))?;
    let (codec, errors) = options(arguments)?;
    if let (Codec::Utf8, Ok(text)) = (&codec, std::str::from_utf8(bytes)) {
        return Ok(text.into());
    }
    let mut out = String::with_capacity(bytes.len());
    let wrong = |name: &str, at: usize| {
        Err(format!(
            "decode: not {name} at byte {at}; decode(\"utf-8\", \"replace\") takes what can't be read too"
        ))
    };
    match codec {
        Codec::Latin1 => out.extend(bytes.iter().map(|byte| char::from(*byte))),
        Codec::Ascii => {
            for (at, byte) in bytes.iter().enumerate() {
                match errors {
                    _ if byte.is_ascii() => out.push(char::from(*byte)),
                    Errors::Strict => return wrong("ASCII", at),
                    Errors::Replace => out.push(char::REPLACEMENT_CHARACTER),
                    Errors::Ignore => {}
                }
            }
        }
        Codec::Utf8 => {
            let mut at = 0;
            for chunk in bytes.utf8_chunks() {
                out.push_str(chunk.valid());
                at += chunk.valid().len();
                if chunk.invalid().is_empty() {
                    continue;
                }
                match errors {
                    Errors::Strict => return wrong("UTF-8", at),
                    Errors::Replace => out.push(char::REPLACEMENT_CHARACTER),
                    Errors::Ignore => {}
                }
                at += chunk.invalid().len();
            }
        }
    }
    Ok(out.into())
}
