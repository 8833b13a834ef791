//! The program `statechart`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
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

/// A model of its own for a test, in a file.
fn file(name: &str, xml: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, xml).unwrap();
    path
}

#[test]
fn check_test_and_draw() {
    let light = model("traffic_light.xml");
    let output = statechart(&["check", &light], "");
    assert!(output.status.success(), "{output:?}");
    assert!(text(&output.stdout).ends_with("traffic_light.xml: ok, 1 class\n"));

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

/// Creates a socket, then does what is wrong with it.
const CLUMSY: &str = r#"
<diagram>
  <inport name="socket_in"/><outport name="socket_out"/>
  <class name="Clumsy">
    <scxml initial="start">
      <state id="start">
        <onentry><raise event="create_socket" port="socket_out"/></onentry>
        <transition event="created_socket" port="socket_in" target="../waiting">
          <parameter name="socket"/>
          <raise event="bind_socket" port="socket_out">
            <parameter expr="socket"/><parameter expr="('127.0.0.1', 80808)"/>
          </raise>
          <raise event="connect_socket" port="socket_out">
            <parameter expr="socket"/><parameter expr="'unix:/no/such/place'"/>
          </raise>
          <raise event="send_sokcet" port="socket_out">
            <parameter expr="socket"/><parameter expr="'hello'"/>
          </raise>
        </transition>
      </state>
      <state id="waiting"/>
    </scxml>
  </class>
</diagram>"#;

#[test]
fn what_goes_wrong_with_sockets_is_told() {
    let path = file("clumsy.xml", CLUMSY);
    let mut child = Command::new(env!("CARGO_BIN_EXE_statechart"))
        .args(["run", "--sockets"])
        .arg(&path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut missing = vec![
        (
            "statechart: ",
            " socket_out.send_sokcet(",
            "no command of the socket service",
        ),
        (
            "statechart: ",
            " unknown_error_socket that no transition caught: ",
            "80808",
        ),
        (
            "statechart: ",
            " error_socket that no transition caught: ",
            "/no/such/place",
        ),
    ];
    // The socket stays open, so the program goes on.
    while !missing.is_empty() {
        let line = lines.next().expect("all is told").unwrap();
        missing
            .retain(|(begin, middle, what)| !(line.starts_with(begin) && line.contains(middle) && line.contains(what)));
    }
    child.kill().unwrap();
    child.wait().unwrap();

    let output = statechart(&["check", path.to_str().unwrap()], "");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let errors = text(&output.stderr);
    let [warning] = errors.lines().collect::<Vec<_>>()[..] else {
        panic!("one warning, got {errors}");
    };
    assert!(warning.contains("clumsy.xml:16:11: "), "{warning}");
    assert!(warning.contains("`send_sokcet` is no command"), "{warning}");
}

#[test]
fn errors_that_a_transition_catches_are_not_told() {
    let caught = CLUMSY.replace("send_sokcet", "close_socket").replace(
        r#"<state id="waiting"/>"#,
        r#"<state id="waiting">
             <transition event="error_socket" port="socket_in" target="."/>
             <transition event="unknown_error_socket" port="socket_in" target="."/>
           </state>"#,
    );
    let path = file("careful.xml", &caught);
    let output = statechart(&["run", "--sockets", path.to_str().unwrap()], "");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn an_event_that_no_transition_waits_for_is_told() {
    let output = statechart(&["run", &model("counter.xml")], "input.ad(2)\ninput.add(3)\n");
    assert!(output.status.success(), "{output:?}");
    let errors = text(&output.stderr);
    assert_eq!(
        errors.lines().collect::<Vec<_>>(),
        ["statechart: no transition waits for `ad`: expected one of add, show"]
    );
}
