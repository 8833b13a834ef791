//! The program `statechart`.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

fn model(name: &str) -> String {
    format!("{}/models/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn statechart(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_statechart"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn check_test_and_draw() {
    let light = model("traffic_light.xml");
    let output = statechart(&["check", &light], "");
    assert!(output.status.success(), "{output:?}");
    assert!(text(&output.stdout).ends_with("traffic_light.xml: ok, 1 classes\n"));

    let output = statechart(&["test", &light, &model("http_echo_server.xml")], "");
    assert!(output.status.success(), "{output:?}");
    assert!(text(&output.stdout).ends_with("4 passed, 0 failed\n"), "{output:?}");

    let dot = text(&statechart(&["draw", &light], "").stdout);
    assert!(dot.starts_with("digraph model {"), "{dot}");
    assert!(dot.contains("label=\"after 3\""), "{dot}");
    let mermaid = text(&statechart(&["draw", "-f", "mermaid", &light], "").stdout);
    assert!(mermaid.starts_with("stateDiagram-v2\n"), "{mermaid}");
    assert!(mermaid.contains(" : input.interrupt"), "{mermaid}");
}

#[test]
fn run_reads_events_and_writes_events() {
    let counter = model("counter.xml");
    let input = "# a comment\n\ninput.add(2)\nadd(40)\nnope.add\ninput.add(\n+0.01 input.show\n";
    let output = statechart(&["run", &counter, "-p", "start=100"], input);
    assert!(output.status.success(), "{output:?}");
    let out = text(&output.stdout);
    assert!(out.starts_with("counting from 100\n"), "{out}");
    assert!(out.ends_with(" #1 output.count(142)\n"), "{out}");
    let errors = text(&output.stderr);
    assert!(errors.contains("no inport `nope`: expected input"), "{errors}");
    assert!(errors.contains("expected `)`"), "{errors}");
}

#[test]
fn the_trace_goes_to_standard_error() {
    let output = statechart(&["run", "--trace", &model("counter.xml")], "input.add(2)\n");
    assert!(text(&output.stderr).contains("counting"), "{output:?}");
}

#[test]
fn what_is_wrong_ends_it_with_a_code() {
    let counter = model("counter.xml");
    let output = statechart(&["run", &counter, "-p", "begin=1"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("no parameter `begin`: expected start"),
        "{output:?}"
    );
    assert_eq!(statechart(&["run", &counter, "-p", "start"], "").status.code(), Some(2));
    assert_eq!(statechart(&["check", "no such file.xml"], "").status.code(), Some(1));
    assert_eq!(statechart(&["dance"], "").status.code(), Some(2));
}
