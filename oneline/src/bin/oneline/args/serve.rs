//! The arguments of `oneline serve`.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValue;
use clap::{Arg, ArgAction, ArgMatches, Command, Error, ValueEnum, value_parser};
use oneline::net_core::Endpoint;

use super::help::{self, ENDPOINTS};
use super::{required, value};

const NOTES: &str = "\
The first line on standard output is `listening on ENDPOINT`, with the real
port.

Exit codes:
  0  stopped by a client's `shutdown`, by Ctrl-C or by SIGTERM
  1  could not listen, or the listener broke
  2  the command line makes no sense";

/// What to do as a server.
#[derive(Debug)]
pub(crate) struct Serve {
    pub(crate) endpoint: Endpoint,
    pub(crate) admission: Policy,
    pub(crate) max_clients: Option<u32>,
    pub(crate) reject_line: Option<String>,
    pub(crate) charset: Option<Charset>,
    pub(crate) terminator: Terminator,
    pub(crate) compatible: bool,
    pub(crate) reply: Vec<(String, String)>,
    pub(crate) default_reply: Option<String>,
    pub(crate) echo: bool,
    pub(crate) exec: Option<PathBuf>,
    pub(crate) exec_timeout: Duration,
    pub(crate) max_line: Option<u32>,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) line_timeout: Option<Duration>,
    pub(crate) write_timeout: Option<Duration>,
    pub(crate) no_shutdown: bool,
    pub(crate) tls_cert: Option<PathBuf>,
    pub(crate) tls_key: Option<PathBuf>,
    pub(crate) tls_client_ca: Option<PathBuf>,
    pub(crate) verbose: u8,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Policy {
    Queue,
    Reject,
    Takeover,
    Concurrent,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Charset {
    AsciiStrip,
    Utf8,
    Bytes,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Terminator {
    Lf,
    Crlf,
}

pub(super) fn command() -> Command {
    Command::new("serve")
        .about("Serve: answer line commands until a client sends `shutdown`")
        .after_help(format!("{ENDPOINTS}\n\n{NOTES}"))
        .arg(
            Arg::new("endpoint")
                .value_name("ENDPOINT")
                .required(true)
                .value_parser(value::endpoint)
                .help("Where to listen"),
        )
        .args(clients())
        .args(answers())
        .args(limits())
        .args(tls())
        .arg(
            flag(
                "verbose",
                "Tell on standard error what happens; -vv tells more. The variable RUST_LOG, such as \
                 `oneline=info,net_core=debug`, has the last word",
            )
            .short('v')
            .action(ArgAction::Count),
        )
}

/// Who is served, and how lines look.
fn clients() -> [Arg; 6] {
    [
        choice::<Policy>(
            "admission",
            "ADMISSION",
            "What becomes of a client that comes while another is served [default: queue]",
        ),
        option(
            "max-clients",
            "N",
            "With `concurrent`: how many at once [default: 64]. With `queue`: how many may wait [default: 128]",
        )
        .value_parser(value_parser!(u32).range(1..)),
        option(
            "reject-line",
            "TEXT",
            "With `reject`: what a rejected client is told [default: `error: busy, another client is connected`]",
        ),
        choice::<Charset>(
            "charset",
            "CHARSET",
            "What is text; anything else makes a command invalid [default: utf8]",
        ),
        choice::<Terminator>(
            "terminator",
            "TERMINATOR",
            "What ends replies. Commands may end with either [default: lf]",
        ),
        flag(
            "compatible",
            "The rules of the original, socket-oneline: ascii-strip, and a command ends with LF alone",
        ),
    ]
}

/// What is answered.
fn answers() -> [Arg; 5] {
    [
        option(
            "reply",
            "CMD=TEXT",
            "Answer the command CMD with TEXT; again for the same CMD: several replies",
        )
        .value_parser(value::reply)
        .action(ArgAction::Append),
        option(
            "default-reply",
            "TEXT",
            "Answer all other commands with TEXT [default: `nak - unknown cmd`]",
        )
        .conflicts_with_all(["echo", "exec"]),
        flag(
            "echo",
            "Answer all other commands with themselves; an invalid one with `invalid: ` and what of it is text",
        )
        .conflicts_with("exec"),
        option(
            "exec",
            "PROGRAM",
            "Run PROGRAM for each other command: the command is its argument and its standard input, its output lines \
             are the replies (at most 1 MiB, within --exec-timeout). If it fails, the reply is an error",
        )
        .value_parser(value_parser!(PathBuf)),
        option(
            "exec-timeout",
            "S",
            "How long PROGRAM may take, in seconds [default: 10]",
        )
        .value_parser(value::seconds)
        .requires("exec"),
    ]
}

/// What is allowed, and for how long.
fn limits() -> [Arg; 5] {
    [
        option("max-line", "BYTES", "The longest command, in bytes [default: 65536]")
            .value_parser(value_parser!(u32).range(1..)),
        option(
            "idle-timeout",
            "S",
            "Close a client that says nothing for S seconds [default: never]",
        )
        .value_parser(value::seconds),
        option(
            "line-timeout",
            "S",
            "Close a client whose line takes longer than S seconds [default: 30]",
        )
        .value_parser(value::seconds),
        option(
            "write-timeout",
            "S",
            "Close a client that takes none of its replies for S seconds [default: 30]",
        )
        .value_parser(value::seconds),
        flag("no-shutdown", "Treat `shutdown` like any other command"),
    ]
}

fn tls() -> [Arg; 3] {
    let file = |name, text| option(name, "FILE", text).value_parser(value_parser!(PathBuf));
    [
        file("tls-cert", "The certificate of a tls:// endpoint, with its chain; PEM").requires("tls-key"),
        file("tls-key", "The certificate's private key; PEM").requires("tls-cert"),
        file(
            "tls-client-ca",
            "Demand certificates of clients, by an issuer in this file; PEM",
        )
        .requires("tls-cert"),
    ]
}

/// Where the help of options begins with `-h`: right of the longest, `--terminator <TERMINATOR>`.
const COLUMN: usize = 33;

fn option(name: &'static str, value: &'static str, text: &str) -> Arg {
    help::both(Arg::new(name).long(name).value_name(value), COLUMN, text)
}

fn choice<T: ValueEnum + Send + Sync + 'static>(name: &'static str, value: &'static str, text: &str) -> Arg {
    let argument = Arg::new(name).long(name).value_name(value);
    help::choice::<T>(
        argument.value_parser(clap::builder::EnumValueParser::<T>::new()),
        COLUMN,
        text,
    )
}

fn flag(name: &'static str, text: &str) -> Arg {
    help::both(Arg::new(name).long(name).action(ArgAction::SetTrue), COLUMN, text)
}

impl Serve {
    pub(super) fn new(matches: &mut ArgMatches) -> Result<Self, Error> {
        Ok(Self {
            endpoint: required(matches, "endpoint")?,
            admission: matches.remove_one("admission").unwrap_or(Policy::Queue),
            max_clients: matches.remove_one("max-clients"),
            reject_line: matches.remove_one("reject-line"),
            charset: matches.remove_one("charset"),
            terminator: matches.remove_one("terminator").unwrap_or(Terminator::Lf),
            compatible: matches.get_flag("compatible"),
            reply: matches.remove_many("reply").into_iter().flatten().collect(),
            default_reply: matches.remove_one("default-reply"),
            echo: matches.get_flag("echo"),
            exec: matches.remove_one("exec"),
            exec_timeout: matches.remove_one("exec-timeout").unwrap_or(Duration::from_secs(10)),
            max_line: matches.remove_one("max-line"),
            idle_timeout: matches.remove_one("idle-timeout"),
            line_timeout: matches.remove_one("line-timeout"),
            write_timeout: matches.remove_one("write-timeout"),
            no_shutdown: matches.get_flag("no-shutdown"),
            tls_cert: matches.remove_one("tls-cert"),
            tls_key: matches.remove_one("tls-key"),
            tls_client_ca: matches.remove_one("tls-client-ca"),
            verbose: matches.get_count("verbose"),
        })
    }

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

impl ValueEnum for Policy {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Queue, Self::Reject, Self::Takeover, Self::Concurrent]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (name, help) = match self {
            Self::Queue => ("queue", "One client; others wait unanswered"),
            Self::Reject => ("reject", "One client; others get a line and are closed"),
            Self::Takeover => ("takeover", "The newcomer is served, the client before is closed"),
            Self::Concurrent => ("concurrent", "Several clients at once"),
        };
        Some(PossibleValue::new(name).help(help))
    }
}

impl ValueEnum for Charset {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::AsciiStrip, Self::Utf8, Self::Bytes]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (name, help) = match self {
            Self::AsciiStrip => ("ascii-strip", "ASCII; other bytes are dropped, the command is invalid"),
            Self::Utf8 => ("utf8", "UTF-8"),
            Self::Bytes => ("bytes", "Any bytes; no command is invalid"),
        };
        Some(PossibleValue::new(name).help(help))
    }
}

impl ValueEnum for Terminator {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Lf, Self::Crlf]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (name, help) = match self {
            Self::Lf => ("lf", "A line feed"),
            Self::Crlf => ("crlf", "Carriage return and line feed"),
        };
        Some(PossibleValue::new(name).help(help))
    }
}
