//! Results of steps and of interop cases, and the table that sums them up.

use std::time::{Duration, Instant};

/// How many characters of a line the table shows.
const TABLE_WIDTH: usize = 140;

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    /// Passed, with something worth knowing.
    PassedWith(String),
    /// Why, in words for whoever has to mend it.
    Failed(String),
    /// Not run because somebody wished so, or because it would be pointless: which.
    Skipped(String),
    /// Not run because a program is missing: which, and how to get it.
    Absent(String),
}

impl Verdict {
    fn word(&self) -> &'static str {
        match self {
            Self::Passed | Self::PassedWith(_) => "ok",
            Self::Failed(_) => "FAILED",
            Self::Skipped(_) => "skipped",
            Self::Absent(_) => "absent",
        }
    }

    fn note(&self) -> &str {
        match self {
            Self::Passed => "",
            Self::PassedWith(note) | Self::Failed(note) | Self::Skipped(note) | Self::Absent(note) => note,
        }
    }
}

impl From<Result<(), String>> for Verdict {
    fn from(result: Result<(), String>) -> Self {
        match result {
            Ok(()) => Self::Passed,
            Err(why) => Self::Failed(why),
        }
    }
}

/// The results so far.
#[derive(Debug, Default)]
pub(crate) struct Results {
    lines: Vec<(&'static str, Verdict, Duration)>,
}

impl Results {
    /// Runs one step, tells its result and time, and keeps both.
    pub(crate) fn run(&mut self, name: &'static str, step: impl FnOnce() -> Verdict) {
        let begun = Instant::now();
        let verdict = step();
        let took = begun.elapsed();
        println!("{}", line(name, &verdict, took, 14));
        self.lines.push((name, verdict, took));
    }

    /// Keeps the result of what was not run; the table tells it.
    pub(crate) fn note(&mut self, name: &'static str, verdict: Verdict) {
        self.lines.push((name, verdict, Duration::ZERO));
    }

    /// Whether something failed.
    pub(crate) fn any_failed(&self) -> bool {
        self.lines
            .iter()
            .any(|(_, verdict, _)| matches!(verdict, Verdict::Failed(_)))
    }

    /// Whether the step of this name failed.
    pub(crate) fn failed(&self, name: &str) -> bool {
        self.lines
            .iter()
            .any(|(other, verdict, _)| *other == name && matches!(verdict, Verdict::Failed(_)))
    }

    /// How the step of this name ended, in one word; none if it was neither run nor noted.
    pub(crate) fn word(&self, name: &str) -> Option<&'static str> {
        let line = self.lines.iter().find(|(other, ..)| *other == name);
        line.map(|(_, verdict, _)| verdict.word())
    }

    /// How many ended with this word.
    pub(crate) fn count(&self, words: &[&str]) -> usize {
        self.lines
            .iter()
            .filter(|(_, verdict, _)| words.contains(&verdict.word()))
            .count()
    }

    /// The closing table: only the beginning of each note, the rest was shown when it happened.
    pub(crate) fn table(&self) -> String {
        let width = self.lines.iter().map(|(name, ..)| name.len()).max().unwrap_or_default();
        let mut text = String::new();
        for (name, verdict, took) in &self.lines {
            let whole = line(name, verdict, *took, width);
            text.push_str(&shortened(whole.lines().next().unwrap_or_default()));
            text.push('\n');
        }
        text
    }
}

fn shortened(line: &str) -> String {
    match line.char_indices().nth(TABLE_WIDTH) {
        Some((end, _)) => format!("{} …", line[..end].trim_end()),
        None => line.to_owned(),
    }
}

fn line(name: &str, verdict: &Verdict, took: Duration, width: usize) -> String {
    let seconds = if took.is_zero() {
        String::new()
    } else {
        format!("{:.1} s", took.as_secs_f64())
    };
    format!(
        "{name:<width$}  {:<7}  {seconds:>8}  {}",
        verdict.word(),
        verdict.note()
    )
    .trim_end()
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_line_for_each() {
        let mut results = Results::default();
        results.run("short", || Verdict::Passed);
        results.run("much-longer", || {
            Verdict::Failed(format!("it broke {}\nand this is how", "so ".repeat(100)))
        });
        results.note("left", Verdict::Skipped("--fast".into()));
        assert!(results.any_failed());
        assert_eq!(results.count(&["skipped", "absent"]), 1);
        let table = results.table();
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[0].starts_with("short        ok"), "{table}");
        assert!(
            lines[1].contains("it broke so") && lines[1].ends_with("so …"),
            "{table}"
        );
        assert!(lines[2].ends_with("skipped            --fast"), "{table}");
        assert!(results.failed("much-longer") && !results.failed("short"));
    }
}
