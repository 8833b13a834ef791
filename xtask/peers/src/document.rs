//! The tables of a Markdown file, brought up to date in place.
//!
//! Everything between two marks is generated: the targets, collected from the tables, and then the tables. Tables that
//! were not measured this time stay; everything outside the marks is somebody's text, and stays too.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The line before the generated part.
pub const BEGIN: &str = "<!-- tables: begin; made by `cargo xtask bench --markdown BENCHMARKS.md` -->";
/// The line after it.
pub const END: &str = "<!-- tables: end -->";

const HEADING: &str = "### ";

/// The document with these tables in it, each under its name. `old` is the document so far; without one, or without
/// marks in it, a document of the generated part alone is made. `order` names all tables.
#[must_use]
pub fn update(old: Option<&str>, tables: &[(String, String)], order: &[String]) -> String {
    let parts = old.and_then(|old| {
        let (before, rest) = old.split_once(BEGIN)?;
        let (generated, after) = rest.split_once(END)?;
        Some((before, generated, after))
    });
    let (before, generated, after) = parts.unwrap_or(("# Benchmarks\n\n", "", "\n"));
    let mut all: BTreeMap<&str, &str> = sections(generated).collect();
    all.extend(tables.iter().map(|(name, table)| (name.as_str(), table.as_str())));
    let place = |name: &str| order.iter().position(|known| known == name);
    let mut all: Vec<_> = all.into_iter().filter(|(name, _)| place(name).is_some()).collect();
    all.sort_by_key(|(name, _)| place(name));

    let mut out = format!("{before}{BEGIN}\n\n## Targets\n\n| table | row | target |\n| --- | --- | --- |\n");
    for (name, table) in &all {
        for (row, verdict) in verdicts(table) {
            let _ = writeln!(out, "| {name} | {row} | {verdict} |");
        }
    }
    out.push_str("\n## Tables\n");
    for (name, table) in &all {
        let _ = write!(out, "\n{HEADING}{name}\n\n{}\n", table.trim());
    }
    let _ = write!(out, "\n{END}{after}");
    out
}

/// The tables of the generated part, by name.
fn sections(generated: &str) -> impl Iterator<Item = (&str, &str)> {
    let pieces = generated.split("\n### ").skip(1);
    pieces.filter_map(|piece| piece.split_once('\n'))
}

/// The rows of a table that have targets: their names, and each of the verdicts.
fn verdicts(table: &str) -> impl Iterator<Item = (&str, &str)> {
    let rows = table.lines().filter(|line| line.starts_with('|')).skip(2);
    rows.flat_map(|line| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let name = cells.next().unwrap_or_default();
        let last = cells.next_back().unwrap_or_default();
        last.split("; ")
            .filter(|verdict| !verdict.is_empty())
            .map(move |verdict| (name, verdict))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(figure: &str, verdict: &str) -> String {
        format!(
            "About.\n\n| row | figure | target |\n| --- | ---: | --- |\n| limit | 1 |  |\n| ours | {figure} | {verdict} |\n"
        )
    }

    fn order() -> Vec<String> {
        ["a", "b/1", "b/2"].map(str::to_owned).into()
    }

    #[test]
    fn a_new_document_and_one_brought_up_to_date() {
        let tables = [
            (
                "b/1".to_owned(),
                table("2", "2.00 &lt;= 3 met; 0.00 allocs &lt;= 0 met"),
            ),
            ("a".to_owned(), table("5", "5.00 &lt;= 3 MISSED")),
        ];
        let first = update(None, &tables, &order());
        let targets = "| a | ours | 5.00 &lt;= 3 MISSED |\n| b/1 | ours | 2.00 &lt;= 3 met |\n| b/1 | ours | 0.00 allocs &lt;= 0 met |\n\n";
        assert!(first.contains(targets), "{first}");
        assert!(first.find("### a") < first.find("### b/1"), "{first}");

        let text = format!(
            "# Mine\n\nWords.\n{}Last words.\n",
            first.replace("# Benchmarks\n\n", "")
        );
        let second = update(
            Some(&text),
            &[("a".to_owned(), table("2", "2.00 &lt;= 3 met"))],
            &order(),
        );
        assert!(second.starts_with("# Mine\n\nWords.\n<!-- tables: begin"), "{second}");
        assert!(second.ends_with("<!-- tables: end -->\nLast words.\n"), "{second}");
        assert!(second.contains("| a | ours | 2.00 &lt;= 3 met |"), "{second}");
        assert!(second.contains("### b/1") && !second.contains("MISSED"), "{second}");
        assert_eq!(update(Some(&second), &[], &order()), second);
    }

    #[test]
    fn a_table_that_is_no_more_goes() {
        let first = update(None, &[("a".to_owned(), table("1", ""))], &order());
        assert!(!update(Some(&first), &[], &order()[1..]).contains("### a"));
    }
}
