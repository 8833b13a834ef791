//! Texts of `-h` and `--help`, in lines for a terminal of 80 columns.
//!
//! clap can break lines by itself, to the terminal's width, by three crates more.

use clap::builder::PossibleValue;
use clap::{Arg, ValueEnum};

pub(super) const ENDPOINTS: &str = "\
Endpoints:
  tcp://HOST:PORT   TCP; port 0 lets the system choose
  tls://HOST:PORT   TLS over TCP
  unix:/PATH        a Unix socket; unix:@NAME for an abstract name";

/// Where `--help` begins its texts, on lines of their own.
const INDENT: usize = 10;
const WIDTH: usize = 80;

/// Sets what `-h` tells of an argument beside its name, in a column that begins at `column`.
pub(super) fn short(argument: Arg, column: usize, text: &str) -> Arg {
    argument.help(wrapped(text, WIDTH - column))
}

/// Sets that and what `--help` tells, on lines of their own.
pub(super) fn both(argument: Arg, column: usize, text: &str) -> Arg {
    short(argument, column, text).long_help(wrapped(text, WIDTH - INDENT))
}

/// The same for one of several values: `-h` names them, `--help` tells of each.
pub(super) fn choice<T: ValueEnum>(argument: Arg, column: usize, text: &str) -> Arg {
    let values: Vec<PossibleValue> = T::value_variants().iter().filter_map(T::to_possible_value).collect();
    let names: Vec<_> = values.iter().map(PossibleValue::get_name).collect();
    let widest = names.iter().map(|name| name.len()).max().unwrap_or_default() + 1;
    let described = values.iter().map(|value| {
        let name = format!("{}:", value.get_name());
        let help = value.get_help().map(ToString::to_string).unwrap_or_default();
        format!("\n- {name:widest$} {help}")
    });
    let described: String = described.collect();
    let all = format!("{text} [possible values: {}]", names.join(", "));
    short(argument, column, &all)
        .long_help(format!(
            "{}\n\nPossible values:{described}",
            wrapped(text, WIDTH - INDENT)
        ))
        .hide_possible_values(true)
}

/// Breaks a text between words, so that no line is wider than `width`. A wider word has a line of its own.
fn wrapped(text: &str, width: usize) -> String {
    let mut lines = String::new();
    let mut used = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            lines.push('\n');
            used = 0;
        } else if used > 0 {
            lines.push(' ');
            used += 1;
        }
        lines.push_str(word);
        used += length;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrapped("one two three", 7), "one two\nthree");
        assert_eq!(wrapped("one two three", 6), "one\ntwo\nthree");
        assert_eq!(wrapped("overlong word", 3), "overlong\nword");
        assert_eq!(wrapped("as it is", 80), "as it is");
        assert_eq!(wrapped("", 5), "");
    }
}
