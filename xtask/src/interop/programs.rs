//! The table of the other programs: which there are, in which version, and what came of them.

use std::fmt::Write as _;

use super::Case;
use super::world::World;
use crate::child;
use crate::step::Results;

/// A line for each original and each program that a case needs, in the order of the cases; those whose cases were not asked
/// for are left out.
pub(super) fn table(cases: &[Case], results: &Results, world: &World) -> String {
    let mut lines = Vec::new();
    for (name, missing) in names(cases) {
        let its: Vec<&Case> = cases.iter().filter(|case| is_in(case, name)).collect();
        let words: Vec<_> = its.iter().filter_map(|case| results.word(case.name)).collect();
        if words.is_empty() {
            continue;
        }
        let version = match world.version(name) {
            Some(version) => version.to_owned(),
            None => match missing {
                Some(package) if child::which(name).is_none() => format!("not here (apt-get install {package})"),
                None if words.contains(&"FAILED") => "not installed".to_owned(),
                _ => "not asked".to_owned(),
            },
        };
        let with: Vec<_> = its.iter().map(|case| case.name).collect();
        lines.push((name, verdict(&words), version, with.join(", ")));
    }
    let width = lines
        .iter()
        .map(|(_, _, version, _)| version.len())
        .max()
        .unwrap_or_default();
    let mut text = String::new();
    for (name, verdict, version, with) in lines {
        let _ = writeln!(text, "{name:<16}  {verdict:<7}  {version:<width$}  {with}");
    }
    if let Some(version) = world.version("python") {
        let _ = writeln!(text, "(the originals ran under Python {version})");
    }
    text.trim_end().to_owned()
}

/// The worst of what its cases came to.
fn verdict(words: &[&'static str]) -> &'static str {
    let worst = ["FAILED", "absent", "ok", "skipped"].into_iter();
    worst.into_iter().find(|word| words.contains(word)).unwrap_or_default()
}

/// All of them, each once, with the package that brings it where that is known.
fn names(cases: &[Case]) -> Vec<(&'static str, Option<&'static str>)> {
    let mut names: Vec<(&str, Option<&str>)> = Vec::new();
    for case in cases {
        let originals = case.originals.iter().map(|name| (*name, None));
        let needed = case.needs.iter().map(|(program, package)| (*program, Some(*package)));
        for (name, package) in originals.chain(needed) {
            if !names.iter().any(|(known, _)| *known == name) {
                names.push((name, package));
            }
        }
    }
    names
}

fn is_in(case: &Case, name: &str) -> bool {
    case.originals.contains(&name) || case.needs.is_some_and(|(program, _)| program == name)
}

#[cfg(test)]
mod tests {
    use super::super::CASES;
    use super::*;

    #[test]
    fn every_original_and_every_program_has_a_line() {
        let names: Vec<_> = names(CASES).into_iter().map(|(name, _)| name).collect();
        for wanted in [
            "socket-oneline",
            "mosaik-simpy-io",
            "secsgem",
            "kamaelia",
            "mosaik-api-v3",
            "mosaik",
            "websockets",
            "nc",
            "socat",
            "openssl",
            "curl",
        ] {
            assert!(names.contains(&wanted), "{wanted} is in no case: {names:?}");
        }
    }

    #[test]
    fn the_worst_counts() {
        assert_eq!(verdict(&["ok", "FAILED", "absent"]), "FAILED");
        assert_eq!(verdict(&["skipped", "ok"]), "ok");
        assert_eq!(verdict(&["skipped"]), "skipped");
    }
}
