//! The program `hsms`, as a user runs it.
#![cfg(feature = "cli")]

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Output, Stdio};

fn hsms(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hsms"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    output(&hsms(arguments).output().unwrap())
}

fn output(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// Runs it until a line on standard error has all these parts; then it is ended, however long it would go on.
fn tells(arguments: &[&str], parts: &[&str]) {
    let mut child = hsms(arguments).stderr(Stdio::piped()).spawn().unwrap();
    let mut all = Vec::new();
    let told = BufReader::new(child.stderr.take().unwrap()).lines().any(|line| {
        all.push(line.unwrap());
        all.last()
            .is_some_and(|line| parts.iter().all(|part| line.contains(part)))
    });
    let _ = child.kill();
    child.wait().unwrap();
    assert!(told, "{parts:?} in {all:?}");
}

/// A program that listens, until this is dropped.
struct Listening {
    child: Child,
    at: String,
    rest: BufReader<std::process::ChildStdout>,
}

impl Listening {
    fn start(arguments: &[&str]) -> Self {
        let mut child = hsms(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut rest = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        rest.read_line(&mut line).unwrap();
        let at = line.trim().strip_prefix("listening on ").unwrap().to_owned();
        Self { child, at, rest }
    }

    /// Ends it, and gives what else it printed.
    fn end(mut self) -> String {
        self.child.kill().unwrap();
        let mut text = String::new();
        self.rest.read_to_string(&mut text).unwrap();
        text
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A socket that is no equipment of ours.
#[expect(
    clippy::disallowed_types,
    reason = "a peer of a program that blocks, without a runtime"
)]
fn by_hand() -> std::net::TcpListener {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap()
}

const EQUIPMENT: [&str; 2] = ["listen", "tcp://127.0.0.1:0"];
const S1F2: &str = "S1F2\n<L [2]\n  <A \"hsms\">\n  <A \"0.1.0\">\n>.\n";

#[test]
fn equipment_answers_what_every_equipment_answers() {
    for multi in [&["--multi"][..], &[]] {
        let equipment = Listening::start(&[&EQUIPMENT[..], multi].concat());
        let (code, out, _) = run(&[
            "connect",
            &equipment.at,
            "-c",
            "S1F1 W",
            "-c",
            "S1F13 W <L>.",
            "-c",
            "S2F25 W <B 1 255>",
        ]);
        assert_eq!(code, Some(0));
        let s1f14 = "S1F14\n<L [2]\n  <B 0x00>\n  <L [2]\n    <A \"hsms\">\n    <A \"0.1.0\">\n  >\n>.\n";
        assert_eq!(out, format!("{S1F2}{s1f14}S2F26\n<B 0x01 0xFF>.\n"));

        let (code, out, err) = run(&["connect", &equipment.at, "-c", "S99F1 W", "-c", "S1F99 W"]);
        assert_eq!((code, out.as_str()), (Some(3), ""));
        assert!(
            err.contains("S9F3, unknown stream") && err.contains("S9F5, unknown function"),
            "{err}"
        );
    }
}

#[test]
fn equipment_answers_what_it_is_told_to() {
    let path = std::env::temp_dir().join(format!("hsms-test-{}.sml", std::process::id()));
    std::fs::write(&path, "S7F20 <L <A 'R1'>>.").unwrap();
    let file = path.to_str().unwrap();
    let equipment = Listening::start(&[&EQUIPMENT[..], &["--respond", file, "--session-id", "7"]].concat());
    let (code, out, _) = run(&["connect", &equipment.at, "--session-id", "7", "-c", "S7F19 W"]);
    assert_eq!((code, out.as_str()), (Some(0), "S7F20\n<L [1]\n  <A \"R1\">\n>.\n"));
    // Another device id is refused.
    let (code, _, err) = run(&["connect", &equipment.at, "-c", "S1F1 W"]);
    assert_eq!(code, Some(3));
    assert!(err.contains("unknown device id"), "{err}");
    std::fs::write(&path, "S7F19 W.").unwrap();
    let (code, _, err) = run(&[&EQUIPMENT[..], &["--respond", file]].concat());
    std::fs::remove_file(&path).unwrap();
    assert_eq!(code, Some(1));
    assert!(err.contains("S7F19 answers nothing"), "{err}");
}

#[test]
fn a_script_comes_from_standard_input() {
    let equipment = Listening::start(&EQUIPMENT);
    let mut child = hsms(&["connect", &equipment.at])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let script = b"# who is there?\n\nS1F1 W\nS1F1 W.\n";
    child.stdin.take().unwrap().write_all(script).unwrap();
    let (code, out, _) = output(&child.wait_with_output().unwrap());
    assert_eq!((code, out), (Some(0), S1F2.repeat(2)));
}

#[test]
fn what_waits_for_no_reply_is_told() {
    let equipment = Listening::start(&EQUIPMENT);
    let (code, out, err) = run(&["connect", &equipment.at, "-c", "S1F1"]);
    assert_eq!((code, out.as_str()), (Some(0), ""));
    assert!(err.contains("S1F1 is sent") && err.contains("`S1F1 W`"), "{err}");
}

#[test]
fn tries_to_connect_are_told() {
    // One that nobody listens at, and one that takes the connection and says nothing.
    let silent = by_hand();
    let silent = format!("tcp://{}", silent.local_addr().unwrap());
    let tries: [(&[&str], [&str; 2]); 2] = [
        (
            &["ping", "tcp://127.0.0.1:1", "--timeout", "600", "--t5", "0.2"],
            ["refused", "the next try is in 200ms (T5)"],
        ),
        (
            &["connect", &silent, "--timeout", "600", "--t6", "600", "-c", "S1F1 W"],
            ["waiting for", "for 600s at most (NOT "],
        ),
    ];
    for (arguments, parts) in tries {
        tells(arguments, &[&parts[..], &[arguments[1]]].concat());
    }
}

#[test]
fn who_is_never_selected_is_told_why() {
    let silent = by_hand();
    let at = format!("tcp://{}", silent.local_addr().unwrap());
    for arguments in [["ping", "tcp://127.0.0.1:1"], ["connect", &at]] {
        let (code, _, err) = run(&[&arguments[..], &["--timeout", "0.1"]].concat());
        assert_eq!(code, Some(1), "{err}");
        assert!(err.ends_with("not selected within 100ms\n"), "{err}");
    }
}

#[cfg(unix)]
#[test]
fn a_signal_ends_what_waits() {
    let equipment = Listening::start(&EQUIPMENT);
    let silent = by_hand();
    let nobody = format!("tcp://{}", silent.local_addr().unwrap());
    // While it waits to be selected, and while it waits for a line of its script.
    for (at, ready) in [(&nobody, "waiting for"), (&equipment.at, "S1F1 is sent")] {
        let mut child = hsms(&["connect", at, "--timeout", "600", "--t6", "600"])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(b"S1F1\n").unwrap();
        let mut errors = BufReader::new(child.stderr.take().unwrap()).lines();
        assert!(errors.any(|line| line.unwrap().contains(ready)), "{ready}");
        let sent = Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
        assert_eq!(child.wait().unwrap().code(), Some(130), "{ready}");
        drop(input);
    }
}

/// A user at a terminal.
#[cfg(unix)]
mod at_a_terminal {
    use std::fs::File;
    use std::os::fd::OwnedFd;

    use nix::pty::openpty;
    use nix::sys::termios::{Termios, tcgetattr};

    use super::*;

    struct Session {
        child: Child,
        keys: File,
        screen: BufReader<File>,
        terminal: OwnedFd,
        before: Termios,
    }

    impl Session {
        fn start(at: &str) -> Self {
            let pty = openpty(None, None).unwrap();
            let before = tcgetattr(&pty.slave).unwrap();
            let end = || Stdio::from(pty.slave.try_clone().unwrap());
            let child = hsms(&["connect", at])
                .env("TERM", "xterm")
                .env("XDG_STATE_HOME", env!("CARGO_TARGET_TMPDIR"))
                .stdin(end())
                .stdout(end())
                .stderr(end())
                .spawn()
                .unwrap();
            let master = File::from(pty.master);
            Self {
                child,
                keys: master.try_clone().unwrap(),
                screen: BufReader::new(master),
                terminal: pty.slave,
                before,
            }
        }

        /// Reads on until this is shown.
        fn until(&mut self, shown: &str) {
            let mut all = Vec::new();
            while !String::from_utf8_lossy(&all).contains(shown) {
                let mut byte = [0];
                self.screen.read_exact(&mut byte).unwrap();
                all.push(byte[0]);
            }
        }

        fn kill(&self, signal: &str) {
            let sent = Command::new("kill")
                .args([signal, &self.child.id().to_string()])
                .status();
            assert!(sent.unwrap().success());
        }
    }

    #[test]
    fn sigterm_ends_the_shell_and_leaves_the_terminal_as_it_was() {
        let equipment = Listening::start(&EQUIPMENT);
        let mut session = Session::start(&equipment.at);
        session.until("> ");
        // The keys' own signals are off while a line is edited; one from elsewhere eats no line.
        session.kill("-INT");
        session.keys.write_all(b"S1F1 W\r").unwrap();
        session.until("S1F2");
        session.until("> ");
        session.kill("-TERM");
        assert_eq!(session.child.wait().unwrap().code(), Some(130));
        assert_eq!(tcgetattr(&session.terminal).unwrap(), session.before);
    }

    #[test]
    fn the_end_of_input_ends_the_shell_well() {
        let equipment = Listening::start(&EQUIPMENT);
        let mut session = Session::start(&equipment.at);
        session.until("> ");
        session.keys.write_all(b"\x04").unwrap();
        assert_eq!(session.child.wait().unwrap().code(), Some(0));
        assert_eq!(tcgetattr(&session.terminal).unwrap(), session.before);
    }
}

#[test]
fn a_host_whose_user_is_silent_answers_linktests() {
    let listener = by_hand();
    let at = format!("tcp://{}", listener.local_addr().unwrap());
    let mut host = hsms(&["connect", &at]).stdin(Stdio::piped()).spawn().unwrap();
    let (mut equipment, _) = listener.accept().unwrap();
    equipment
        .set_read_timeout(Some(std::time::Duration::from_secs(60)))
        .unwrap();
    let mut frame = [0; 14];
    equipment.read_exact(&mut frame).unwrap();
    assert_eq!(frame, [0, 0, 0, 10, 255, 255, 0, 0, 0, 1, 0, 0, 0, 1], "Select.req");
    equipment
        .write_all(&[0, 0, 0, 10, 255, 255, 0, 0, 0, 2, 0, 0, 0, 1])
        .unwrap();
    for system in 7..9 {
        equipment
            .write_all(&[0, 0, 0, 10, 255, 255, 0, 0, 0, 5, 0, 0, 0, system])
            .unwrap();
        equipment.read_exact(&mut frame).unwrap();
        assert_eq!(
            frame,
            [0, 0, 0, 10, 255, 255, 0, 0, 0, 6, 0, 0, 0, system],
            "Linktest.rsp"
        );
    }
    drop(host.stdin.take());
    assert_eq!(host.wait().unwrap().code(), Some(0));
}

#[test]
fn ping_measures_linktests() {
    let equipment = Listening::start(&EQUIPMENT);
    let (code, out, _) = run(&["ping", &equipment.at, "-n", "2", "--interval", "0.01"]);
    assert_eq!(code, Some(0));
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(
        lines[1].starts_with(&format!("linktest 2 answered by {} in ", equipment.at)),
        "{out}"
    );
}

#[test]
fn a_tap_prints_both_ways() {
    let equipment = Listening::start(&EQUIPMENT);
    let tap = Listening::start(&["tap", "tcp://127.0.0.1:0", &equipment.at]);
    let (code, out, _) = run(&["connect", &tap.at, "-c", "S1F1 W"]);
    assert_eq!((code, out.as_str()), (Some(0), S1F2));
    let text = tap.end();
    for part in [
        "Select.req header: {session_id:0xffff",
        "Select.rsp",
        "\nS1F1 W.\n",
        S1F2,
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn decode_prints_sml() {
    let mut child = hsms(&["decode"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let hex = b"0000000e 0000 8101 0000 00000007 4102 4f4b";
    child.stdin.take().unwrap().write_all(hex).unwrap();
    let (code, out, _) = output(&child.wait_with_output().unwrap());
    assert_eq!(code, Some(0));
    assert!(out.ends_with("S1F1 W\n<A \"OK\">.\n"), "{out}");
    let (code, _, err) = run(&["decode", "/no/such/file"]);
    assert_eq!(code, Some(1));
    assert!(err.contains("/no/such/file"), "{err}");
}

#[test]
fn inside_tls() {
    let key = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let folder = std::env::temp_dir().join(format!("hsms-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = |name: &str, text: String| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let cert = file("cert.pem", key.cert.pem());
    let secret = file("key.pem", key.signing_key.serialize_pem());
    let at = ["listen", "tls://127.0.0.1:0", "--tls-cert", &cert, "--tls-key", &secret];
    let equipment = Listening::start(&at);
    assert!(equipment.at.starts_with("tls://127.0.0.1:"), "{}", equipment.at);
    for trust in [&["--tls-ca", &*cert][..], &["--tls-insecure"]] {
        let (code, out, err) = run(&[&["connect", &*equipment.at, "-c", "S1F1 W"], trust].concat());
        assert_eq!((code, out.as_str()), (Some(0), S1F2), "{err}");
    }
    let (code, _, err) = run(&["ping", &equipment.at, "-n", "1", "--tls-ca", &cert]);
    assert_eq!(code, Some(0), "{err}");
    let tap = Listening::start(&["tap", "tcp://127.0.0.1:0", &equipment.at, "--tls-ca", &cert]);
    let (code, out, _) = run(&["connect", &tap.at, "-c", "S1F1 W"]);
    assert_eq!((code, out.as_str()), (Some(0), S1F2));
    // Its issuer is not among those of the system.
    tells(
        &["connect", &equipment.at, "--timeout", "600", "-c", "S1F1 W"],
        &["certificate"],
    );
    drop((equipment, tap));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn mistakes_are_told() {
    for (arguments, part) in [
        (&["listen", "tls://127.0.0.1:0"][..], "needs --tls-cert"),
        (
            &["tap", "tls://127.0.0.1:0", "tcp://127.0.0.1:1"],
            "listens in the clear",
        ),
        (&["connect", "udp://127.0.0.1:1"], "carries no HSMS"),
        (&["connect", "tcp://127.0.0.1:1", "-c", "what?"], "what?"),
        (&["listen", "tcp://127.0.0.1:0", "--t3", "0"], "above 0"),
        (&["listen", "tcp://127.0.0.1:0", "--linktest=-1"], "--linktest"),
        (&["fly"], "fly"),
    ] {
        let (code, _, err) = run(arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {err}");
        assert!(err.contains(part), "{arguments:?}: {err}");
    }
}
