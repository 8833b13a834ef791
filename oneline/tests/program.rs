//! The program `oneline`, from outside: first line, replies, exit codes, errors.

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use common::{Raw, endpoint};
use oneline::Net;

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oneline"));
    command.args(arguments).stdin(Stdio::null()).env_remove("RUST_LOG");
    command
}

fn run(arguments: &[&str]) -> Output {
    program(arguments).output().unwrap()
}

fn run_with_input(arguments: &[&str], input: &str) -> Output {
    let mut child = program(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// A running `oneline serve`; killed when dropped.
struct Serve {
    child: Child,
    output: BufReader<ChildStdout>,
    endpoint: String,
}

impl Serve {
    fn start(options: &[&str]) -> Self {
        Self::at("tcp://127.0.0.1:0", options)
    }

    fn at(endpoint: &str, options: &[&str]) -> Self {
        Self::run(program(&[&["serve", endpoint], options].concat()))
    }

    fn run(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let endpoint = line.trim_end().strip_prefix("listening on ").expect(&line).to_owned();
        assert!(!endpoint.ends_with(":0"), "the real port: {endpoint}");
        Self {
            child,
            output,
            endpoint,
        }
    }

    /// `oneline connect` to it.
    fn connect(&self, options: &[&str]) -> Output {
        run(&[&["connect", &self.endpoint], options].concat())
    }

    /// What it prints on `-c` commands, which must go well.
    fn ask(&self, commands: &[&str]) -> String {
        let options: Vec<_> = commands.iter().flat_map(|command| ["-c", command]).collect();
        let output = self.connect(&options);
        assert_eq!(
            (output.status.code(), text(&output.stderr)),
            (Some(0), ""),
            "{commands:?}"
        );
        text(&output.stdout).to_owned()
    }

    /// Waits for its end: exit code, the rest of its output, its errors.
    fn end(&mut self) -> (Option<i32>, String, String) {
        let code = self.child.wait().unwrap().code();
        let (mut rest, mut errors) = (String::new(), String::new());
        self.output.read_to_string(&mut rest).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        (code, rest, errors)
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_sample_session() {
    let mut serve = Serve::start(&["--reply", "cmd01=ack", "--reply", "list=one", "--reply", "list=two=2"]);
    assert_eq!(serve.ask(&["ping", "cmd01", "junk"]), "pong\nack\nnak - unknown cmd\n");
    let list = serve.connect(&["--replies", "2", "-c", "list"]);
    assert_eq!(text(&list.stdout), "one\ntwo=2\n");
    let all = serve.connect(&[
        "--replies",
        "all",
        "-c",
        "list",
        "-c",
        "cmd01",
        "-c",
        "ping",
        "-c",
        "junk",
    ]);
    assert_eq!(text(&all.stdout), "one\ntwo=2\nack\npong\nnak - unknown cmd\n");
    assert_eq!(serve.ask(&["ping", "disconnect"]), "pong\n");
    let unsent = serve.connect(&["-c", "ping", "-c", "disconnect", "-c", "never sent"]);
    assert_eq!((unsent.status.code(), text(&unsent.stdout)), (Some(2), ""));
    assert!(text(&unsent.stderr).contains("\"never sent\" could never be sent"));
    assert_eq!(serve.ask(&["shutdown"]), "");
    assert_eq!(serve.end(), (Some(0), String::new(), String::new()));
}

#[test]
fn echo_and_character_sets() {
    let serve = Serve::start(&["--echo"]);
    assert_eq!(serve.ask(&["", " as it is ", "héllo €"]), "\n as it is \nhéllo €\n");
    let serve = Serve::start(&["--echo", "--compatible"]);
    assert_eq!(serve.ask(&["héllo €", "piéng"]), "invalid: hllo \ninvalid: ping\n");
    let serve = Serve::start(&["--echo", "--charset", "ascii-strip", "--terminator", "crlf"]);
    assert_eq!(serve.ask(&["héllo"]), "invalid: hllo\n");
}

#[test]
fn a_script_from_standard_input() {
    let serve = Serve::start(&["--reply", "cmd01=ack", "--default-reply", "what?"]);
    let script = "# a remark\n\nping\ncmd01\r\nother\nlast without an end";
    let output = run_with_input(&["connect", &serve.endpoint], script);
    assert_eq!(text(&output.stdout), "pong\nack\nwhat?\nwhat?\n");
    assert_eq!(output.status.code(), Some(0));
    let output = run_with_input(
        &["connect", &serve.endpoint, "--replies", "0"],
        "cmd01\nshutdown\ncmd01\n",
    );
    assert_eq!((text(&output.stdout), output.status.code()), ("", Some(0)));
}

#[test]
fn exit_codes_of_connect() {
    // 3: no reply in time.
    let serve = Serve::start(&["--reply", "one=1"]);
    let output = serve.connect(&["--timeout", "5", "--replies", "2", "-c", "one"]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(3), "1\n"));
    assert!(
        text(&output.stderr).contains("no reply within 5s"),
        "{}",
        text(&output.stderr)
    );
    // 1: nobody there, and the error says where.
    serve.ask(&["shutdown"]);
    let output = serve.connect(&["-c", "ping"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains(&serve.endpoint),
        "{}",
        text(&output.stderr)
    );
    // 1: the server is busy and says so.
    let serve = Serve::start(&[
        "--admission",
        "reject",
        "--reject-line",
        "go away",
        "--idle-timeout",
        "60",
    ]);
    let mut first = program(&["connect", &serve.endpoint]);
    let mut first = first.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    first.stdin.as_mut().unwrap().write_all(b"ping\n").unwrap();
    let mut pong = [0; 5];
    first.stdout.as_mut().unwrap().read_exact(&mut pong).unwrap();
    let output = serve.connect(&["-c", "ping"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("go away"), "{}", text(&output.stderr));
    drop(first.stdin.take());
    assert!(first.wait().unwrap().success());
    // 2: usage.
    for wrong in [
        &["connect"][..],
        &["connect", "nonsense"],
        &["connect", "udp://127.0.0.1:1"],
        &["connect", "mem:x"],
        &["connect", "tcp://127.0.0.1:1", "--timeout", "0"],
        &["connect", "tcp://127.0.0.1:1", "--timeout", "nan"],
        &["serve"],
        &["serve", "tcp://127.0.0.1:0", "--admission", "sometimes"],
        &["serve", "tcp://127.0.0.1:0", "--reply", "no equals sign"],
        &["serve", "tcp://127.0.0.1:0", "--echo", "--exec", "cat"],
        &["serve", "tls://127.0.0.1:0"],
        &["dance"],
    ] {
        let output = run(wrong);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        assert!(!output.stderr.is_empty() && output.stdout.is_empty());
    }
}

#[test]
fn exit_codes_of_serve() {
    let serve = Serve::start(&[]);
    let output = run(&["serve", &serve.endpoint]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), ""));
    let error = text(&output.stderr);
    assert!(error.contains(&serve.endpoint) && error.contains("in use"), "{error}");
    let output = run(&[
        "serve",
        "tls://127.0.0.1:0",
        "--tls-cert",
        "/none.pem",
        "--tls-key",
        "/none.pem",
    ]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("/none.pem"));
}

/// A setting that nothing would ever read is a mistake of whoever wrote it.
#[test]
fn settings_without_effect_are_refused() {
    const AT: &str = "tcp://127.0.0.1:0";
    for (arguments, says) in [
        (&["serve", AT, "--reject-line", "busy"][..], "--admission reject"),
        (
            &["serve", AT, "--admission", "takeover", "--max-clients", "2"],
            "concurrent",
        ),
        (&["serve", AT, "--tls-cert", "/a.pem", "--tls-key", "/b.pem"], "tls://"),
        (&["serve", AT, "--reply", "ping=x"], "built-in"),
        (&["serve", AT, "--reply", "shutdown=x"], "--no-shutdown"),
        (&["serve", AT, "--exec-timeout", "3"], "--exec"),
        (&["connect", AT, "-c", "ping"], "port 0 is for listening"),
        (&["connect", "tcp://127.0.0.1:1", "--replies", "some"], "`all`"),
    ] {
        let output = run(arguments);
        let error = text(&output.stderr);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""), "{error}");
        assert!(error.contains(says), "{arguments:?}: {error}");
    }
    let serve = Serve::start(&["--no-shutdown", "--reply", "shutdown=no"]);
    assert_eq!(serve.ask(&["ping"]), "pong\n");
}

#[test]
fn help_and_version() {
    for (arguments, words) in [
        (&["--help"][..], &["serve", "connect"][..]),
        (
            &["serve", "--help"],
            &[
                "--admission",
                "--exec",
                "listening on ENDPOINT",
                "Exit codes:",
                "tls://HOST:PORT",
            ],
        ),
        (
            &["serve", "-h"],
            &["values: queue, reject, takeover, concurrent]", "--tls-client-ca"],
        ),
        (&["connect", "--help"], &["--replies", "Exit codes:", "130", "Ctrl-R"]),
        (&["--version"], &["oneline "]),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(0));
        let shown = text(&output.stdout);
        for word in words {
            assert!(shown.contains(word), "{arguments:?} tells nothing of {word}");
        }
        for line in shown.lines() {
            assert!(line.chars().count() <= 80, "{arguments:?} is too wide: {line}");
        }
    }
}

/// Runs a server that is asked one thing; gives what it has logged.
fn log_of(options: &[&str], variable: Option<&str>) -> String {
    let mut command = program(&[&["serve", "tcp://127.0.0.1:0"], options].concat());
    if let Some(variable) = variable {
        command.env("RUST_LOG", variable);
    }
    let mut serve = Serve::run(command);
    assert_eq!(serve.ask(&["ping", "shutdown"]), "pong\n");
    let (code, _, log) = serve.end();
    assert_eq!(code, Some(0), "{log}");
    log
}

#[test]
fn it_tells_what_happens_when_asked() {
    assert_eq!(log_of(&[], None), "");
    let told = log_of(&["-v"], None);
    let connected = told
        .lines()
        .find(|line| line.ends_with("oneline: connected"))
        .expect(&told);
    assert!(
        connected.contains("Z  INFO client{peer=tcp://127.0.0.1:"),
        "{connected}"
    );
    assert!(told.contains("oneline: listening endpoint=tcp://127.0.0.1:"), "{told}");
    assert!(!told.contains("DEBUG") && !told.contains('\u{1b}'), "{told}");
    let told = log_of(&["-vv"], None);
    assert!(
        told.contains(":client{peer=") && told.contains("net_core: event=Opened"),
        "{told}"
    );
}

#[test]
fn the_environment_has_the_last_word_on_the_log() {
    let told = log_of(&["-vv"], Some("net_core=debug"));
    assert!(
        told.contains("net_core: event=Opened") && !told.contains("oneline: "),
        "{told}"
    );
    assert_eq!(log_of(&["-vv"], Some("off")), "");
    assert!(log_of(&[], Some("oneline=info")).contains("oneline: connected"));
    let told = log_of(&["-v"], Some("oneline=sometimes"));
    assert!(
        told.starts_with("oneline: RUST_LOG is ignored") && told.contains("oneline: connected"),
        "{told}"
    );
}

#[test]
fn limits_and_forbidden_shutdown() {
    let serve = Serve::start(&["--max-line", "12", "--no-shutdown", "--default-reply", "no"]);
    let output = serve.connect(&["-c", "exactly 12 b", "-c", "more than 12 b"]);
    assert_eq!(
        text(&output.stdout),
        "no\nerror: line too long: 14 bytes, the limit is 12\n"
    );
    // The client takes `shutdown` for a built-in and leaves; the server takes it for a command.
    serve.ask(&["shutdown"]);
    assert_eq!(serve.ask(&["ping"]), "pong\n");
}

/// Whatever can send a line is a client: this one closes its side at once, as `printf 'ping\r\n' | nc` does.
#[tokio::test]
async fn a_plain_client_is_answered_and_then_closed() {
    let serve = Serve::start(&["--admission", "concurrent", "--max-clients", "2"]);
    let mut client = Raw::to(&Net::os(), &endpoint(&serve.endpoint)).await;
    client.send("ping\r\nping\njunk\n").await;
    client.finish().await;
    assert_eq!(client.rest().await, "pong\npong\nnak - unknown cmd\n");
}

#[cfg(unix)]
mod on_unix {
    use super::*;
    use std::path::PathBuf;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("oneline-program-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn file(&self, name: &str, content: &str) -> String {
            let path = self.0.join(name);
            std::fs::write(&path, content).unwrap();
            path.to_str().unwrap().to_owned()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn signal(child: &Child, name: &str) {
        let sent = Command::new("kill")
            .args(["-s", name, &child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    #[test]
    fn a_signal_ends_it_in_order() {
        for name in ["INT", "TERM"] {
            let mut serve = Serve::start(&[]);
            assert_eq!(serve.ask(&["ping"]), "pong\n");
            signal(&serve.child, name);
            let (code, rest, _) = serve.end();
            assert_eq!((code, rest.as_str()), (Some(0), ""));
        }
    }

    #[tokio::test]
    async fn a_signal_closes_a_connected_client() {
        let mut serve = Serve::start(&[]);
        let mut client = Raw::to(&Net::os(), &endpoint(&serve.endpoint)).await;
        assert_eq!(client.ask("ping").await.unwrap(), "pong");
        signal(&serve.child, "TERM");
        assert_eq!(client.line().await, None);
        drop(client);
        assert_eq!(serve.end().0, Some(0));
    }

    #[test]
    fn ctrl_c_in_connect_says_goodbye() {
        let serve = Serve::start(&[]);
        let mut client = program(&["connect", &serve.endpoint])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        client.stdin.as_mut().unwrap().write_all(b"ping\n").unwrap();
        let mut pong = [0; 5];
        client.stdout.as_mut().unwrap().read_exact(&mut pong).unwrap();
        signal(&client, "INT");
        assert_eq!(client.wait().unwrap().code(), Some(130));
        assert_eq!(serve.ask(&["ping"]), "pong\n");
    }

    #[test]
    fn over_tls_and_unix() {
        let folder = Folder::new("tls");
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let certificate = folder.file("cert.pem", &made.cert.pem());
        let key = folder.file("key.pem", &made.signing_key.serialize_pem());
        let mut serve = Serve::at("tls://127.0.0.1:0", &["--tls-cert", &certificate, "--tls-key", &key]);
        let trusted = serve.connect(&["--tls-ca", &certificate, "-c", "ping"]);
        assert_eq!((trusted.status.code(), text(&trusted.stdout)), (Some(0), "pong\n"));
        let untrusted = serve.connect(&["-c", "ping"]);
        assert_eq!(untrusted.status.code(), Some(1));
        let careless = serve.connect(&["--tls-insecure", "-c", "ping", "-c", "shutdown"]);
        assert_eq!((careless.status.code(), text(&careless.stdout)), (Some(0), "pong\n"));
        assert_eq!(serve.end().0, Some(0));

        let path = folder.0.join("socket");
        let at = format!("unix:{}", path.display());
        let mut serve = Serve::at(&at, &[]);
        assert_eq!(serve.endpoint, at);
        assert_eq!(serve.ask(&["ping", "shutdown"]), "pong\n");
        assert_eq!(serve.end().0, Some(0));
        assert!(!path.exists());
    }

    #[test]
    fn a_program_answers() {
        let folder = Folder::new("exec");
        let script = "#!/bin/sh\nread -r line\ncase \"$1\" in\n\
             fail) exit 3;;\nhang) sleep 1000;;\nnone) ;;\nflood) yes;;\n\
             *) echo \"argument $1\"; echo \"input $line\";;\nesac\n";
        let script = folder.file("answer.sh", script);
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&script, mode).unwrap();
        let serve = Serve::start(&["--exec", &script, "--exec-timeout", "5", "--reply", "fixed=yes"]);
        let output = serve.connect(&["--replies", "2", "-c", "a  'b' $(c)"]);
        assert_eq!(text(&output.stdout), "argument a  'b' $(c)\ninput a  'b' $(c)\n");
        assert_eq!(serve.ask(&["fixed"]), "yes\n");
        assert!(serve.ask(&["fail"]).starts_with("error: the program failed, "));
        assert!(
            serve
                .ask(&["flood"])
                .starts_with("error: the program printed more than 1048576 bytes")
        );
        let output = serve.connect(&["--replies", "0", "-c", "none"]);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), ""));
        let slow = serve.connect(&["--timeout", "60", "-c", "hang"]);
        assert!(
            text(&slow.stdout).contains("took longer than 5s"),
            "{}",
            text(&slow.stdout)
        );
        let serve = Serve::start(&["--exec", "/no/such/program"]);
        assert!(serve.ask(&["x"]).starts_with("error: /no/such/program can't be run: "));
    }
}
