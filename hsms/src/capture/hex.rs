//! Hex dumps, as people and programs write them.

use super::CaptureError;

/// Whether a recording is text that can only be hex digits.
pub(super) fn is_hex(recording: &[u8]) -> bool {
    let digits = recording.iter().filter(|byte| byte.is_ascii_hexdigit()).count();
    let text = recording
        .iter()
        .all(|byte| matches!(byte, b'\n' | b'\r' | b'\t' | b' '..=b'~'));
    let begins = recording
        .iter()
        .find(|byte| !byte.is_ascii_whitespace())
        .is_some_and(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'#' | b'/' | b'\\' | b'['));
    text && begins && digits > 1
}

/// The bytes that the digits mean.
pub(super) fn decode(recording: &[u8]) -> Result<Vec<u8>, CaptureError> {
    let text = std::str::from_utf8(recording).map_err(|_| CaptureError("it is no text of hex digits".into()))?;
    let mut bytes = Vec::with_capacity(text.len() / 3);
    for (number, line) in text.lines().enumerate() {
        // hexdump -C ends with a line that tells how many bytes there were.
        let total = usize::from_str_radix(line.trim(), 16);
        if line.trim().len() == 8 && !bytes.is_empty() && total == Ok(bytes.len()) {
            continue;
        }
        for word in words(line) {
            let digits = word
                .strip_prefix("0x")
                .or_else(|| word.strip_prefix("0X"))
                .or_else(|| word.strip_prefix("\\x"))
                .unwrap_or(word);
            // 0x0 is a byte, and so is a digit that stands alone.
            let padded = format!("0{digits}");
            let even = if digits.len() == 1 { &padded } else { digits };
            let pairs = even.as_bytes().chunks(2);
            for pair in pairs {
                let byte = std::str::from_utf8(pair)
                    .ok()
                    .filter(|pair| pair.len() == 2 && pair.bytes().all(|digit| digit.is_ascii_hexdigit()))
                    .and_then(|pair| u8::from_str_radix(pair, 16).ok());
                bytes.push(byte.ok_or_else(|| {
                    let word: String = word.chars().take(20).collect();
                    CaptureError(format!(
                        "line {}: `{word}` is not made of pairs of hex digits",
                        number + 1
                    ))
                })?);
            }
        }
    }
    Ok(bytes)
}

/// The words of a line that are data: without an offset before them, characters behind them, and comments.
fn words(line: &str) -> Vec<&str> {
    let line = line.split("//").next().unwrap_or_default();
    let line = line.split(['#', '|']).next().unwrap_or_default().trim();
    let (first, rest) = line.split_once(|c: char| c.is_whitespace()).unwrap_or((line, ""));
    if first.strip_suffix(':').is_some_and(is_offset) {
        // xxd: the bytes, two blanks, the characters.
        let data = rest.trim_start().split("  ").next().unwrap_or_default();
        return data.split_whitespace().collect();
    }
    if is_offset(first) && rest.starts_with(' ') {
        // hexdump -C and Wireshark: two blanks, up to sixteen bytes, the characters.
        let is_byte = |word: &&str| word.len() == 2 && word.bytes().all(|digit| digit.is_ascii_hexdigit());
        return rest.split_whitespace().take_while(is_byte).take(16).collect();
    }
    line.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '[' | ']' | ':' | '"'))
        .filter(|word| !word.is_empty())
        .collect()
}

/// Offsets are multiples of eight, which tells most of them from lengths.
fn is_offset(word: &str) -> bool {
    matches!(word.len(), 4..=8) && u32::from_str_radix(word, 16).is_ok_and(|offset| offset % 8 == 0)
}
