//! `cargo xtask tidy`: what the compiler, rustfmt and clippy cannot check.
//!
//! Each rule is a function from what it looks at (the files, the members) to problems, and has its tests on made-up trees.
//! A problem says where it is, what is wrong, and the mend.

mod budget;
mod direction;
mod links;
mod manifests;
mod source;
mod text;
mod tree;

use std::fmt;

use crate::{Outcome, workspace};

use tree::Tree;

/// Something to mend.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Problem {
    file: String,
    /// From 1; 0 when it is about the file as a whole.
    line: usize,
    what: String,
}

impl Problem {
    fn new(file: impl Into<String>, line: usize, what: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            line,
            what: what.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.what),
            line => write!(f, "{}:{line}: {}", self.file, self.what),
        }
    }
}

/// Checks everything and prints the problems. `Ok(false)`: there are some.
pub(crate) fn run() -> Outcome {
    let tree = Tree::read(workspace::root())?;
    let members = workspace::members()?;
    let mut problems = Vec::new();
    problems.extend(text::check(&tree));
    problems.extend(source::check(&tree));
    problems.extend(links::check(&tree));
    problems.extend(manifests::check(&tree, &members));
    problems.extend(direction::check(&members));
    problems.extend(budget::check(&members)?);
    problems.sort();
    for problem in &problems {
        println!("{problem}");
    }
    match problems.len() {
        0 => println!("tidy: {} files, nothing to mend", tree.len()),
        1 => println!("tidy: one thing to mend"),
        count => println!("tidy: {count} things to mend"),
    }
    Ok(problems.is_empty())
}
