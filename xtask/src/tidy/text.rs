//! Rules for every text: no trailing white space, no tabs, an end to the last line, no notes to oneself, no paths that
//! exist on one machine only; and what the README must tell.

use super::Problem;
use super::tree::Tree;

/// What people write and read. Data files (models, captures) may look as they like.
const WRITTEN: &[&str] = &[".rs", ".md", ".toml", ".py", ".yml", ".ci/run"];

/// Words that stand for work not done. Put together here, so that this file does not contain them.
const NOTES: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:")];

/// Where somebody's own files lie.
const HOMES: &[&str] = &[concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/Us", "ers/")];

/// What a newcomer must find in the README.
const README_TELLS: &[&str] = &["cargo xtask demo", "cargo xtask test-all"];

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, text) in tree.ending(WRITTEN) {
        if !text.is_empty() && !text.ends_with('\n') {
            problems.push(Problem::new(
                path,
                text.lines().count(),
                "the last line has no end: add a line feed",
            ));
        }
        for (number, line) in text.split('\n').enumerate() {
            for what in line_problems(line) {
                problems.push(Problem::new(path, number + 1, what));
            }
        }
    }
    match tree.text("README.md") {
        None => problems.push(Problem::new("README.md", 0, "is missing: a newcomer starts there")),
        Some(text) => {
            for words in README_TELLS.iter().filter(|words| !text.contains(**words)) {
                problems.push(Problem::new(
                    "README.md",
                    0,
                    format!("does not mention `{words}`: a newcomer needs it"),
                ));
            }
        }
    }
    problems
}

fn line_problems(line: &str) -> Vec<String> {
    let mut what = Vec::new();
    if line.ends_with([' ', '\t', '\r']) {
        what.push("white space at the end of the line: delete it".to_owned());
    }
    if line.contains('\t') {
        what.push("a tab: write spaces (in a string, `\\t`)".to_owned());
    }
    if let Some(note) = NOTES.iter().find(|note| has_word(line, note)) {
        what.push(format!(
            "`{note}`: do it now, or describe the limit where users will read it"
        ));
    }
    if let Some(home) = HOMES.iter().find(|home| has_home(line, home)) {
        what.push(format!(
            "a path below `{home}` exists on one machine only: make it relative"
        ));
    }
    what
}

/// The word, not as a part of a longer one.
fn has_word(line: &str, word: &str) -> bool {
    let part_of_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(position, _)| {
        let after = line[position + word.len()..].chars().next();
        !part_of_word(line[..position].chars().next_back()) && (word.ends_with(':') || !part_of_word(after))
    })
}

/// A path that begins there: nothing of a path or of an address before it, a name after it.
fn has_home(line: &str, home: &str) -> bool {
    line.match_indices(home).any(|(position, _)| {
        let before = line[..position].chars().next_back();
        let after = line[position + home.len()..].chars().next();
        before.is_none_or(|c| " \t\"'`(=:,[<".contains(c)) && after.is_some_and(|c| c.is_alphanumeric() || c == '.')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_found_where_it_is() {
        let note = NOTES[0];
        let home = HOMES[0];
        let text =
            format!("fine\nspace \nt\tab\n// {note}: later\n// {note}LIST is a word\nopen(\"{home}me/x\")\nno end");
        let tree = Tree::of(&[
            ("a/x.rs", &text),
            ("README.md", "cargo xtask demo\ncargo xtask test-all\n"),
        ]);
        let lines: Vec<_> = check(&tree).iter().map(|problem| problem.line).collect();
        assert_eq!(lines, [7, 2, 3, 4, 6]);
    }

    #[test]
    fn an_address_is_no_home() {
        let home = HOMES[0];
        for line in [
            format!("https://example.org{home}page"),
            format!("a{home}b"),
            format!("below `{home}`"),
        ] {
            assert_eq!(line_problems(&line), Vec::<String>::new(), "{line}");
        }
    }

    #[test]
    fn data_files_may_look_as_they_like() {
        let tree = Tree::of(&[
            ("m/model.xml", "\tx \n"),
            ("README.md", "cargo xtask demo, cargo xtask test-all\n"),
        ]);
        assert_eq!(check(&tree), []);
    }

    #[test]
    fn the_readme_helps_newcomers() {
        assert_eq!(check(&Tree::of(&[])).len(), 1);
        let problems = check(&Tree::of(&[("README.md", "Try `cargo xtask demo`.\n")]));
        assert_eq!(problems.len(), 1);
        assert!(problems[0].what.contains("test-all"));
    }
}
