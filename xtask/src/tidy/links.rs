//! Rules for documents: a link or a path that they show leads somewhere.

use std::collections::BTreeSet;

use super::Problem;
use super::tree::{self, Tree};

/// What a word in backquotes must end in to be taken for the path of a file.
const FILES: &[&str] = &[".rs", ".md", ".toml", ".py", ".yml"];

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let homes = homes(tree);
    let mut problems = Vec::new();
    for (path, text) in tree.ending(&[".md", ".rs"]) {
        let markdown = path.ends_with(".md");
        let mut fenced = false;
        for (number, line) in text.lines().enumerate() {
            let Some(prose) = (if markdown { Some(line) } else { doc(line) }) else {
                continue;
            };
            if prose.trim_start().starts_with("```") {
                fenced = !fenced;
            }
            if fenced {
                continue;
            }
            for target in targets(prose).into_iter().filter(|target| markdown || is_path(target)) {
                if !leads_somewhere(tree, path, target) {
                    let what = format!("the link `{target}` leads nowhere: mend or delete it");
                    problems.push(Problem::new(path, number + 1, what));
                }
            }
            for name in quoted(prose).into_iter().filter(|name| is_file(name)) {
                if !homes
                    .iter()
                    .any(|home| tree::join(home, name).is_some_and(|whole| tree.has(&whole)))
                    && !leads_somewhere(tree, path, name)
                {
                    let what = format!("there is no file `{name}`: mend the path");
                    problems.push(Problem::new(path, number + 1, what));
                }
            }
        }
    }
    problems
}

/// The doc comment on this line of Rust.
fn doc(line: &str) -> Option<&str> {
    let line = line.trim_start();
    line.strip_prefix("//!").or_else(|| line.strip_prefix("///"))
}

/// The targets of the links: `[text](target)`, `[text](target "title")` and `[name]: target`.
fn targets(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let without_code = line.split('`').step_by(2);
    for piece in without_code {
        for (position, pattern) in piece.match_indices("](") {
            let rest = &piece[position + pattern.len()..];
            if let Some((target, _)) = rest.split_once(')') {
                found.extend(target.split_whitespace().next());
            }
        }
    }
    // A link whose text is code: [`text`](target).
    for (position, pattern) in line.match_indices("`](") {
        if let Some((target, _)) = line[position + pattern.len()..].split_once(')') {
            found.extend(target.split_whitespace().next());
        }
    }
    if line.trim_start().starts_with('[')
        && let Some((_, target)) = line.split_once("]: ")
    {
        found.extend(target.split_whitespace().next());
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// In a doc comment most links name items; these are the ones that name files.
fn is_path(target: &str) -> bool {
    let file = target.split('#').next().unwrap_or_default();
    file.starts_with("./") || file.starts_with("../") || FILES.iter().any(|ending| file.ends_with(ending))
}

fn leads_somewhere(tree: &Tree, from: &str, target: &str) -> bool {
    let target = target.trim_matches(['<', '>']);
    // An address elsewhere, a place in the same document, or an item of a crate.
    if target.contains("://") || target.starts_with("mailto:") || target.starts_with('#') || target.contains("::") {
        return true;
    }
    let file = target.split(['#', '?']).next().unwrap_or_default();
    tree::join(tree::folder(from), file).is_some_and(|path| tree.has(&path))
}

/// What stands in single backquotes.
fn quoted(line: &str) -> Vec<&str> {
    line.split('`').skip(1).step_by(2).collect()
}

/// Whether the words are the path of a file, with a folder: `src/lib.rs`, and no pattern, address or command.
fn is_file(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    name.contains('/')
        && !name.starts_with('/')
        && !name.starts_with("target/")
        && name.chars().all(plain)
        && FILES.iter().any(|ending| name.ends_with(ending))
}

/// From where a path in prose may start: the root, and each crate.
fn homes(tree: &Tree) -> BTreeSet<&str> {
    tree.ending(&["Cargo.toml"])
        .map(|(path, _)| tree::folder(path))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whats(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::of(files))
            .iter()
            .map(|problem| format!("{}:{}", problem.file, problem.line))
            .collect()
    }

    #[test]
    fn links_lead_somewhere() {
        let text = "[a](a/src/lib.rs#top) [b](https://example.org) [c](#here) `[d](gone.md)`\n\
                    [`e`](gone.md)\n```\n[f](gone.md)\n```\n[g]: gone/\n[h](a/ \"the crate\") [i](../outside)\n";
        let files = [
            ("README.md", text),
            ("a/src/lib.rs", "//! See [`x`](crate::x) and [y](../../README.md).\n"),
        ];
        assert_eq!(whats(&files), ["README.md:2", "README.md:6", "README.md:7"]);
    }

    #[test]
    fn links_of_doc_comments_count_if_they_name_files() {
        let text = "//! [a](Self::b) [c](../gone.md)\n/// [d](./gone)\nlet x = \"[e](../gone.md)\";\n";
        assert_eq!(whats(&[("a/src/lib.rs", text)]), ["a/src/lib.rs:1", "a/src/lib.rs:2"]);
    }

    #[test]
    fn paths_in_prose_exist_somewhere_near() {
        let text = "`src/lib.rs` `a/src/lib.rs` `src/gone.rs` `tests/*.rs` `lib.rs` `target/x.md` `cargo run x/y.rs`\n";
        let files = [("README.md", text), ("a/Cargo.toml", ""), ("a/src/lib.rs", "//! A.\n")];
        let problems = check(&Tree::of(&files));
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].what.contains("src/gone.rs"));
    }
}
