//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use oneline::net_core::Endpoint;

const ENDPOINTS: &str = "\
Endpoints:
  tcp://HOST:PORT   TCP; port 0 lets the system choose
  tls://HOST:PORT   TLS over TCP
  unix:/PATH        a Unix socket; unix:@NAME for an abstract name";

const SERVE_CODES: &str = "\
The first line on standard output is `listening on ENDPOINT`, with the real port.

Exit codes:
  0  stopped by a client's `shutdown`, by Ctrl-C or by SIGTERM
  1  could not listen, or the listener broke
  2  the command line makes no sense";

const CONNECT_CODES: &str = "\
Without -c, commands come from standard input. On a terminal that is an interactive shell: history (Up, Ctrl-R),
completion of the commands that the server's `help` tells (Tab), Ctrl-D to leave; it shows all replies to a command,
however many, by sending a `ping` behind each. From a file or pipe it is a script: one command on each line, `--replies`
for each; empty lines and lines that begin with # are skipped. (With -c '' an empty command is sent.)

The built-in commands `disconnect` and `shutdown` get no reply and end a script; no `-c` may follow them. A reply beyond
`--replies` counts for the next command; `--replies all` leaves none.

Exit codes:
  0    every command was answered
  1    could not connect, or the link was lost
  2    the command line makes no sense
  3    a reply did not come in time
  130  interrupted by Ctrl-C";

/// Line commands over TCP, TLS and Unix sockets.
#[derive(Debug, Parser)]
#[command(name = "oneline", version, max_term_width = 120)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) action: Action,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Serve: answer line commands until a client sends `shutdown`.
    Serve(Box<Serve>),
    /// Connect: send line commands, print the replies.
    Connect(Connect),
}

#[derive(Debug, Args)]
#[command(after_help = format!("{ENDPOINTS}\n\n{SERVE_CODES}"))]
pub(crate) struct Serve {
    /// Where to listen.
    #[arg(value_parser = endpoint)]
    pub(crate) endpoint: Endpoint,
    /// What becomes of a client that comes while another is served.
    #[arg(long, value_enum, default_value_t = Policy::Queue)]
    pub(crate) admission: Policy,
    /// With `concurrent`: how many at once [default: 64]. With `queue`: how many may wait [default: 128].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_clients: Option<u32>,
    /// With `reject`: what a rejected client is told [default: `error: busy, another client is connected`].
    #[arg(long, value_name = "TEXT")]
    pub(crate) reject_line: Option<String>,
    /// What is text; anything else makes a command invalid [default: utf8].
    #[arg(long, value_enum)]
    pub(crate) charset: Option<Charset>,
    /// What ends replies. Commands may end with either.
    #[arg(long, value_enum, default_value_t = Terminator::Lf)]
    pub(crate) terminator: Terminator,
    /// The rules of the original, socket-oneline: ascii-strip, and a command ends with LF alone.
    #[arg(long)]
    pub(crate) compatible: bool,
    /// Answer the command CMD with TEXT; again for the same CMD: several replies.
    #[arg(long, value_name = "CMD=TEXT", value_parser = reply)]
    pub(crate) reply: Vec<(String, String)>,
    /// Answer all other commands with TEXT [default: `nak - unknown cmd`].
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["echo", "exec"])]
    pub(crate) default_reply: Option<String>,
    /// Answer all other commands with themselves; an invalid one with `invalid: ` and what of it is text.
    #[arg(long, conflicts_with = "exec")]
    pub(crate) echo: bool,
    /// Run PROGRAM for each other command: the command is its argument and its standard input, its output lines are the
    /// replies (at most 1 MiB, within --exec-timeout). If it fails, the reply is an error.
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) exec: Option<PathBuf>,
    /// How long PROGRAM may take, in seconds.
    #[arg(long, value_name = "S", default_value = "10", value_parser = seconds, requires = "exec")]
    pub(crate) exec_timeout: Duration,
    /// The longest command, in bytes [default: 65536].
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_line: Option<u32>,
    /// Close a client that says nothing for S seconds [default: never].
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub(crate) idle_timeout: Option<Duration>,
    /// Close a client whose line takes longer than S seconds [default: 30].
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub(crate) line_timeout: Option<Duration>,
    /// Close a client that takes none of its replies for S seconds [default: 30].
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub(crate) write_timeout: Option<Duration>,
    /// Treat `shutdown` like any other command.
    #[arg(long)]
    pub(crate) no_shutdown: bool,
    /// The certificate of a tls:// endpoint, with its chain; PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The certificate's private key; PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Demand certificates of clients, by an issuer in this file; PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_client_ca: Option<PathBuf>,
    /// Tell on standard error what happens; -vv tells more.
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

#[derive(Debug, Args)]
#[command(after_help = format!("{ENDPOINTS}\n\n{CONNECT_CODES}"))]
pub(crate) struct Connect {
    /// Where the server listens.
    #[arg(value_parser = place)]
    pub(crate) endpoint: Endpoint,
    /// Send this command; may be given several times.
    #[arg(short, long, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
    /// How many replies to wait for after each command; `all`: however many there are, found by a `ping` behind each
    /// command.
    #[arg(long, value_name = "N|all", default_value = "1", value_parser = expected)]
    pub(crate) replies: Expected,
    /// How long to wait for connecting and for each reply, in seconds.
    #[arg(long, value_name = "S", default_value = "3", value_parser = seconds)]
    pub(crate) timeout: Duration,
    /// Trust the issuers in this file, and no others; PEM.
    #[arg(long, value_name = "FILE", conflicts_with = "tls_insecure")]
    pub(crate) tls_ca: Option<PathBuf>,
    /// Accept any certificate: whoever can reach the connection can then read and change it.
    #[arg(long)]
    pub(crate) tls_insecure: bool,
    /// The certificate to show to a server that asks for one, with its chain; PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The certificate's private key; PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Do not send `ping` and wait for `pong` after connecting.
    #[arg(long)]
    pub(crate) no_handshake: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Policy {
    /// One client; others wait unanswered.
    Queue,
    /// One client; others get a line and are closed.
    Reject,
    /// The newcomer is served, the client before is closed.
    Takeover,
    /// Several clients at once.
    Concurrent,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Charset {
    /// ASCII; other bytes are dropped and make the command invalid.
    AsciiStrip,
    /// UTF-8.
    Utf8,
    /// Any bytes; no command is invalid.
    Bytes,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Terminator {
    /// A line feed.
    Lf,
    /// Carriage return and line feed.
    Crlf,
}

/// How many replies a command has.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expected {
    /// So many.
    Count(u32),
    /// As many as come before the reply to a `ping` behind the command.
    All,
}

impl Serve {
    /// What of the command line would have no effect, with the way out; None if all of it has.
    pub(crate) fn without_effect(&self) -> Option<String> {
        if self.reject_line.is_some() && !matches!(self.admission, Policy::Reject) {
            return Some("--reject-line is said by `--admission reject` only".to_owned());
        }
        if self.max_clients.is_some() && matches!(self.admission, Policy::Reject | Policy::Takeover) {
            return Some(
                "--max-clients goes with `--admission concurrent` or `queue`; the others serve one client".to_owned(),
            );
        }
        if self.tls_cert.is_some() && !self.endpoint.is_tls() {
            return Some(format!(
                "--tls-cert and --tls-key go with a tls:// endpoint, and {} is none",
                self.endpoint
            ));
        }
        let (name, _) = self.reply.iter().find(|(command, _)| match command.as_str() {
            "ping" | "disconnect" => true,
            "shutdown" => !self.no_shutdown,
            _ => false,
        })?;
        let way_out = if name == "shutdown" {
            "; --no-shutdown makes it one like any other"
        } else {
            ""
        };
        Some(format!(
            "--reply {name}=… would never be said: `{name}` is a built-in command{way_out}"
        ))
    }
}

fn endpoint(text: &str) -> Result<Endpoint, String> {
    match text.parse() {
        Ok(Endpoint::Udp(..)) => Err("udp:// carries no lines: use tcp://, tls:// or unix:".to_owned()),
        Ok(Endpoint::Mem(_)) => Err("mem: works within one program only: use tcp://, tls:// or unix:".to_owned()),
        Ok(endpoint) => Ok(endpoint),
        Err(error) => Err(error.detail_text().map_or_else(|| error.to_string(), str::to_owned)),
    }
}

/// An endpoint that one can connect to.
fn place(text: &str) -> Result<Endpoint, String> {
    match endpoint(text)? {
        Endpoint::Tcp(_, 0) | Endpoint::Tls(_, 0) => {
            Err("port 0 is for listening; the server's first line tells its real port".to_owned())
        }
        place => Ok(place),
    }
}

fn expected(text: &str) -> Result<Expected, String> {
    match text {
        "all" => Ok(Expected::All),
        number => match number.parse() {
            Ok(count) => Ok(Expected::Count(count)),
            Err(_) => Err("it should be a number of replies, or `all`".to_owned()),
        },
    }
}

fn reply(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((command, reply)) => Ok((command.to_owned(), reply.to_owned())),
        None => Err("it should be CMD=TEXT".to_owned()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let bad = || "it should be a number of seconds above 0, for example 2.5".to_owned();
    let seconds: f64 = text.parse().map_err(|_| bad())?;
    // A year is as good as for ever, and every clock can add it.
    match Duration::try_from_secs_f64(seconds.min(31_536_000.0)) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err(bad()),
    }
}
