//! Figures as a table: for the terminal, or as Markdown.

use crate::harness::{Measure, Measured, Results, Trouble, Unit};
use crate::target::{best, median, ratio, ratios};
use std::fmt::Write as _;

/// A table as text, its columns aligned.
#[must_use]
pub fn text(results: &Results) -> String {
    let grid = grid(results);
    let columns = grid.first().map_or(0, Vec::len);
    let width = |column: usize| grid.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut out = format!("{}\n{}\n", results.name, results.about);
    for row in &grid {
        let mut line = String::new();
        for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
            // Names and verdicts read from the left, figures from the right.
            if column == 0 || column + 1 == columns {
                let _ = write!(line, "{cell:<width$}  ");
            } else {
                let _ = write!(line, "{cell:>width$}  ");
            }
        }
        let _ = writeln!(out, "  {}", line.trim_end());
    }
    for note in notes(results) {
        let _ = writeln!(out, "  {note}");
    }
    out
}

/// A table as Markdown, without a heading.
#[must_use]
pub fn markdown(results: &Results) -> String {
    let mut out = format!("{}\n\n", results.about);
    for (index, row) in grid(results).iter().enumerate() {
        let cells: Vec<String> = row
            .iter()
            .map(|cell| cell.replace('|', "\\|").replace('<', "&lt;"))
            .collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
        if index == 0 {
            let rule = row.iter().enumerate().map(|(column, _)| {
                if column == 0 || column + 1 == row.len() {
                    "---"
                } else {
                    "---:"
                }
            });
            let _ = writeln!(out, "| {} |", rule.collect::<Vec<_>>().join(" | "));
        }
    }
    for note in notes(results) {
        let _ = write!(out, "\n{note}\n");
    }
    out
}

/// What the report says about reading it.
pub const LEGEND: &str = "Ratios are to the first row of the same round: median [min..max]. best/best compares the best \
    figures, and so do targets. Round 0 is dropped; allocations are counted in it.";

fn notes(results: &Results) -> Vec<String> {
    let note = |row: &Measured| match &row.trouble {
        Some(Trouble::Absent(why)) => Some(format!("{}: not measured: {why}", row.name)),
        Some(Trouble::Wrong(why)) => Some(format!("{}: WRONG: {why}", row.name)),
        None => None,
    };
    results.rows.iter().filter_map(note).collect()
}

fn grid(results: &Results) -> Vec<Vec<String>> {
    let (measure, operation) = (results.measure, results.operation);
    let samples = results.rows.iter().flat_map(|row| &row.samples);
    let extras = samples
        .map(|sample| &sample.extras)
        .max_by_key(|extras| extras.len())
        .cloned()
        .unwrap_or_default();
    let figure_unit = extras
        .iter()
        .find(|extra| measure == Measure::Extra(extra.name))
        .map_or(Unit::Time, |extra| extra.unit);
    let show_figure = |value: f64| match measure {
        Measure::Rate => rate(value),
        Measure::Cpu | Measure::Extra(_) => show(figure_unit, value),
    };
    let figure = match measure {
        Measure::Rate => format!("{operation}s/s"),
        Measure::Cpu => format!("CPU/{operation}"),
        Measure::Extra(name) => format!("{name}/{operation}"),
    };
    let mut head = vec![
        "row".to_owned(),
        format!("{figure}, median"),
        "best".to_owned(),
        "spread".to_owned(),
    ];
    head.extend(["ratio".to_owned(), "best/best".to_owned()]);
    match measure {
        Measure::Rate => head.extend([
            format!("CPU/{operation}, median"),
            "min".to_owned(),
            "allocs".to_owned(),
        ]),
        Measure::Cpu => head.extend([format!("{operation}s/s"), "allocs".to_owned()]),
        Measure::Extra(_) => {}
    }
    let others = extras.iter().filter(|extra| measure != Measure::Extra(extra.name));
    let others: Vec<_> = others.map(|extra| (extra.name, extra.unit)).collect();
    head.extend(others.iter().map(|(name, _)| (*name).to_owned()));
    head.push("target".to_owned());

    let mut grid = vec![head];
    for row in &results.rows {
        let values: Vec<f64> = row.samples.iter().filter_map(|sample| measure.of(sample)).collect();
        let mut cells = vec![row.name.clone()];
        cells.push(cell(median(&values), show_figure));
        cells.push(cell(
            best(row, |sample| measure.of(sample), measure.less_is_better()),
            show_figure,
        ));
        cells.push(cell(spread(&values), |spread| format!("{:.0} %", spread * 100.0)));
        let first = results.rows.first();
        let each = first
            .map(|first| ratios(first, row, |sample| measure.of(sample)))
            .unwrap_or_default();
        cells.push(cell(median(&each), |middle| {
            let least = each.iter().copied().fold(f64::INFINITY, f64::min);
            let most = each.iter().copied().fold(0.0, f64::max);
            format!("{} [{}..{}]", plain(middle), plain(least), plain(most))
        }));
        cells.push(cell(first.and_then(|first| ratio(measure, row, first)), plain));
        let cpu: Vec<f64> = row.samples.iter().filter_map(|sample| sample.cpu()).collect();
        match measure {
            Measure::Rate => {
                cells.push(cell(median(&cpu), |value| show(Unit::Time, value)));
                cells.push(cell(best(row, |sample| sample.cpu(), true), |value| {
                    show(Unit::Time, value)
                }));
            }
            Measure::Cpu => {
                let rates: Vec<f64> = row.samples.iter().filter_map(|sample| sample.rate()).collect();
                cells.push(cell(median(&rates), rate));
            }
            Measure::Extra(_) => {}
        }
        if !matches!(measure, Measure::Extra(_)) {
            cells.push(cell(row.allocations, |count| format!("{count:.2}")));
        }
        for &(name, unit) in &others {
            let values: Vec<f64> = row.samples.iter().filter_map(|sample| sample.extra(name)).collect();
            cells.push(cell(median(&values), |value| show(unit, value)));
        }
        let verdicts: Vec<String> = row
            .targets
            .iter()
            .map(|target| target.judge(results, row).text)
            .collect();
        cells.push(verdicts.join("; "));
        grid.push(cells);
    }
    grid
}

fn cell(value: Option<f64>, show: impl Fn(f64) -> String) -> String {
    value.map_or_else(|| "-".to_owned(), show)
}

fn spread(values: &[f64]) -> Option<f64> {
    let middle = median(values)?;
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(0.0, f64::max);
    (middle > 0.0).then(|| (most - least) / middle)
}

fn show(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Bytes => format!("{value:.0} B"),
        Unit::Seconds => format!("{} s", figures(value)),
        Unit::Time if value < 10_000.0 => format!("{} ns", figures(value)),
        Unit::Time if value < 1e7 => format!("{} us", figures(value / 1e3)),
        Unit::Time => format!("{} ms", figures(value / 1e6)),
    }
}

/// How often per second, as people read it.
pub(crate) fn rate(value: f64) -> String {
    match value {
        value if value >= 1e9 => format!("{} G", figures(value / 1e9)),
        value if value >= 1e6 => format!("{} M", figures(value / 1e6)),
        value if value >= 1e3 => format!("{} k", figures(value / 1e3)),
        value => figures(value),
    }
}

/// Three figures, as far as it makes sense.
fn figures(value: f64) -> String {
    match value {
        value if value < 10.0 => format!("{value:.2}"),
        value if value < 100.0 => format!("{value:.1}"),
        value => format!("{value:.0}"),
    }
}

fn plain(value: f64) -> String {
    if value < 10.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.1}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::Spent;
    use crate::harness::{Extra, Sample};
    use crate::target::{Bound, Target};
    use std::time::Duration;

    fn results() -> Results {
        let row = |name: &str, nanos: &[u64]| {
            let sample = |&nanos: &u64| Sample {
                extras: vec![Extra {
                    name: "p99",
                    unit: Unit::Time,
                    value: 12_345.0,
                }],
                ..Sample::new(
                    1000,
                    Spent {
                        wall: Duration::from_millis(1),
                        cpu: Duration::from_nanos(1000 * nanos),
                        allocations: None,
                    },
                )
            };
            let samples = nanos.iter().map(sample).collect();
            Measured {
                name: name.into(),
                samples,
                allocations: Some(0.0),
                trouble: None,
                targets: Vec::new(),
            }
        };
        let mut rows = vec![row("raw mio", &[100, 110, 120]), row("ours", &[105, 111, 200])];
        rows[1].targets.push(Target::ratio(Bound::AtMost(1.1)));
        let mut absent = row("original", &[]);
        absent.trouble = Some(Trouble::Absent("not installed".into()));
        absent.allocations = None;
        rows.push(absent);
        Results {
            name: "pipelined/line".into(),
            operation: "frame",
            measure: Measure::Cpu,
            about: "About.".into(),
            rows,
        }
    }

    #[test]
    fn as_text() {
        let expected = "\
pipelined/line
About.
  row       CPU/frame, median    best  spread              ratio  best/best  frames/s  allocs      p99  target
  raw mio              110 ns  100 ns    18 %  1.00 [1.00..1.00]       1.00    1.00 M    0.00  12.3 us
  ours                 111 ns  105 ns    86 %  1.05 [1.01..1.67]       1.05    1.00 M    0.00  12.3 us  1.05 <= 1.1 met
  original                  -       -       -                  -          -         -       -        -
  original: not measured: not installed
";
        assert_eq!(text(&results()), expected);
    }

    #[test]
    fn as_markdown() {
        let markdown = markdown(&results());
        assert!(
            markdown.starts_with("About.\n\n| row | CPU/frame, median | best |"),
            "{markdown}"
        );
        assert!(markdown.contains("| --- | ---: | ---: |"), "{markdown}");
        assert!(markdown.contains("| 1.05 &lt;= 1.1 met |\n"), "{markdown}");
        assert!(
            markdown.ends_with("\noriginal: not measured: not installed\n"),
            "{markdown}"
        );
    }
}
