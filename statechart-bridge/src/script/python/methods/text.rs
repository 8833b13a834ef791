//! Methods that text and bytes share.

use memchr::memmem::{self, Finder};

use super::case;
use super::split::{split, split_lines, strip};
use super::{Arguments, Method, Result, wrong};
use crate::Value;
use crate::script::python::budget::Budget;
use crate::script::python::ops;

/// A call of a method of text or bytes.
pub(super) struct Call<'a> {
    pub(super) text: &'a [u8],
    pub(super) is_text: bool,
    pub(super) method: Method,
    pub(super) arguments: &'a Arguments<'a>,
    /// Makes a value of a part.
    pub(super) make: &'a dyn Fn(&[u8]) -> Value,
}

impl Call<'_> {
    fn as_bytes<'v>(&self, value: Option<&'v Value>) -> Result<Option<&'v [u8]>> {
        match value {
            Some(value) => match value.as_bytes() {
                Some(bytes) => Ok(Some(bytes)),
                None if value.is_nil() => Ok(None),
                None => Err(format!(
                    "{}: {} where text is expected",
                    self.method.name(),
                    value.kind()
                )),
            },
            None => Ok(None),
        }
    }

    /// The text that is given there.
    fn bytes(&self, index: usize) -> Result<Option<&[u8]>> {
        self.as_bytes(self.arguments.get(index))
    }

    fn needed(&self, index: usize) -> Result<&[u8]> {
        self.bytes(index)?
            .ok_or_else(|| format!("{}: a missing argument", self.method.name()))
    }

    /// A whole number that is given there.
    fn int(&self, index: usize, name: &str) -> Result<Option<i64>> {
        match self.arguments.get(index).or(self.arguments.named(name)) {
            None | Some(Value::Nil) => Ok(None),
            Some(Value::Int(value)) => Ok(Some(*value)),
            Some(Value::Bool(value)) => Ok(Some(i64::from(*value))),
            Some(other) => Err(format!(
                "{}: {} where an int is expected",
                self.method.name(),
                other.kind()
            )),
        }
    }

    fn whole(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(self.text)
    }

    /// How long it is. Positions are counted in characters of text and in bytes of bytes.
    fn count(&self, bytes: &[u8]) -> usize {
        if self.is_text && !bytes.is_ascii() {
            String::from_utf8_lossy(bytes).chars().count()
        } else {
            bytes.len()
        }
    }

    /// The part that the arguments from this one on name, start and end; nothing if it starts behind the end.
    fn part(&self, index: usize) -> Result<Option<(usize, &[u8])>> {
        let (start, end) = (self.int(index, "")?, self.int(index + 1, "")?);
        if start.is_none() && end.is_none() {
            return Ok(Some((0, self.text)));
        }
        let len = i64::try_from(self.count(self.text)).unwrap_or(i64::MAX);
        let place = |value: i64| {
            if value < 0 {
                value.saturating_add(len).max(0)
            } else {
                value
            }
        };
        let (start, end) = (place(start.unwrap_or(0)), place(end.unwrap_or(len)).min(len));
        if start > len || start > end {
            return Ok(None);
        }
        let offset = |position: i64| {
            let position = usize::try_from(position).unwrap_or(0);
            if !self.is_text || self.text.is_ascii() {
                return position;
            }
            let whole = self.whole();
            let found = whole.char_indices().nth(position).map(|(at, _)| at);
            found.unwrap_or(self.text.len())
        };
        let (start, end) = (offset(start), offset(end));
        Ok(self.text.get(start..end).map(|part| (start, part)))
    }

    fn find(&self) -> Result<Value> {
        self.arguments.count(self.method, 1, 3)?;
        let part = self.needed(0)?;
        let found = self.part(1)?.and_then(|(start, text)| {
            let found = match self.method {
                Method::RFind | Method::RIndex => memmem::rfind(text, part),
                _ => memmem::find(text, part),
            };
            found.map(|at| start + at)
        });
        match found {
            Some(at) => Ok(self.count(&self.text[..at]).into()),
            None if matches!(self.method, Method::Index | Method::RIndex) => {
                Err(format!("{}: the part is not in the text", self.method.name()))
            }
            None => Ok(Value::Int(-1)),
        }
    }

    fn count_parts(&self) -> Result<Value> {
        self.arguments.count(self.method, 1, 3)?;
        let part = self.needed(0)?;
        let Some((_, text)) = self.part(1)? else {
            return Ok(Value::Int(0));
        };
        if part.is_empty() {
            return Ok((self.count(text) + 1).into());
        }
        Ok(memmem::find_iter(text, part).count().into())
    }

    fn starts_or_ends(&self, budget: &mut Budget) -> Result<Value> {
        self.arguments.count(self.method, 1, 3)?;
        let Some((_, text)) = self.part(1)? else {
            return Ok(Value::Bool(false));
        };
        let test = |part: &[u8]| match self.method {
            Method::StartsWith => text.starts_with(part),
            _ => text.ends_with(part),
        };
        if let Some(Value::Tuple(choices)) = self.arguments.get(0) {
            for choice in choices.iter().filter_map(Value::as_bytes) {
                budget.look(1)?;
                budget.scan(choice.len().min(text.len()))?;
                if test(choice) {
                    return Ok(Value::Bool(true));
                }
            }
            return Ok(Value::Bool(false));
        }
        Ok(test(self.needed(0)?).into())
    }

    fn replace(&self, budget: &mut Budget) -> Result<Value> {
        self.arguments.count(self.method, 2, 3)?;
        let (old, new) = (self.needed(0)?, self.needed(1)?);
        let most = usize::try_from(self.int(2, "count")?.unwrap_or(-1)).unwrap_or(usize::MAX);
        let (mut rest, mut out, mut done) = (self.text, Vec::new(), 0);
        let finder = Finder::new(old);
        if old.is_empty() {
            // Between all characters, and around them.
            let whole = self.whole();
            let parts: Vec<&[u8]> = if self.is_text {
                whole
                    .split("")
                    .filter(|part| !part.is_empty())
                    .map(str::as_bytes)
                    .collect()
            } else {
                rest.chunks(1).collect()
            };
            budget.make_items(parts.len())?;
            for part in parts {
                if done < most {
                    budget.make(new.len())?;
                    out.extend_from_slice(new);
                    done += 1;
                }
                out.extend_from_slice(part);
            }
            if done < most {
                out.extend_from_slice(new);
            }
            return Ok((self.make)(&out));
        }
        while let Some(at) = (done < most).then(|| finder.find(rest)).flatten() {
            budget.make(at + new.len())?;
            out.extend_from_slice(&rest[..at]);
            out.extend_from_slice(new);
            rest = &rest[at + old.len()..];
            done += 1;
        }
        out.extend_from_slice(rest);
        Ok((self.make)(&out))
    }

    fn join(&self, budget: &mut Budget) -> Result<Value> {
        self.arguments.count(self.method, 1, 1)?;
        let items = ops::items(self.arguments.get(0).unwrap_or(&Value::Nil), budget)?;
        budget.look(items.len())?;
        let mut out = Vec::new();
        let mut is_bytes = !self.is_text;
        for (at, item) in items.iter().enumerate() {
            let Some(part) = item.as_bytes() else {
                return Err(format!("join: {} where text is expected", item.kind()));
            };
            is_bytes |= matches!(item, Value::Bytes(_));
            budget.make(part.len() + self.text.len())?;
            if at > 0 {
                out.extend_from_slice(self.text);
            }
            out.extend_from_slice(part);
        }
        Ok(if is_bytes { out.into() } else { (self.make)(&out) })
    }

    fn partition(&self) -> Result<Value> {
        self.arguments.count(self.method, 1, 1)?;
        let separator = self.needed(0)?;
        if separator.is_empty() {
            return Err("partition: an empty separator".to_owned());
        }
        let found = match self.method {
            Method::Partition => memmem::find(self.text, separator),
            _ => memmem::rfind(self.text, separator),
        };
        let (text, make) = (self.text, self.make);
        Ok(match found {
            Some(at) => Value::tuple([make(&text[..at]), make(separator), make(&text[at + separator.len()..])]),
            None if self.method == Method::Partition => Value::tuple([make(text), make(b""), make(b"")]),
            None => Value::tuple([make(b""), make(b""), make(text)]),
        })
    }

    fn pad(&self, budget: &mut Budget) -> Result<Value> {
        self.arguments
            .count(self.method, 1, if self.method == Method::ZFill { 1 } else { 2 })?;
        let Some(width) = self.int(0, "width")? else {
            return Err(wrong("text", self.method));
        };
        let missing = usize::try_from(width)
            .unwrap_or(0)
            .saturating_sub(self.count(self.text));
        let fill = match (self.method, self.bytes(1)?) {
            (Method::ZFill, _) => b"0",
            (_, Some(fill)) if self.count(fill) != 1 => {
                return Err(format!("{}: expected one character to fill with", self.method.name()));
            }
            (_, Some(fill)) => fill,
            (_, None) => b" ",
        };
        budget.make(missing.saturating_mul(fill.len()))?;
        let padding = |count: usize| fill.repeat(count);
        let text = self.text;
        let out = match self.method {
            Method::LJust => [text, &padding(missing)].concat(),
            Method::Center => {
                // An odd rest goes to the right, or to the left if the width is odd too.
                let odd = missing % 2 == 1 && width % 2 == 1;
                let left = missing / 2 + usize::from(odd);
                [&padding(left), text, &padding(missing - left)].concat()
            }
            Method::ZFill if text.starts_with(b"-") || text.starts_with(b"+") => {
                [&text[..1], &padding(missing), &text[1..]].concat()
            }
            _ => [&padding(missing), text].concat(),
        };
        Ok((self.make)(&out))
    }

    fn expand_tabs(&self, budget: &mut Budget) -> Result<Value> {
        let width = usize::try_from(self.int(0, "tabsize")?.unwrap_or(8))
            .unwrap_or(0)
            .min(1024);
        let mut out = String::new();
        let mut column = 0;
        for c in self.whole().chars() {
            match c {
                '\t' if width > 0 => {
                    let count = width - column % width;
                    budget.make(count)?;
                    out.extend(std::iter::repeat_n(' ', count));
                    column += count;
                }
                '\t' => {}
                c => {
                    out.push(c);
                    column = if matches!(c, '\n' | '\r') { 0 } else { column + 1 };
                }
            }
        }
        Ok((self.make)(out.as_bytes()))
    }

    pub(super) fn run(&self, budget: &mut Budget) -> Result<Value> {
        // All look at the whole text, some make another of it, and what is looked for is read too.
        budget.scan(self.text.len())?;
        for argument in self
            .arguments
            .values
            .iter()
            .chain(self.arguments.named.iter().map(|(_, value)| value))
        {
            budget.scan(argument.as_bytes().map_or(0, <[u8]>::len))?;
        }
        if self.method.makes_text() {
            budget.make(self.text.len())?;
        }
        let (text, make) = (self.text, self.make);
        match self.method {
            Method::StartsWith | Method::EndsWith => self.starts_or_ends(budget),
            Method::Find | Method::RFind | Method::Index | Method::RIndex => self.find(),
            Method::Count => self.count_parts(),
            Method::Replace => self.replace(budget),
            Method::Join => self.join(budget),
            Method::Partition | Method::RPartition => self.partition(),
            Method::LJust | Method::RJust | Method::Center | Method::ZFill => self.pad(budget),
            Method::ExpandTabs => self.expand_tabs(budget),
            Method::Strip | Method::LStrip | Method::RStrip => {
                self.arguments.count(self.method, 0, 1)?;
                let start = self.method != Method::RStrip;
                let end = self.method != Method::LStrip;
                Ok(make(strip(text, self.bytes(0)?, self.is_text, start, end)))
            }
            Method::Split | Method::RSplit => {
                self.arguments.count(self.method, 0, 2)?;
                let most = usize::try_from(self.int(1, "maxsplit")?.unwrap_or(-1)).unwrap_or(usize::MAX);
                let separator = self.as_bytes(self.arguments.get(0).or(self.arguments.named("sep")))?;
                let parts = split(text, separator, most, self.method == Method::RSplit, budget)?;
                Ok(Value::list(parts.into_iter().map(make)))
            }
            Method::SplitLines => {
                let keep = self.arguments.get(0).or(self.arguments.named("keepends"));
                let lines = split_lines(text, keep.is_some_and(Value::is_true), budget)?;
                Ok(Value::list(lines.into_iter().map(make)))
            }
            Method::RemovePrefix => Ok(make(text.strip_prefix(self.needed(0)?).unwrap_or(text))),
            Method::RemoveSuffix => Ok(make(text.strip_suffix(self.needed(0)?).unwrap_or(text))),
            _ => case::change(self.method, text, self.is_text, make)
                .or_else(|| case::test(self.method, &self.whole()))
                .ok_or_else(|| wrong("text", self.method)),
        }
    }
}
