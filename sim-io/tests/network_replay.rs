//! The same seed goes wrong in the same way: in one program, in two, and watched or not.

#[path = "../examples/replay/scenario.rs"]
mod scenario;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::process::{Command, Output};
use std::rc::Rc;

use scenario::run;

#[test]
fn the_same_seed_gives_the_same_run_and_another_one_does_not() {
    let mut hashes = BTreeSet::new();
    let mut log = String::new();
    for seed in 0..100 {
        let outcome = run(seed, None);
        assert_eq!(run(seed, None), outcome, "seed {seed}");
        assert!(hashes.insert(outcome.trace_hash), "seed {seed}");
        assert_eq!(outcome.rounds.len(), 40, "seed {seed}");
        log.push_str(&outcome.rounds.join("\n"));
    }
    // Both happened: things that went well, and things that did not.
    assert!(log.matches("done").count() > 1000);
    assert!(log.matches("timed out").count() > 50);
}

#[test]
fn watching_changes_nothing() {
    for seed in 0..20 {
        let lines = Rc::new(Cell::new(0));
        let count = Rc::clone(&lines);
        let watched = run(seed, Some(Rc::new(move |_| count.set(count.get() + 1))));
        assert_eq!(watched, run(seed, None), "seed {seed}");
        assert!(lines.get() > 300, "seed {seed}: {} lines", lines.get());
    }
}

/// Runs the example that cargo has built for these tests.
fn replay(arguments: &[&str]) -> Output {
    let own = std::env::current_exe().unwrap();
    let examples = own.parent().and_then(|deps| deps.parent()).unwrap().join("examples");
    let example = examples.join("replay").with_extension(std::env::consts::EXE_EXTENSION);
    Command::new(&example).args(arguments).output().unwrap_or_else(|error| {
        panic!(
            "{}: {error}; `cargo build -p sim-io --examples` builds it",
            example.display()
        )
    })
}

#[test]
fn two_programs_print_the_same_run() {
    let first = replay(&["3"]);
    assert!(first.status.success());
    let log = String::from_utf8(first.stdout.clone()).unwrap();
    let hash = format!("trace hash {:016x}", run(3, None).trace_hash);
    assert_eq!(log.lines().last(), Some(hash.as_str()));
    assert!(log.contains(" fault: "));
    assert_eq!(replay(&["3"]), first);
    assert_ne!(replay(&["4"]).stdout, first.stdout);
}

#[test]
fn the_example_compares_two_runs() {
    let output = replay(&["3", "--twice"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.ends_with("seed 3: both runs are the same\n"), "{text}");
    assert_eq!(replay(&["three"]).status.code(), Some(2));
}
