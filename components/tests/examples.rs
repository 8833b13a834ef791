//! The examples do what they say.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use components::{Endpoint, Net};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// An example that cargo has built for these tests.
fn command(name: &str) -> Command {
    let own = std::env::current_exe().unwrap();
    let examples = own.parent().and_then(|deps| deps.parent()).unwrap().join("examples");
    Command::new(examples.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
}

/// An example that runs; killed when it is dropped.
struct Running {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Running {
    fn start(name: &str, arguments: &[&str]) -> Self {
        let mut example = command(name);
        example.args(arguments);
        Self::spawn(example)
    }

    fn spawn(mut command: Command) -> Self {
        let child = command.stdout(Stdio::piped()).spawn();
        let mut child = child.unwrap_or_else(|error| {
            panic!(
                "{}: {error}; `cargo build -p components --examples` builds it",
                command.get_program().display()
            )
        });
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// The endpoint that its first line names.
    fn endpoint(&mut self) -> Endpoint {
        let line = self.line();
        let endpoint = line.strip_prefix("listening on ").unwrap_or_else(|| panic!("{line:?}"));
        endpoint.parse().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const ANY: &str = "tcp://127.0.0.1:0";
const LIMIT: Duration = Duration::from_secs(60);

/// Sends, closes its side, and gets all there is.
async fn exchange(to: &Endpoint, sent: &[u8]) -> Vec<u8> {
    let work = async {
        let mut stream = Net::os().connect(to).await.unwrap();
        stream.write_all(sent).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.unwrap();
        all
    };
    Net::os().timeout(LIMIT, work).await.unwrap()
}

#[tokio::test]
async fn echo_server() {
    let mut server = Running::start("echo_server", &[ANY]);
    let at = server.endpoint();
    assert_eq!(exchange(&at, b"hello").await, b"hello");
    assert_eq!(exchange(&at, b"again").await, b"again");
}

#[test]
fn echo_client() {
    let mut server = Running::start("echo_server", &[ANY]);
    let to = server.endpoint().to_string();
    let mut client = Running::start("echo_client", &[&to]);
    for size in [1, 1000, 50_000, 1_000_000] {
        assert_eq!(client.line(), format!("{size} bytes came back"));
    }
    assert!(client.child.wait().unwrap().success());
    drop(server);
    let mut client = Running::start("echo_client", &[&to]);
    assert_eq!(client.child.wait().unwrap().code(), Some(1), "nobody is there");
}

#[tokio::test]
async fn port_forwarder() {
    let mut echo = Running::start("echo_server", &[ANY]);
    let to = echo.endpoint().to_string();
    let mut forwarder = Running::start("port_forwarder", &[ANY, &to]);
    let at = forwarder.endpoint();
    assert_eq!(exchange(&at, b"pass me on").await, b"pass me on");
    assert_eq!(forwarder.line(), "1 -> 10 bytes: pass me on");
    assert_eq!(forwarder.line(), "1 <- 10 bytes: pass me on");
}

#[tokio::test]
async fn chat() {
    let mut chat = Running::start("chat", &[ANY]);
    let at = chat.endpoint();
    let work = async {
        let net = Net::os();
        let mut one = net.connect(&at).await.unwrap();
        let mut part = [0; 64];
        // One's own words tell that one is there.
        one.write_all(b"first\n").await.unwrap();
        let count = one.read(&mut part).await.unwrap();
        assert_eq!(&part[..count], b"guest 1: first\n");
        let mut other = net.connect(&at).await.unwrap();
        other.write_all(b"hello ").await.unwrap();
        other.write_all(b"all\r\n").await.unwrap();
        for stream in [&mut one, &mut other] {
            let count = stream.read(&mut part).await.unwrap();
            assert_eq!(&part[..count], b"guest 2: hello all\n");
        }
    };
    Net::os().timeout(LIMIT, work).await.unwrap();
}

#[tokio::test]
async fn tls_upgrade() {
    let mut both = Running::start("tls_upgrade", &[]);
    both.endpoint();
    let mut lines = vec![both.line(), both.line(), both.line(), both.line(), both.line()];
    // Which side says first that it is encrypted is not fixed.
    lines[2..4].sort();
    assert_eq!(
        lines,
        [
            "client: got 250 you said hello",
            "client: got 220 go ahead",
            "client: encrypted, TLSv1_3",
            "server: encrypted",
            "client: got 250 you said a secret",
        ]
    );
    assert!(both.child.wait().unwrap().success());
}

#[tokio::test]
async fn news_ticker() {
    let mut ticker = Running::start("news_ticker", &[ANY, "--every", "10"]);
    let at = ticker.endpoint();
    let work = async {
        let mut stream = Net::os().connect(&at).await.unwrap();
        let mut text = String::new();
        while text.matches('\n').count() < 3 {
            let mut part = [0; 256];
            let count = stream.read(&mut part).await.unwrap();
            text.push_str(std::str::from_utf8(&part[..count]).unwrap());
        }
        for line in text.lines().take(3) {
            let (number, news) = line.split_once(": ").unwrap();
            assert!(number.parse::<u64>().is_ok(), "{line}");
            assert!(
                ["rain in the north", "sun in the south", "wind at sea"].contains(&news),
                "{line}"
            );
        }
    };
    Net::os().timeout(LIMIT, work).await.unwrap();
}

#[tokio::test]
async fn reframe() {
    let mut server = Running::start("reframe", &[ANY]);
    let at = server.endpoint();
    let frames = exchange(&at, b"a=1\nkey=value\nplain").await;
    assert_eq!(frames, b"\x01a\0\0\0\x011\x03key\0\0\0\x05value\0\0\0\0\x05plain");
}

#[test]
fn wrong_arguments_are_told() {
    for arguments in [
        &["nonsense:1"][..],
        &[],
        &["--what", "1"],
        &[ANY, ANY],
        &[ANY, "--tls-cert"],
    ] {
        let mut example = Running::start("echo_server", arguments);
        assert_eq!(example.child.wait().unwrap().code(), Some(2), "{arguments:?}");
        assert_eq!(example.line(), "", "nothing on the standard output");
    }
}

#[test]
fn d06_a_port_in_use_is_told_in_words_and_by_the_exit_code() {
    let mut first = Running::start("echo_server", &[ANY]);
    let taken = first.endpoint().to_string();
    let second = command("echo_server").arg(&taken).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let told = String::from_utf8(second.stderr).unwrap();
    assert!(
        told.starts_with(&format!("Error: bind {taken}: address in use")),
        "{told}"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn an_interrupt_lets_clients_finish_and_ends_cleanly() {
    let mut server = Running::start("echo_server", &[ANY]);
    let at = server.endpoint();
    let mut client = Net::os().connect(&at).await.unwrap();
    client.write_all(b"before").await.unwrap();
    let mut back = [0; 6];
    client.read_exact(&mut back).await.unwrap();
    let interrupt = Command::new("kill")
        .args(["-INT", &server.child.id().to_string()])
        .status();
    assert!(interrupt.unwrap().success());
    // It has told its handlers to finish, which closes our connection cleanly.
    assert_eq!(client.read(&mut back).await.unwrap(), 0);
    drop(client);
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

/// The system refuses further descriptors: those who are served are served on, and who waits gets a turn.
#[cfg(unix)]
#[tokio::test]
async fn d15_without_descriptors_a_server_serves_on_and_takes_the_next_ones_later() {
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -n 24; exec \"$0\" \"$1\""]);
    limited.arg(command("echo_server").get_program()).arg(ANY);
    let mut server = Running::spawn(limited);
    let at = server.endpoint();
    let net = Net::os();
    let work = async {
        let mut clients = Vec::new();
        for n in 0..40_u8 {
            // The system takes them all; how many the server has descriptors for is its own affair.
            let mut client = net.connect(&at).await.unwrap();
            client.write_all(&[n]).await.unwrap();
            clients.push((n, client));
        }
        // One after another gets an answer, and makes room for the next one.
        for (n, mut client) in clients {
            let mut back = [0];
            client.read_exact(&mut back).await.unwrap();
            assert_eq!(back, [n]);
        }
    };
    net.timeout(LIMIT, work).await.unwrap();
}
