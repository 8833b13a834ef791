//! The packages that would be published: each has what it should, and nothing that it should not.

use std::time::Duration;

use crate::step::Verdict;
use crate::workspace::{self, Member};
use crate::{Outcome, child};

/// How long cargo may take to pack everything; it compiles nothing.
const LIMIT: Duration = Duration::from_secs(300);

/// What each package has.
const WANTED: &[&str] = &["Cargo.toml", "LICENSE-APACHE", "LICENSE-MIT", "README.md", "src/lib.rs"];

/// What none has: the tests share a harness that lies in one of the crates.
const UNWANTED: &[&str] = &["tests/"];

/// What cargo says for each test that is not in the package.
const ABOUT_TESTS: &str = "warning: ignoring test `";

/// Packs every published crate, all in one go because they depend on each other, and looks at what is in the packages.
pub(crate) fn check() -> Verdict {
    match packages() {
        Ok((count, problems)) if problems.is_empty() => Verdict::PassedWith(format!("{count} packages")),
        Ok((_, problems)) => {
            println!("{}", problems.join("\n"));
            Verdict::Failed("see the lines above".to_owned())
        }
        Err(why) => Verdict::Failed(why),
    }
}

fn packages() -> Outcome<(usize, Vec<String>)> {
    let members = workspace::members()?;
    let (published, others): (Vec<_>, Vec<_>) = members.iter().partition(|member| member.published);
    // What is not committed yet is packed too: this is about what would be, not about what is.
    let mut all = child::cargo();
    all.args(["package", "--workspace", "--no-verify", "--allow-dirty"]);
    for member in others {
        all.args(["--exclude", &member.name]);
    }
    println!("$ {}", child::shown(&all));
    let finished = child::Running::start(&mut all)?.finish(LIMIT)?;
    if !finished.status.success() {
        return Err(finished.errors.trim_end().to_owned());
    }
    let mut problems = warnings(&finished.errors);
    for member in &published {
        problems.extend(contents(member)?);
    }
    Ok((published.len(), problems))
}

/// The warnings in what cargo wrote, less those about tests, which are left out on purpose.
fn warnings(errors: &str) -> Vec<String> {
    let warnings = errors.lines().filter(|line| line.starts_with("warning: "));
    let real = warnings.filter(|line| !line.starts_with(ABOUT_TESTS));
    real.map(str::to_owned).collect()
}

fn contents(member: &Member) -> Outcome<Vec<String>> {
    let mut command = child::cargo();
    command.args(["package", "--list", "--allow-dirty", "--package", &member.name]);
    let list = child::capture(&mut command, LIMIT)?;
    Ok(faults(&member.name, &list))
}

fn faults(name: &str, list: &str) -> Vec<String> {
    let has = |wanted: &str| list.lines().any(|line| line == wanted);
    let missing = WANTED.iter().filter(|wanted| !has(wanted));
    let missing = missing.map(|wanted| format!("the package {name} has no {wanted}"));
    let unwanted = list
        .lines()
        .filter(|line| UNWANTED.iter().any(|folder| line.starts_with(folder)));
    let unwanted = unwanted.map(|line| format!("the package {name} has {line}: exclude it in its Cargo.toml"));
    missing.chain(unwanted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_or_too_much_is_named() {
        let list = "Cargo.toml\nLICENSE-APACHE\nREADME.md\nsrc/lib.rs\ntests/os.rs\n";
        assert_eq!(
            faults("core", list),
            [
                "the package core has no LICENSE-MIT",
                "the package core has tests/os.rs: exclude it in its Cargo.toml"
            ]
        );
    }

    #[test]
    fn only_warnings_about_tests_are_expected() {
        let errors = "   Packaging core v0.1.0\nwarning: ignoring test `os` as `tests/os.rs` is not included\n\
                      warning: manifest has no license\n";
        assert_eq!(warnings(errors), ["warning: manifest has no license"]);
    }
}
