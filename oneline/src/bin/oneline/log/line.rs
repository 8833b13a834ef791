//! How a line of the log looks.

use std::fmt::{self, Debug, Write};
use std::time::SystemTime;

use tracing::field::{Field, Visit};
use tracing::{Level, Metadata};

/// Plain, or with a terminal's colours.
#[derive(Clone, Copy)]
pub(super) struct Style {
    colours: bool,
}

/// Codes of a terminal: bold, dim, italic.
const BOLD: u8 = 1;
const DIM: u8 = 2;
const ITALIC: u8 = 3;

impl Style {
    pub(super) fn new(colours: bool) -> Self {
        Self { colours }
    }

    fn paint(self, code: u8, text: &str) -> String {
        if self.colours {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    /// An event, with the line feed.
    pub(super) fn line(self, metadata: &Metadata<'_>, around: &str, fields: &Fields) -> String {
        let time = self.paint(DIM, &now());
        let level = self.paint(colour(metadata.level()), &format!("{:>5}", metadata.level()));
        let target = self.paint(DIM, &format!("{}:", metadata.target()));
        let space = if around.is_empty() { "" } else { " " };
        format!("{time} {level} {around}{space}{target} {}\n", fields.text)
    }

    /// A span, without what is around it, and the colon behind it.
    pub(super) fn span(self, name: &str, fields: &Fields) -> String {
        let (name, colon) = (self.paint(BOLD, name), self.paint(DIM, ":"));
        if fields.text.is_empty() {
            name + &colon
        } else {
            format!("{name}{{{}}}{colon}", fields.text)
        }
    }
}

fn colour(level: &Level) -> u8 {
    match *level {
        Level::ERROR => 31,
        Level::WARN => 33,
        Level::INFO => 32,
        Level::DEBUG => 34,
        Level::TRACE => 35,
    }
}

/// The values of an event or span as text.
pub(super) struct Fields {
    style: Style,
    text: String,
}

impl Fields {
    pub(super) fn new(style: Style) -> Self {
        Self {
            style,
            text: String::new(),
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        if field.name() != "message" {
            let (name, is) = (self.style.paint(ITALIC, field.name()), self.style.paint(DIM, "="));
            self.text.push_str(&name);
            self.text.push_str(&is);
        }
        // Writing to a String fails only if the value does, and then what it has written is shown.
        let _ = write!(Escaped(&mut self.text), "{value:?}");
    }
}

/// Takes text without what a terminal would obey: some of it comes from peers.
struct Escaped<'a>(&'a mut String);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            if character.is_control() {
                self.0.extend(character.escape_debug());
            } else {
                self.0.push(character);
            }
        }
        Ok(())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the program runs on real sockets only, and its log is for people with a clock on the wall"
)]
fn now() -> String {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    utc(since.as_secs(), since.subsec_micros())
}

/// A time since 1970 as RFC 3339 writes it.
fn utc(seconds: u64, micros: u32) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Years are counted from March, so that the leap day is the last of its year, and from the year 0, where a cycle of
    // 400 years begins.
    let day = days + 719_468;
    let (cycle, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Five months are 153 days, in the same order: 31, 30, 31, 30, 31.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = 400 * cycle + year + later;
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (seconds, shown) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (951_782_399, "2000-02-28T23:59:59.000000Z"),
            (951_782_400, "2000-02-29T00:00:00.000000Z"),
            (951_868_800, "2000-03-01T00:00:00.000000Z"),
            (1_735_689_599, "2024-12-31T23:59:59.000000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000000Z"),
            (1_796_056_228, "2026-11-30T16:30:28.000000Z"),
        ] {
            assert_eq!(utc(seconds, 0), shown);
        }
        assert_eq!(utc(1, 23), "1970-01-01T00:00:01.000023Z");
    }

    /// Each day of some centuries follows the one before.
    #[test]
    fn no_day_is_left_out() {
        let leap = |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
        let mut days = 0;
        for year in 1970..2410 {
            let february = if leap(year) { 29 } else { 28 };
            for (month, length) in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
                .into_iter()
                .enumerate()
            {
                for day in 1..=length {
                    let expected = format!("{year:04}-{:02}-{day:02}T00:00:00.000000Z", month + 1);
                    assert_eq!(utc(days * 86_400, 0), expected);
                    days += 1;
                }
            }
        }
    }
}
