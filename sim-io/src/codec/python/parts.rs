//! The parts of a list or a dictionary, each to be read by whoever knows its type.

use std::ops::Range;

use serde::de::DeserializeSeed;

use super::{CustomTypes, de};
use crate::codec::CodecError;
use crate::codec::json_text::Cursor;

/// Where the items of a list lie.
pub(crate) fn list(text: &str) -> Result<Vec<Range<usize>>, CodecError> {
    let mut cursor = Cursor::new(text.as_bytes());
    let mut items = Vec::new();
    cursor.expect(b'[', "a list")?;
    if !cursor.take(b']') {
        loop {
            items.push(cursor.value()?);
            if cursor.take(b']') {
                break;
            }
            cursor.expect(b',', "`,` or `]`")?;
        }
    }
    cursor.finish()?;
    Ok(items)
}

/// The keys of a dictionary, and where their values lie. Of equal keys the last one counts.
pub(crate) fn dict(text: &str) -> Result<Vec<(String, Range<usize>)>, CodecError> {
    let mut cursor = Cursor::new(text.as_bytes());
    let mut items = Vec::new();
    cursor.expect(b'{', "an object")?;
    if !cursor.take(b'}') {
        loop {
            let key = cursor.value()?;
            let key: String = de::read(text.get(key).unwrap_or_default(), &CustomTypes::default())?;
            cursor.expect(b':', "`:`")?;
            let value = cursor.value()?;
            items.retain(|(known, _)| *known != key);
            items.push((key, value));
            if cursor.take(b'}') {
                break;
            }
            cursor.expect(b',', "`,` or `}`")?;
        }
    }
    cursor.finish()?;
    Ok(items)
}

/// Reads one of them.
pub(crate) fn read<'de, S: DeserializeSeed<'de>>(
    text: &'de str,
    types: &CustomTypes,
    seed: S,
) -> Result<S::Value, CodecError> {
    de::read_seed(text, types, seed)
}
