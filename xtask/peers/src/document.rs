//! The report: a Markdown file of which the part between two marks is made from the figures.
//!
//! What stands before and after the marks is somebody's text, and stays.

use crate::figures::{Figures, Table};
use crate::groups::Tables;
use crate::harness::{Comparison, Results, Trouble};
use crate::plots::Plot;
use crate::reasons;
use crate::report;
use crate::target::Verdict;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// The line before the generated part.
pub const BEGIN: &str = "<!-- report: begin; made by `cargo xtask bench` -->";
/// The line after it.
pub const END: &str = "<!-- report: end -->";

/// What a row promised in a table, and what became of it.
struct Judged<'a> {
    table: &'a str,
    row: &'a str,
    verdict: Verdict,
}

/// A table with figures.
struct Entry<'a> {
    name: &'a str,
    kept: &'a Table,
    results: Results,
}

/// The document with the report in it. `old` is the document so far; without one, or without marks in it, a document of
/// the generated part alone is made. `pictures` are those there are, each with the path of its file.
#[must_use]
pub fn update(old: Option<&str>, figures: &Figures, groups: &[Tables], pictures: &[(Plot, String)]) -> String {
    let parts = old.and_then(|old| {
        let (before, rest) = old.split_once(BEGIN)?;
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    });
    let (before, after) = parts.unwrap_or(("# Benchmarks\n\n", "\n"));
    let entries: Vec<Entry<'_>> = groups
        .iter()
        .flat_map(|group| &group.comparisons)
        .filter_map(|comparison| entry(figures, comparison))
        .collect();
    let judged: Vec<Judged<'_>> = entries.iter().flat_map(judge).collect();

    let mut out = format!("{before}{BEGIN}\n\n");
    summary(&mut out, &entries, &judged, groups);
    contents(&mut out, groups, &entries, &judged);
    growth(&mut out, pictures);
    missed(&mut out, &judged);
    targets(&mut out, &judged);
    out.push_str("\n## Tables\n");
    for entry in &entries {
        let _ = write!(out, "\n### {}\n\n{}\n", entry.name, table(entry).trim());
    }
    let _ = write!(out, "\n{END}{after}");
    out
}

fn entry<'a>(figures: &'a Figures, comparison: &'a Comparison) -> Option<Entry<'a>> {
    let kept = figures.tables.get(&comparison.name)?;
    Some(Entry {
        name: &comparison.name,
        kept,
        results: kept.results(comparison),
    })
}

fn judge<'a>(entry: &'a Entry<'a>) -> impl Iterator<Item = Judged<'a>> {
    entry.results.verdicts().map(|(row, verdict)| Judged {
        table: entry.name,
        row,
        verdict,
    })
}

fn summary(out: &mut String, entries: &[Entry<'_>], judged: &[Judged<'_>], groups: &[Tables]) {
    let dates: BTreeSet<&str> = entries.iter().map(|entry| entry.kept.date.as_str()).collect();
    let machines: BTreeSet<&str> = entries.iter().map(|entry| entry.kept.machine.as_str()).collect();
    match (dates.first(), dates.last()) {
        (Some(first), Some(last)) if first != last => {
            let _ = writeln!(out, "Measured from {first} to {last}:");
        }
        (Some(date), _) => {
            let _ = writeln!(out, "Measured on {date}:");
        }
        _ => out.push_str("Nothing is measured yet.\n"),
    }
    for machine in machines {
        let _ = writeln!(out, "* {machine}");
    }
    let count = |met: Option<bool>| judged.iter().filter(|judged| judged.verdict.met == met).count();
    let _ = writeln!(
        out,
        "\n{} targets: {} met, {} missed, {} not judged, because a peer is absent or a row went wrong.",
        judged.len(),
        count(Some(true)),
        count(Some(false)),
        count(None)
    );
    for entry in entries {
        if let Some(why) = &entry.kept.failure {
            let _ = writeln!(out, "\n**{} FAILED**: {why}", entry.name);
        }
        for row in &entry.results.rows {
            if let Some(Trouble::Wrong(why)) = &row.trouble {
                let _ = writeln!(out, "\n**{}, {}: WRONG**: {why}", entry.name, row.name);
            }
        }
    }
    let mut unmeasured: Vec<&str> = Vec::new();
    for group in groups {
        let names = group.comparisons.iter().map(|comparison| comparison.name.as_str());
        let new: Vec<&str> = names
            .filter(|name| !entries.iter().any(|entry| entry.name == *name))
            .collect();
        // A whole group by its name.
        if new.len() == group.comparisons.len() {
            unmeasured.push(group.group.name);
        } else {
            unmeasured.extend(new);
        }
    }
    if !unmeasured.is_empty() {
        let _ = writeln!(out, "\nNot measured yet: {}.", unmeasured.join(", "));
    }
}

fn contents(out: &mut String, groups: &[Tables], entries: &[Entry<'_>], judged: &[Judged<'_>]) {
    out.push_str("\n## What is measured\n\n| group | workload | measured on | took | targets met | missed |\n");
    out.push_str("| --- | --- | --- | ---: | ---: | ---: |\n");
    for group in groups {
        let own = |name: &str| group.comparisons.iter().any(|comparison| comparison.name == name);
        let kept: Vec<&Table> = entries
            .iter()
            .filter(|entry| own(entry.name))
            .map(|entry| entry.kept)
            .collect();
        let dates: BTreeSet<&str> = kept.iter().map(|table| table.date.as_str()).collect();
        if kept.is_empty() {
            let _ = writeln!(
                out,
                "| {} | {} | not yet | | | |",
                group.group.name,
                escaped(group.group.about)
            );
            continue;
        }
        let seconds: f64 = kept.iter().map(|table| table.seconds).sum();
        let count = |met| {
            let mine = judged
                .iter()
                .filter(|judged| own(judged.table) && judged.verdict.met == Some(met));
            mine.count()
        };
        let _ = writeln!(
            out,
            "| {} | {} | {} | {seconds:.0} s | {} | {} |",
            group.group.name,
            escaped(group.group.about),
            dates.into_iter().collect::<Vec<_>>().join(", "),
            count(true),
            count(false)
        );
    }
}

fn growth(out: &mut String, pictures: &[(Plot, String)]) {
    if pictures.is_empty() {
        return;
    }
    out.push_str("\n## How cost grows\n\nBest figures; both axes are logarithmic. Ours are thick and blue.\n");
    for (plot, path) in pictures {
        let _ = write!(out, "\n![{}]({path})\n", plot.title);
    }
}

fn missed(out: &mut String, judged: &[Judged<'_>]) {
    out.push_str("\n## Targets that are missed, and why\n\n");
    let missed: Vec<&Judged<'_>> = judged
        .iter()
        .filter(|judged| judged.verdict.met == Some(false))
        .collect();
    if missed.is_empty() {
        out.push_str("None.\n");
        return;
    }
    // One reason often stands for several targets.
    let mut reasons: Vec<(Option<&str>, Vec<&Judged<'_>>)> = Vec::new();
    for miss in missed {
        let why = reasons::find(miss.table, miss.row, &miss.verdict.promise);
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, misses)) => misses.push(miss),
            None => reasons.push((why, vec![miss])),
        }
    }
    out.push_str("| table | row | target | why |\n| --- | --- | --- | --- |\n");
    for (why, misses) in reasons {
        let column = |each: &dyn Fn(&Judged<'_>) -> String| {
            let cells: Vec<String> = misses.iter().map(|miss| escaped(&each(miss))).collect();
            cells.join("<br>")
        };
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} |",
            column(&|miss| miss.table.to_owned()),
            column(&|miss| miss.row.to_owned()),
            column(&|miss| miss.verdict.text.trim_end_matches(" MISSED").to_owned()),
            why.map_or_else(|| "**not explained yet**".to_owned(), escaped)
        );
    }
}

fn targets(out: &mut String, judged: &[Judged<'_>]) {
    out.push_str("\n## Targets\n\n| table | row | target |\n| --- | --- | --- |\n");
    for judged in judged {
        let _ = writeln!(
            out,
            "| {} | {} | {} |",
            judged.table,
            escaped(judged.row),
            escaped(&judged.verdict.text)
        );
    }
}

fn table(entry: &Entry<'_>) -> String {
    let kept = entry.kept;
    if let Some(why) = &kept.failure {
        return format!("**FAILED** on {}: {why}\n\n{}.", kept.date, kept.machine);
    }
    format!(
        "{}\n{}; {}, load average {} at the start, {:.0} s.",
        report::markdown(&entry.results),
        kept.machine,
        kept.date,
        kept.load,
        kept.seconds
    )
}

/// Text that Markdown shows as it is, in a cell of a table.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::Spent;
    use crate::groups::Group;
    use crate::harness::{Measure, Measured, Row, Sample};
    use crate::plots;
    use crate::target::{Bound, Target};
    use std::time::Duration;

    const GROUP: Group = Group {
        name: "b",
        about: "a thing | another",
        build: || Ok(Vec::new()),
    };

    fn comparison(name: &str, limit: f64) -> Comparison {
        Comparison {
            name: name.into(),
            operation: "thing",
            measure: Measure::Cpu,
            about: "About.".into(),
            rows: vec![
                Row::absent("limit", ""),
                Row::absent("ours", "").target(Target::figure(Bound::AtMost(limit))),
            ],
        }
    }

    fn figures(name: &str, nanos: u64) -> (String, Table) {
        let row = |name: &str| {
            let time = Duration::from_nanos(nanos);
            let spent = Spent {
                wall: time,
                cpu: time,
                allocations: None,
            };
            Measured {
                name: name.into(),
                samples: vec![Sample::new(1, spent)],
                allocations: None,
                trouble: None,
                targets: Vec::new(),
            }
        };
        let results = Results {
            rows: vec![row("limit"), row("ours")],
            ..Table::failed("", "", "About.", "").results(&comparison(name, 0.0))
        };
        let table = Table::new("A machine", "2026-01-02", "0.1", Duration::from_secs(3), &results);
        (name.to_owned(), table)
    }

    fn groups(limit: f64) -> Vec<Tables> {
        vec![Tables {
            group: GROUP,
            comparisons: vec![comparison("b/1", limit), comparison("b/2", limit)],
        }]
    }

    #[test]
    fn the_report_is_made_of_all_figures_and_leaves_the_text() {
        let figures = Figures {
            tables: [figures("b/2", 7), figures("b/1", 5), figures("gone", 5)].into(),
        };
        let picture = (plots::ALL[0], "p/x.svg".to_owned());
        let first = update(None, &figures, &groups(5.0), &[picture]);
        assert!(first.starts_with("# Benchmarks\n\n<!-- report: begin"), "{first}");
        for text in [
            "Measured on 2026-01-02:\n* A machine\n",
            "2 targets: 1 met, 1 missed, 0 not judged",
            "| b | a thing \\| another | 2026-01-02 | 6 s | 1 | 1 |\n",
            "](p/x.svg)\n",
            "| b/2 | ours | 7.00 &lt;= 5 | **not explained yet** |\n",
            "| b/1 | ours | 5.00 &lt;= 5 met |\n| b/2 | ours | 7.00 &lt;= 5 MISSED |\n",
            "### b/1\n\nAbout.\n",
            "A machine; 2026-01-02, load average 0.1 at the start, 3 s.\n",
        ] {
            assert!(first.contains(text), "{text} is not in {first}");
        }
        assert!(first.find("### b/1") < first.find("### b/2"), "{first}");
        assert!(!first.contains("gone"), "{first}");

        let mine = format!("# Mine\n\n{}Last words.\n", first.replace("# Benchmarks\n\n", ""));
        let second = update(Some(&mine), &figures, &groups(9.0), &[]);
        assert!(second.starts_with("# Mine\n\n<!-- report: begin"), "{second}");
        assert!(second.ends_with("<!-- report: end -->\nLast words.\n"), "{second}");
        assert!(
            !second.contains("MISSED") && second.contains("and why\n\nNone.\n"),
            "{second}"
        );
    }

    #[test]
    fn what_failed_and_what_was_not_measured_is_said() {
        let failed = Table::failed("A machine", "2026-01-02", "About.", "killed after 5 s");
        let figures = Figures {
            tables: [("b/1".to_owned(), failed)].into(),
        };
        let text = update(None, &figures, &groups(5.0), &[]);
        assert!(text.contains("**b/1 FAILED**: killed after 5 s"), "{text}");
        assert!(update(None, &Figures::default(), &groups(5.0), &[]).contains("Not measured yet: b."));
        assert!(text.contains("Not measured yet: b/2."), "{text}");
        assert!(text.contains("0 met, 0 missed, 1 not judged"), "{text}");
    }
}
