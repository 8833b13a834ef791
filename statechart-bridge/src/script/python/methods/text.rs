//! Methods of text and bytes.

use super::{Arguments, Method, Result, wrong};
use crate::Value;
use crate::script::python::budget::Budget;
use crate::script::python::ops;

/// Methods that text and bytes share. `make` makes a value of a part.
pub(super) fn text_method(
    text: &[u8],
    method: Method,
    arguments: &Arguments<'_>,
    budget: &mut Budget,
    make: &dyn Fn(&[u8]) -> Value,
) -> Result<Value> {
    let kind = "text";
    let bytes = |index: usize| match arguments.get(index) {
        Some(value) => match value.as_bytes() {
            Some(bytes) => Ok(Some(bytes)),
            None if value.is_nil() => Ok(None),
            None => Err(format!("{}: {} where text is expected", method.name(), value.kind())),
        },
        None => Ok(None),
    };
    let needed = |index: usize| bytes(index)?.ok_or_else(|| format!("{}: a missing argument", method.name()));
    let whole_text = || String::from_utf8_lossy(text);
    let is_text = !matches!(make(b""), Value::Bytes(_));
    budget.make(text.len())?;
    // Positions are counted in characters of text and in bytes of bytes.
    let count = |bytes: &[u8]| {
        if is_text {
            String::from_utf8_lossy(bytes).chars().count()
        } else {
            bytes.len()
        }
    };
    let classify = |test: fn(char) -> bool| {
        let text = whole_text();
        Ok(Value::Bool(!text.is_empty() && text.chars().all(test)))
    };
    match method {
        Method::StartsWith | Method::EndsWith => {
            arguments.count(method, 1, 1)?;
            let test = |part: &[u8]| match method {
                Method::StartsWith => text.starts_with(part),
                _ => text.ends_with(part),
            };
            if let Some(Value::Tuple(choices)) = arguments.get(0) {
                return Ok(choices.iter().filter_map(Value::as_bytes).any(test).into());
            }
            Ok(test(needed(0)?).into())
        }
        Method::Lower => Ok(if text.is_ascii() || !is_text {
            make(&text.to_ascii_lowercase())
        } else {
            whole_text().to_lowercase().into()
        }),
        Method::Upper => Ok(if text.is_ascii() || !is_text {
            make(&text.to_ascii_uppercase())
        } else {
            whole_text().to_uppercase().into()
        }),
        Method::Capitalize | Method::Title => {
            let mut start = true;
            let changed: String = whole_text()
                .chars()
                .map(|c| {
                    let c = if start {
                        c.to_ascii_uppercase()
                    } else {
                        c.to_ascii_lowercase()
                    };
                    start = method == Method::Title && !c.is_alphanumeric();
                    c
                })
                .collect();
            Ok(make(changed.as_bytes()))
        }
        Method::Strip | Method::LStrip | Method::RStrip => {
            arguments.count(method, 0, 1)?;
            let set = bytes(0)?;
            let goes = |byte: &u8| match set {
                Some(set) => set.contains(byte),
                None => byte.is_ascii_whitespace() || *byte == 0xb,
            };
            let (mut start, mut end) = (0, text.len());
            if method != Method::RStrip {
                start = text.iter().position(|byte| !goes(byte)).unwrap_or(end);
            }
            if method != Method::LStrip {
                end = text
                    .iter()
                    .rposition(|byte| !goes(byte))
                    .map_or(start, |at| (at + 1).max(start));
            }
            Ok(make(text.get(start..end).unwrap_or(&[])))
        }
        Method::Split | Method::RSplit => {
            arguments.count(method, 0, 2)?;
            let most = match arguments.get(1).or(arguments.named("maxsplit")) {
                None | Some(Value::Nil) => usize::MAX,
                Some(Value::Int(most)) => usize::try_from(*most).unwrap_or(usize::MAX),
                Some(other) => return Err(format!("split: {} where an int is expected", other.kind())),
            };
            let parts = split(text, bytes(0)?, most, method == Method::RSplit)?;
            budget.make_items(parts.len())?;
            Ok(Value::list(parts.into_iter().map(make)))
        }
        Method::SplitLines => {
            let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
            if lines.last().is_some_and(|last| last.is_empty()) {
                lines.pop();
            }
            budget.make_items(lines.len())?;
            Ok(Value::list(
                lines
                    .into_iter()
                    .map(|line| make(line.strip_suffix(b"\r").unwrap_or(line))),
            ))
        }
        Method::Partition | Method::RPartition => {
            let separator = needed(0)?;
            if separator.is_empty() {
                return Err("partition: an empty separator".to_owned());
            }
            let found = match method {
                Method::Partition => ops::find(text, separator),
                _ => rfind(text, separator),
            };
            Ok(match found {
                Some(at) => Value::tuple([make(&text[..at]), make(separator), make(&text[at + separator.len()..])]),
                None if method == Method::Partition => Value::tuple([make(text), make(b""), make(b"")]),
                None => Value::tuple([make(b""), make(b""), make(text)]),
            })
        }
        Method::Find | Method::RFind | Method::Index => {
            arguments.count(method, 1, 2)?;
            let part = needed(0)?;
            let from = match arguments.get(1) {
                None => 0,
                Some(from) => {
                    let from = usize::try_from(from.as_int().unwrap_or(0)).unwrap_or(0);
                    if is_text {
                        whole_text().char_indices().nth(from).map_or(text.len(), |(at, _)| at)
                    } else {
                        from.min(text.len())
                    }
                }
            };
            let rest = text.get(from..).unwrap_or(&[]);
            let found = if method == Method::RFind {
                rfind(rest, part)
            } else {
                ops::find(rest, part)
            };
            match found {
                Some(at) => Ok(count(&text[..from + at]).into()),
                None if method == Method::Index => Err("index: the part is not in the text".to_owned()),
                None => Ok(Value::Int(-1)),
            }
        }
        Method::Count => {
            let part = needed(0)?;
            if part.is_empty() {
                return Ok((count(text) + 1).into());
            }
            let (mut rest, mut found) = (text, 0_usize);
            while let Some(at) = ops::find(rest, part) {
                found += 1;
                rest = &rest[at + part.len()..];
            }
            Ok(found.into())
        }
        Method::Replace => {
            arguments.count(method, 2, 3)?;
            let (old, new) = (needed(0)?, needed(1)?);
            if old.is_empty() {
                return Err("replace: an empty text".to_owned());
            }
            let most = arguments.get(2).and_then(Value::as_int).unwrap_or(-1);
            let most = usize::try_from(most).unwrap_or(usize::MAX);
            let (mut rest, mut out, mut done) = (text, Vec::new(), 0);
            while let Some(at) = (done < most).then(|| ops::find(rest, old)).flatten() {
                budget.make(at + new.len())?;
                out.extend_from_slice(&rest[..at]);
                out.extend_from_slice(new);
                rest = &rest[at + old.len()..];
                done += 1;
            }
            out.extend_from_slice(rest);
            Ok(make(&out))
        }
        Method::Join => {
            arguments.count(method, 1, 1)?;
            let items = ops::items(arguments.get(0).unwrap_or(&Value::Nil), budget)?;
            let mut out = Vec::new();
            let mut is_bytes = !is_text;
            for (at, item) in items.iter().enumerate() {
                let Some(part) = item.as_bytes() else {
                    return Err(format!("join: {} where text is expected", item.kind()));
                };
                is_bytes |= matches!(item, Value::Bytes(_));
                budget.make(part.len() + text.len())?;
                if at > 0 {
                    out.extend_from_slice(text);
                }
                out.extend_from_slice(part);
            }
            Ok(if is_bytes { out.into() } else { make(&out) })
        }
        Method::RemovePrefix => Ok(make(text.strip_prefix(needed(0)?).unwrap_or(text))),
        Method::RemoveSuffix => Ok(make(text.strip_suffix(needed(0)?).unwrap_or(text))),
        Method::IsDigit => classify(|c| c.is_ascii_digit()),
        Method::IsAlpha => classify(char::is_alphabetic),
        Method::IsAlnum => classify(char::is_alphanumeric),
        Method::IsSpace => classify(char::is_whitespace),
        Method::IsLower => {
            Ok((whole_text().chars().any(char::is_lowercase) && !whole_text().chars().any(char::is_uppercase)).into())
        }
        Method::IsUpper => {
            Ok((whole_text().chars().any(char::is_uppercase) && !whole_text().chars().any(char::is_lowercase)).into())
        }
        Method::LJust | Method::RJust | Method::ZFill => {
            let Some(width) = arguments.get(0).and_then(Value::as_int) else {
                return Err(wrong(kind, method));
            };
            let missing = usize::try_from(width).unwrap_or(0).saturating_sub(count(text));
            budget.make(missing)?;
            let fill = match (method, bytes(1)?) {
                (Method::ZFill, _) => b"0",
                (_, Some(fill)) => fill,
                (_, None) => b" ",
            };
            let padding = fill.repeat(missing);
            Ok(match method {
                Method::LJust => make(&[text, &padding].concat()),
                Method::ZFill if text.starts_with(b"-") => make(&[b"-", &padding[..], &text[1..]].concat()),
                _ => make(&[&padding, text].concat()),
            })
        }
        Method::Decode | Method::Encode => Ok(make(text)),
        _ => Err(wrong(kind, method)),
    }
}

fn rfind(whole: &[u8], part: &[u8]) -> Option<usize> {
    let last = whole.len().checked_sub(part.len())?;
    (0..=last).rev().find(|at| whole[*at..].starts_with(part))
}

fn split<'a>(text: &'a [u8], separator: Option<&[u8]>, most: usize, from_end: bool) -> Result<Vec<&'a [u8]>> {
    let mut parts = Vec::new();
    let mut rest = text;
    match separator {
        Some([]) => return Err("split: an empty separator".to_owned()),
        Some(separator) => {
            while parts.len() < most {
                let found = if from_end {
                    rfind(rest, separator)
                } else {
                    ops::find(rest, separator)
                };
                let Some(at) = found else { break };
                if from_end {
                    parts.push(&rest[at + separator.len()..]);
                    rest = &rest[..at];
                } else {
                    parts.push(&rest[..at]);
                    rest = &rest[at + separator.len()..];
                }
            }
            parts.push(rest);
        }
        None => {
            let space = |byte: &u8| byte.is_ascii_whitespace();
            loop {
                rest = if from_end {
                    rest.trim_ascii_end()
                } else {
                    rest.trim_ascii_start()
                };
                if rest.is_empty() {
                    break;
                }
                if parts.len() >= most {
                    parts.push(if from_end {
                        rest.trim_ascii_start()
                    } else {
                        rest.trim_ascii_end()
                    });
                    break;
                }
                if from_end {
                    let start = rest.iter().rposition(space).map_or(0, |at| at + 1);
                    parts.push(&rest[start..]);
                    rest = &rest[..start];
                } else {
                    let end = rest.iter().position(space).unwrap_or(rest.len());
                    parts.push(&rest[..end]);
                    rest = &rest[end..];
                }
            }
        }
    }
    if from_end {
        parts.reverse();
    }
    Ok(parts)
}
