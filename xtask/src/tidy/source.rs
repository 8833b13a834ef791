//! Rules for Rust sources: a doc at the top of each file, nothing unfinished left in, no test that is never run, no test
//! that insists on a port, no unsafe code but in the files that have their reasons beside it.

use std::collections::BTreeSet;

use super::Problem;
use super::tree::{self, Tree};

/// What must not be in the code, and the mend.
const LEFT_OVER: &[(&str, &str)] = &[
    ("#[ignore", "a test that nobody runs: make it pass, or delete it"),
    ("todo!(", "unfinished: write it"),
    ("unimplemented!(", "unfinished: write it, or return an error"),
    ("dbg!(", "left over from a search for a bug: delete it"),
];

/// The files that may contain unsafe code: in the workspace one, with a page of reasons in it; beside it, in the package
/// that compares with peers, an allocator that counts.
const UNSAFE: &[&str] = &["sim-io/src/reactor/select/call.rs", "xtask/peers/src/allocations.rs"];

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let included = included(tree);
    let mut problems = Vec::new();
    for (path, text) in tree.ending(&[".rs"]) {
        if !included.contains(path) && !text.starts_with("//!") {
            problems.push(Problem::new(
                path,
                1,
                "no doc at the top: begin with `//!` and say what the file is for",
            ));
        }
        let code = code_only(text);
        for (number, line) in code.lines().enumerate() {
            if !UNSAFE.contains(&path) && has_word(line, &["unsafe", "unsafe_code"]) {
                let what = format!("unsafe code, which only {} may have: do without", UNSAFE.join(" and "));
                problems.push(Problem::new(path, number + 1, what));
            }
            for (pattern, mend) in LEFT_OVER.iter().filter(|(pattern, _)| has_call(line, pattern)) {
                let name = pattern.trim_end_matches('(');
                problems.push(Problem::new(path, number + 1, format!("`{name}`: {mend}")));
            }
        }
        if path.contains("/tests/") {
            problems.extend(fixed_ports(path, text));
        }
    }
    problems
}

/// Whether one of the words stands there, whole.
fn has_word(line: &str, words: &[&str]) -> bool {
    line.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .any(|word| words.contains(&word))
}

/// Whether the pattern stands there, not as the end of a longer name.
fn has_call(line: &str, pattern: &str) -> bool {
    line.match_indices(pattern)
        .any(|(position, _)| !line[..position].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

/// Files that another file includes: pieces of it, without a doc of their own.
fn included(tree: &Tree) -> BTreeSet<String> {
    let mut included = BTreeSet::new();
    for (path, text) in tree.ending(&[".rs"]) {
        for (position, pattern) in text.match_indices("include!(\"") {
            let rest = &text[position + pattern.len()..];
            let name = rest.split('"').next().unwrap_or_default();
            included.extend(tree::join(tree::folder(path), name));
        }
    }
    included
}

/// Listening on a given port of the operating system: it may be taken, and two tests may not use it at once. On a
/// simulated network any port is fine, so only the operating system's own types count.
fn fixed_ports(path: &str, text: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_start();
        let binds = ["TcpListener::bind(\"", "UdpSocket::bind(\""];
        let Some(rest) = binds
            .iter()
            .find_map(|bind| line.split_once(bind).map(|(_, rest)| rest))
        else {
            continue;
        };
        let address = rest.split('"').next().unwrap_or_default();
        let port = address.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        if !line.starts_with("//") && port.is_some_and(|port| port != 0) {
            let what = format!("a test listens on `{address}`, which may be taken: ask for port 0");
            problems.push(Problem::new(path, number + 1, what));
        }
    }
    problems
}

/// The source with blanks in place of comments and of what stands in strings and characters; lines stay lines.
fn code_only(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(&c) = characters.get(at) {
        let end = match (c, characters.get(at + 1)) {
            ('/', Some('/')) => find(&characters, at, |rest| rest.first() == Some(&'\n')),
            ('/', Some('*')) => end_of_comment(&characters, at),
            ('"', _) => end_of_string(&characters, at),
            ('r', Some('"' | '#')) if !ends_in_name(&code) => end_of_raw_string(&characters, at),
            ('\'', _) => end_of_character(&characters, at),
            _ => at,
        };
        if end == at {
            code.push(c);
            at += 1;
        } else {
            code.extend(characters[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    code
}

/// Whether what was read last is a name: then an `r` is its end and begins no raw string. (`br"` does.)
fn ends_in_name(code: &str) -> bool {
    let name: Vec<char> = code
        .chars()
        .rev()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .take(2)
        .collect();
    !name.is_empty() && name != ['b']
}

/// The first position from `at` on where the rest is as wished; the end, if there is none.
fn find(characters: &[char], at: usize, wished: impl Fn(&[char]) -> bool) -> usize {
    (at..characters.len())
        .find(|position| wished(&characters[*position..]))
        .unwrap_or(characters.len())
}

fn end_of_comment(characters: &[char], at: usize) -> usize {
    let mut depth = 0;
    let mut position = at;
    while position < characters.len() {
        match characters[position..] {
            ['/', '*', ..] => {
                depth += 1;
                position += 2;
            }
            ['*', '/', ..] => {
                depth -= 1;
                position += 2;
                if depth == 0 {
                    break;
                }
            }
            _ => position += 1,
        }
    }
    position
}

fn end_of_string(characters: &[char], at: usize) -> usize {
    let mut position = at + 1;
    while position < characters.len() {
        match characters[position] {
            '\\' => position += 2,
            '"' => return position + 1,
            _ => position += 1,
        }
    }
    characters.len()
}

/// `at` itself if no raw string begins there: `r#type` is a name.
fn end_of_raw_string(characters: &[char], at: usize) -> usize {
    let hashes = characters[at + 1..].iter().take_while(|c| **c == '#').count();
    let open = at + 1 + hashes;
    if characters.get(open) != Some(&'"') {
        return at;
    }
    let closes =
        |rest: &[char]| rest.first() == Some(&'"') && rest.len() > hashes && rest[1..=hashes].iter().all(|c| *c == '#');
    (find(characters, open + 1, closes) + 1 + hashes).min(characters.len())
}

/// `at` itself if it is a lifetime that begins there.
fn end_of_character(characters: &[char], at: usize) -> usize {
    match characters[at..] {
        ['\'', '\\', ..] => find(characters, at + 3, |rest| rest.first() == Some(&'\'')) + 1,
        ['\'', _, '\'', ..] => at + 3,
        _ => at,
    }
    .min(characters.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::of(files))
            .iter()
            .map(|problem| format!("{}:{}", problem.file, problem.line))
            .collect()
    }

    #[test]
    fn a_file_begins_with_its_doc() {
        let files = [
            ("a/src/lib.rs", "//! A.\ninclude!(\"piece.rs\");\n"),
            ("a/src/piece.rs", "const A: u8 = 1;\n"),
            ("a/src/bare.rs", "const A: u8 = 1;\n"),
        ];
        assert_eq!(lines(&files), ["a/src/bare.rs:1"]);
    }

    #[test]
    fn what_is_left_over_is_found_in_code_only() {
        let (ignored, unfinished, search) = (LEFT_OVER[0].0, LEFT_OVER[1].0, LEFT_OVER[3].0);
        let text = format!(
            "//! Not {ignored}].\n{ignored}]\nfn a() {{\n    {unfinished});\n    \"{search}\"; r#\"{search}\"#; '\"';\n    \
             my_{search}1); {search}2)\n}}\n/* {search} */\n"
        );
        assert_eq!(
            lines(&[("a/src/x.rs", &text)]),
            ["a/src/x.rs:2", "a/src/x.rs:4", "a/src/x.rs:6"]
        );
    }

    #[test]
    fn unsafe_code_has_its_one_place() {
        let text = "//! U.\n#![allow(unsafe_code)]\n// unsafe\nfn a() { unsafe { b() } }\nfn unsafer() {}\n";
        assert_eq!(lines(&[("a/src/x.rs", text)]), ["a/src/x.rs:2", "a/src/x.rs:4"]);
        assert!(lines(&[(UNSAFE[0], text)]).is_empty());
    }

    #[test]
    fn a_test_takes_any_port() {
        let text = "//! T.\nTcpListener::bind(\"127.0.0.1:0\");\nTcpListener::bind(\"127.0.0.1:5001\");\n\
                    host.bind(\"tcp://10.0.0.1:5001\");\nUdpSocket::bind(\"[::1]:9\");\n";
        assert_eq!(lines(&[("a/tests/x.rs", text)]), ["a/tests/x.rs:3", "a/tests/x.rs:5"]);
        assert!(lines(&[("a/src/x.rs", text)]).is_empty());
    }

    #[test]
    fn strings_and_comments_become_blanks() {
        for (source, code) in [
            ("a // b\nc", "a     \nc"),
            ("a /* b /* c */ */ d", "a                 d"),
            (r#"x "y\"" z"#, "x       z"),
            (r##"x r#"y"z"# w"##, "x          w"),
            (r#"br"y" w"#, "b     w"),
            ("'a' 'b: '\\'' &'static str", "    'b:      &'static str"),
            ("r#type var\"s\"", "r#type var   "),
        ] {
            assert_eq!(code_only(source), code, "{source}");
        }
    }
}
