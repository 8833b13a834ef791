//! The action language beside Python 3.11: `python/expected.txt` has what Python says to a corpus of expressions and
//! programs (see `python/expected.py`), and the language must say the same, but for what is listed here.
#![cfg(feature = "xml")]

mod common;

use common::Rig;
use statechart_bridge::Document;

/// What is meant to be different: the code, what the language says, and why.
const DIFFERENT: &[(&str, &str, &str)] = &[
    // Usual models come from Python 2, in which text and bytes are one type.
    ("r = b'abc'[0]", "b'a'", TEXT_AND_BYTES),
    ("r = b'abc'[-1]", "b'c'", TEXT_AND_BYTES),
    ("r = 'a' + b'b'", "b'ab'", TEXT_AND_BYTES),
    ("r = b'a' == 'a'", "True", TEXT_AND_BYTES),
    ("r = 'a' in b'abc'", "True", TEXT_AND_BYTES),
    ("r = str(b'ab')", "'ab'", TEXT_AND_BYTES),
    ("r = '%s' % b'ab'", "'ab'", TEXT_AND_BYTES),
    ("r = list(b'ab')", "[b'a', b'b']", TEXT_AND_BYTES),
    ("r = [b'a'] == ['a']", "True", TEXT_AND_BYTES),
    ("r = 'ab'.startswith(b'a')", "True", TEXT_AND_BYTES),
    ("r = 2 ** 63", "!", WHOLE_NUMBERS),
    ("r = 9223372036854775807 + 1", "!", WHOLE_NUMBERS),
    ("r = -(-9223372036854775807 - 1)", "!", WHOLE_NUMBERS),
    (
        "r = {True: 'a'}[1]",
        "!",
        "a truth value and a number are different keys",
    ),
    ("r = [*[]] == []", "!", NO_STARS),
    ("x, *y = [1, 2, 3]\nr = y", "!", NO_STARS),
    (
        "r = f'{3:{4}}'",
        "!",
        "no placeholders in the format of a placeholder of a format text",
    ),
    ("r = f'{1+1=}'", "!", "no `=` in a placeholder"),
    ("r = f'{\"x\"=}'", "!", "no `=` in a placeholder"),
];

const TEXT_AND_BYTES: &str = "bytes go together with text";
const WHOLE_NUMBERS: &str = "whole numbers have 64 bits";
const NO_STARS: &str = "there are no starred expressions";

fn unescaped(line: &str) -> String {
    let mut text = String::new();
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.as_str().starts_with('n') => {
                chars.next();
                text.push('\n');
            }
            '\\' => text.extend(chars.next()),
            c => text.push(c),
        }
    }
    text
}

/// What the code leaves in `r`, or `!` and what is wrong.
fn outcome(code: &str) -> String {
    // Functions and modules stand in `top`.
    let (mut top, mut rest) = (String::new(), String::new());
    let mut in_top = false;
    let defines = code.contains("def ") || code.contains("import ");
    for line in code.lines() {
        in_top = match line {
            line if line.starts_with("def ") || line.starts_with("import ") || line.starts_with("from ") => true,
            line if line.starts_with([' ', '\t']) => in_top,
            // Names that functions see.
            line if defines && !line.starts_with("r ") && line.contains(" = ") => true,
            _ => false,
        };
        let part = if in_top { &mut top } else { &mut rest };
        part.push_str(line);
        part.push('\n');
    }
    let code = if code.ends_with('\n') || code.contains("\"\"\"") || !defines {
        code.to_owned()
    } else {
        rest
    };
    let xml = format!(
        "<diagram><top><![CDATA[\n{top}]]></top><class name=\"C\"><attribute name=\"r\" init-value=\"'unset'\"/><scxml><state id=\"a\">\
         <onentry><script><![CDATA[\n{code}\nself.r = repr(r)\n]]></script></onentry></state></scxml></class></diagram>"
    );
    let document = match Document::parse("c.xml", &xml) {
        Ok(document) => document,
        Err(error) => return format!("! {error}"),
    };
    let Rig { engine, faults, .. } = Rig::new(document.model());
    if let Some(fault) = faults.lock().unwrap().pop() {
        return format!("! {fault}");
    }
    let instance = engine.instances().next().unwrap();
    engine.attribute(instance, "r").unwrap().as_str().unwrap().to_owned()
}

#[test]
fn it_says_what_python_says() {
    let lines: Vec<String> = include_str!("python/expected.txt").lines().map(unescaped).collect();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for case in lines.chunks(2) {
        let [code, python] = case else {
            panic!("two lines for each case")
        };
        let ours = outcome(code);
        let short = if ours.starts_with('!') { "!" } else { &ours };
        let expected = match DIFFERENT.iter().find(|(known, _, _)| known == code) {
            Some((_, expected, why)) => {
                assert_ne!(expected, python, "{code}: there is no difference ({why})");
                seen += 1;
                expected
            }
            None => python.as_str(),
        };
        if short != expected {
            wrong.push(format!("{code}\n    expected {expected}\n    got      {ours}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(
        seen,
        DIFFERENT.len(),
        "some that are listed as different are not in the corpus"
    );
    assert!(lines.len() > 1000, "the corpus is there");
}
