//! `cargo xtask test-all`: everything that must pass, step by step, with a table at the end.

use crate::flags::Given;
use crate::step::{Results, Verdict};
use crate::workspace::Member;
use crate::{Outcome, child, demo, examples, interop, package, soak, tidy, workspace};

struct Step {
    name: &'static str,
    about: &'static str,
    /// Left out by `--fast`.
    slow: bool,
    /// Pointless when the workspace does not compile.
    compiles: bool,
    run: fn(&Given) -> Verdict,
}

/// What has tests. Not the benchmarks, which need the optimiser; the documentation and the examples have steps of their own.
const TARGETS: &[&str] = &["--lib", "--bins", "--tests"];

/// In the order in which they run: what is quick and often wrong comes first.
const STEPS: &[Step] = &[
    Step {
        name: "fmt",
        about: "the source is formatted as rustfmt would",
        slow: false,
        compiles: false,
        run: |_| {
            cargo(&["fmt", "--all", "--check"])
                .map_err(|text| format!("{text}; `cargo fmt --all` mends it"))
                .into()
        },
    },
    Step {
        name: "tidy",
        about: "what the compiler cannot check: dependencies, docs, links (`cargo xtask tidy`)",
        slow: false,
        compiles: false,
        run: |_| told(tidy::run(), "see the lines above"),
    },
    Step {
        name: "clippy",
        about: "no warning from the compiler or from clippy, in any target",
        slow: false,
        compiles: false,
        run: |_| {
            cargo(&[
                "clippy",
                "--workspace",
                "--all-targets",
                "--all-features",
                "--",
                "-D",
                "warnings",
            ])
            .into()
        },
    },
    Step {
        name: "features",
        about: "each published crate compiles without warning in each set of features that a user would pick",
        slow: true,
        compiles: true,
        run: |_| features(),
    },
    Step {
        name: "test",
        about: "every unit and integration test",
        slow: false,
        compiles: true,
        // The examples first: some tests run them.
        run: |_| {
            cargo(&["build", "--workspace", "--all-features", "--examples"])
                .and_then(|()| cargo(&[&["test", "--workspace", "--all-features", "--no-fail-fast"], TARGETS].concat()))
                .into()
        },
    },
    Step {
        name: "examples",
        about: "every example runs: those that no test runs are run here",
        slow: false,
        compiles: true,
        run: |_| examples::run(),
    },
    Step {
        name: "test-features",
        about: "the tests of net-core and oneline once more, without default features",
        slow: true,
        compiles: true,
        run: |_| test_features(),
    },
    Step {
        name: "doctest",
        about: "every example in the documentation",
        slow: false,
        compiles: true,
        run: |_| cargo(&["test", "--workspace", "--all-features", "--no-fail-fast", "--doc"]).into(),
    },
    Step {
        name: "docs",
        about: "the documentation builds without warning",
        slow: true,
        compiles: true,
        run: |_| {
            let mut command = child::cargo();
            command
                .args(["doc", "--workspace", "--no-deps", "--all-features"])
                .env("RUSTDOCFLAGS", "-D warnings");
            child::stream(&mut command).into()
        },
    },
    Step {
        name: "package",
        about: "each published crate packs cleanly, with what belongs into its package",
        slow: false,
        compiles: false,
        run: |_| package::check(),
    },
    Step {
        name: "demo",
        about: "the models work together (`cargo xtask demo`), and twice the same simulated",
        slow: true,
        compiles: true,
        run: |_| demo::check().into(),
    },
    Step {
        name: "soak",
        about: "some seconds of all models at once, with faults (`cargo xtask soak` lasts ten minutes)",
        slow: true,
        compiles: true,
        run: |_| child::stream(soak::command().args(["--for", "10s"])).into(),
    },
    Step {
        name: "interop",
        about: "against the originals and other real programs (`cargo xtask interop`)",
        slow: true,
        compiles: true,
        run: |given| told(interop::run_without(&cases_to_skip(given)), "see its table above"),
    },
    Step {
        name: "deny",
        about: "licences and sources of all dependencies (only where cargo-deny is installed)",
        slow: false,
        compiles: false,
        run: |_| match child::which("cargo-deny") {
            Some(_) => cargo(&["deny", "--all-features", "check", "bans", "licenses", "sources"]).into(),
            None => Verdict::Absent("cargo-deny is not installed (cargo install --locked cargo-deny)".into()),
        },
    },
];

/// Programs that some steps can do without, and how to get them.
const OPTIONAL: &[(&str, &str)] = &[
    ("cargo-deny", "cargo install --locked cargo-deny"),
    ("nc", "apt-get install netcat-openbsd"),
    ("openssl", "apt-get install openssl"),
    ("socat", "apt-get install socat"),
];

/// Whether the user named steps that there are.
pub(crate) fn check(given: &Given) -> Outcome<()> {
    let (skip, only) = (given.values("--skip"), given.values("--only"));
    for name in skip.iter().chain(&only).filter(|name| !name.starts_with("interop/")) {
        if !STEPS.iter().any(|step| step.name == name) {
            return Err(format!(
                "there is no step `{name}`; `cargo xtask test-all --list` names them"
            ));
        }
    }
    if let Some(name) = only.iter().find(|name| name.starts_with("interop/")) {
        return Err(format!(
            "`--only {name}`: for one case use `cargo xtask interop --only CASE`"
        ));
    }
    interop::check_names(&cases_to_skip(given))
}

/// Runs what the user asked for. `Ok(false)`: a step failed.
pub(crate) fn run(given: &Given) -> Outcome {
    if given.has("--list") {
        for step in STEPS {
            let slow = if step.slow { " [left out by --fast]" } else { "" };
            println!("{:<14} {}{slow}", step.name, step.about);
        }
        return Ok(true);
    }
    if given.has("--fast") {
        let slow: Vec<_> = STEPS.iter().filter(|step| step.slow).map(|step| step.name).collect();
        println!("--fast leaves out: {}", slow.join(", "));
    }

    let mut results = Results::default();
    let mut broken = false;
    for step in STEPS {
        if let Some(why) = reason_to_skip(step, given, broken) {
            results.note(step.name, Verdict::Skipped(why));
            continue;
        }
        println!("\n==== {}: {}", step.name, step.about);
        results.run(step.name, || (step.run)(given));
        // A warning is no reason to hold back the tests; code that does not compile is.
        if step.name == "clippy" && results.failed("clippy") {
            broken = cargo(&["check", "--quiet", "--workspace", "--all-targets", "--all-features"]).is_err();
        }
    }

    println!("\n==== summary\n{}", results.table().trim_end());
    let absent: Vec<_> = OPTIONAL
        .iter()
        .filter(|(name, _)| child::which(name).is_none())
        .collect();
    if absent.is_empty() {
        println!("\nNo optional program is absent.");
    } else {
        println!("\nOptional programs that are absent here:");
        for (name, how) in absent {
            println!("  {name:<10}  {how}");
        }
    }
    println!();
    println!("{}", totals(&results));
    Ok(!results.any_failed())
}

/// The last line: what was absent counts as skipped.
fn totals(results: &Results) -> String {
    let (passed, failed) = (results.count(&["ok"]), results.count(&["FAILED"]));
    format!(
        "{passed} passed, {failed} failed, {} skipped",
        results.count(&["skipped", "absent"])
    )
}

fn reason_to_skip(step: &Step, given: &Given, broken: bool) -> Option<String> {
    let (skip, only) = (given.values("--skip"), given.values("--only"));
    let named = |names: &[String]| names.iter().any(|name| name == step.name);
    if named(&skip) {
        Some(format!("--skip {}", step.name))
    } else if !only.is_empty() && !named(&only) {
        Some("--only others".into())
    } else if given.has("--fast") && step.slow && !named(&only) {
        Some("--fast".into())
    } else if broken && step.compiles {
        Some("pointless: the workspace does not compile, see clippy".into())
    } else {
        None
    }
}

/// The cases in `--skip interop/CASE`.
fn cases_to_skip(given: &Given) -> Vec<String> {
    given
        .values("--skip")
        .iter()
        .filter_map(|name| name.strip_prefix("interop/"))
        .map(str::to_owned)
        .collect()
}

fn cargo(arguments: &[&str]) -> Outcome<()> {
    child::stream(child::cargo().args(arguments))
}

/// The verdict on a command of this program that has told its own story.
fn told(outcome: Outcome, where_to_look: &str) -> Verdict {
    match outcome {
        Ok(true) => Verdict::Passed,
        Ok(false) => Verdict::Failed(where_to_look.to_owned()),
        Err(why) => Verdict::Failed(why),
    }
}

fn features() -> Verdict {
    let members = match workspace::members() {
        Ok(members) => members,
        Err(why) => return Verdict::Failed(why),
    };
    let published = members.iter().filter(|member| member.published);
    let choices: Vec<_> = published
        .flat_map(|member| choices(member).into_iter().map(move |choice| (member, choice)))
        .collect();
    let mut failed = Vec::new();
    for (number, (member, choice)) in choices.iter().enumerate() {
        println!(
            "features {} of {}: {} {}",
            number + 1,
            choices.len(),
            member.name,
            choice.join(" ")
        );
        // Without its tests: their dependencies would switch on features that a user does not get.
        let mut command = child::cargo();
        command
            .args(["clippy", "--quiet", "--package", &member.name])
            .args(choice)
            .args(["--", "-D", "warnings"]);
        if child::stream(&mut command).is_err() {
            failed.push(format!("{} {}", member.name, choice.join(" ")));
        }
    }
    if failed.is_empty() {
        Verdict::PassedWith(format!("{} sets of features", choices.len()))
    } else {
        Verdict::Failed(format!("{} of {}: {}", failed.len(), choices.len(), failed.join("; ")))
    }
}

/// What a user would write after `cargo add`: the default, none, each feature alone, all.
fn choices(member: &Member) -> Vec<Vec<String>> {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let mut choices = vec![words("")];
    let features: Vec<_> = member.features.keys().filter(|name| *name != "default").collect();
    if features.is_empty() {
        return choices;
    }
    choices.push(words("--no-default-features"));
    choices.extend(
        features
            .iter()
            .map(|name| words(&format!("--no-default-features --features {name}"))),
    );
    if features.len() > 1 {
        choices.push(words("--all-features"));
    }
    choices
}

fn test_features() -> Verdict {
    let mut failed = Vec::new();
    for name in ["net-core", "oneline"] {
        // Without the examples in the documentation, which show what one gets by default.
        let tests = ["test", "--package", name, "--no-default-features", "--no-fail-fast"];
        if cargo(&[&tests, TARGETS].concat()).is_err() {
            failed.push(name);
        }
    }
    if failed.is_empty() {
        Verdict::Passed
    } else {
        Verdict::Failed(failed.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn member(features: &[&str]) -> Member {
        Member {
            name: "sample".into(),
            folder: "sample".into(),
            published: true,
            features: features
                .iter()
                .map(|name| ((*name).to_owned(), Vec::new()))
                .collect::<BTreeMap<_, _>>(),
            dependencies: Vec::new(),
            examples: Vec::new(),
        }
    }

    #[test]
    fn every_choice_of_features_is_tried_once() {
        assert_eq!(choices(&member(&[])), [Vec::<String>::new()]);
        let lines: Vec<_> = choices(&member(&["default", "tls", "unix"]))
            .iter()
            .map(|choice| choice.join(" "))
            .collect();
        assert_eq!(
            lines,
            [
                "",
                "--no-default-features",
                "--no-default-features --features tls",
                "--no-default-features --features unix",
                "--all-features",
            ]
        );
    }

    #[test]
    fn the_last_line_counts_steps() {
        let mut results = Results::default();
        results.note("one", Verdict::PassedWith("3 things".into()));
        results.note("two", Verdict::Failed("no".into()));
        results.note("three", Verdict::Absent("deny".into()));
        results.note("four", Verdict::Skipped("--fast".into()));
        assert_eq!(totals(&results), "1 passed, 1 failed, 2 skipped");
    }

    #[test]
    fn the_names_of_steps_are_unique() {
        for (position, step) in STEPS.iter().enumerate() {
            assert!(
                STEPS.iter().skip(position + 1).all(|other| other.name != step.name),
                "{} twice",
                step.name
            );
        }
    }
}
