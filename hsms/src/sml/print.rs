//! Items and messages to SML.

use std::fmt::{self, Write};

use crate::item::{Event, Format, ItemRef};

/// Writes an item on one line.
pub(crate) fn write_line(item: ItemRef<'_>, out: &mut impl Write) -> fmt::Result {
    Printer { out, lines: false }.item(item)
}

/// Writes an item with a line for each item in a list, each list indented by two.
pub(crate) fn write_lines(item: ItemRef<'_>, out: &mut impl Write) -> fmt::Result {
    Printer { out, lines: true }.item(item)
}

struct Printer<'o, W> {
    out: &'o mut W,
    /// A line for each item?
    lines: bool,
}

impl<W: Write> Printer<'_, W> {
    /// No recursion: an item that was built may nest as deep as it likes.
    fn item(&mut self, item: ItemRef<'_>) -> fmt::Result {
        let mut open: Vec<u32> = Vec::new();
        for event in item.walk() {
            if !open.is_empty() {
                self.next_line(open.len())?;
            }
            // An empty list ends where it begins.
            let mut same_line = false;
            match event.map_err(|_| fmt::Error)? {
                Event::List(count) => {
                    same_line = count == 0;
                    write!(self.out, "<L [{count}]")?;
                    open.push(count);
                }
                Event::Leaf(leaf) => {
                    self.leaf(leaf)?;
                    count_one(&mut open);
                }
            }
            while open.last() == Some(&0) {
                open.pop();
                if self.lines && !same_line {
                    self.next_line(open.len())?;
                }
                same_line = false;
                self.out.write_char('>')?;
                count_one(&mut open);
            }
        }
        Ok(())
    }

    fn next_line(&mut self, depth: usize) -> fmt::Result {
        if !self.lines {
            return self.out.write_char(' ');
        }
        self.out.write_char('\n')?;
        (0..depth).try_for_each(|_| self.out.write_str("  "))
    }

    fn leaf(&mut self, leaf: ItemRef<'_>) -> fmt::Result {
        let out = &mut *self.out;
        write!(out, "<{}", leaf.format())?;
        match leaf.format() {
            Format::Ascii | Format::Jis8 => text(leaf.data(), out)?,
            Format::Localized => {
                if let Some((encoding, bytes)) = leaf.localized() {
                    write!(out, " {}", encoding.0)?;
                    if encoding == crate::item::Encoding::UCS_2 {
                        bytes.iter().try_for_each(|byte| write!(out, " 0x{byte:02X}"))?;
                    } else {
                        text(bytes, out)?;
                    }
                }
            }
            Format::Binary => {
                for byte in leaf.data() {
                    write!(out, " 0x{byte:02X}")?;
                }
            }
            Format::Boolean => {
                for byte in leaf.data() {
                    match byte {
                        0 => out.write_str(" F")?,
                        1 => out.write_str(" T")?,
                        other => write!(out, " 0x{other:02X}")?,
                    }
                }
            }
            // By its own type: an f32 has fewer digits.
            Format::F4 => {
                for value in leaf.array::<f32>().unwrap_or_default() {
                    write!(out, " {value:?}")?;
                }
            }
            Format::F8 => {
                for value in leaf.array::<f64>().unwrap_or_default() {
                    write!(out, " {value:?}")?;
                }
            }
            _ => {
                for index in 0..leaf.len() {
                    write!(out, " {}", leaf.integer(index).unwrap_or_default())?;
                }
            }
        }
        out.write_char('>')
    }
}

fn count_one(open: &mut [u32]) {
    if let Some(left) = open.last_mut() {
        *left = left.saturating_sub(1);
    }
}

/// Quoted runs, and the bytes between them that dialects read differently or a terminal can't show.
fn text(bytes: &[u8], out: &mut impl Write) -> fmt::Result {
    let plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    if bytes.is_empty() {
        return out.write_str(" \"\"");
    }
    for run in bytes.chunk_by(|a, b| plain(a) == plain(b)) {
        match std::str::from_utf8(run) {
            Ok(run) if run.bytes().all(|byte| plain(&byte)) => write!(out, " \"{run}\"")?,
            _ => run.iter().try_for_each(|byte| write!(out, " 0x{byte:02X}"))?,
        }
    }
    Ok(())
}
