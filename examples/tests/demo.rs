//! The program `demo`: the same seed tells the same story.

use std::process::{Command, Output};

fn demo(arguments: &[&str]) -> Output {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_demo"));
    demo.args(arguments).output().unwrap()
}

fn shift(seed: &str) -> String {
    let output = demo(&["--sim", "--seed", seed]);
    let (told, errors) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{told}\n{errors}");
    assert_eq!(errors, "");
    told
}

#[test]
fn a_simulated_shift_is_the_same_for_the_same_seed_and_another_for_another() {
    let first = shift("1");
    assert!(first.contains("checks hold."), "{first}");
    assert_eq!(first, shift("1"));
    assert_ne!(first, shift("2"));
}

#[test]
fn simulated_shifts_end_well_whatever_the_seed() {
    for seed in 10..13 {
        let told = shift(&seed.to_string());
        for fault in [
            "the cable is pulled",
            "the tool loses power",
            "falls asleep",
            "SET",
            "scrapped",
        ] {
            assert!(told.contains(fault), "seed {seed}, without {fault:?}:\n{told}");
        }
    }
}

#[test]
fn what_the_command_line_can_not_mean_is_refused() {
    for arguments in [
        &["--sim", "--serve"][..],
        &["--lots", "0"],
        &["--sim", "--http-port", "80"],
        &["now"],
    ] {
        let output = demo(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty());
    }
    let help = demo(&["--help"]);
    assert!(help.status.success());
    assert!(String::from_utf8_lossy(&help.stdout).contains("--serve"));
}
