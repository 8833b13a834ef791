//! The arguments of `oneline connect`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command, Error, value_parser};
use oneline::net_core::Endpoint;

use super::help::{self, ENDPOINTS};
use super::{required, value};

const NOTES: &str = "\
Without -c, commands come from standard input. On a terminal that is an
interactive shell: history (Up, Ctrl-R), completion of the commands that the
server's `help` tells (Tab), Ctrl-D to leave; it shows all replies to a command,
however many, by sending a `ping` behind each. From a file or pipe it is a
script: one command on each line, `--replies` for each; empty lines and lines
that begin with # are skipped. (With -c '' an empty command is sent.)

The built-in commands `disconnect` and `shutdown` get no reply and end a script;
no `-c` may follow them. A reply beyond `--replies` counts for the next command;
`--replies all` leaves none.

Exit codes:
  0    every command was answered
  1    could not connect, or the link was lost
  2    the command line makes no sense
  3    a reply did not come in time
  130  interrupted by Ctrl-C";

/// What to do as a client.
#[derive(Debug)]
pub(crate) struct Connect {
    pub(crate) endpoint: Endpoint,
    pub(crate) command: Vec<String>,
    pub(crate) replies: Expected,
    pub(crate) timeout: Duration,
    pub(crate) tls_ca: Option<PathBuf>,
    pub(crate) tls_insecure: bool,
    pub(crate) tls_cert: Option<PathBuf>,
    pub(crate) tls_key: Option<PathBuf>,
    pub(crate) no_handshake: bool,
}

/// How many replies a command has.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expected {
    /// So many.
    Count(u32),
    /// As many as come before the reply to a `ping` behind the command.
    All,
}

pub(super) fn command() -> Command {
    let file = value_parser!(PathBuf);
    Command::new("connect")
        .about("Connect: send line commands, print the replies")
        .after_help(format!("{ENDPOINTS}\n\n{NOTES}"))
        .args([
            Arg::new("endpoint")
                .value_name("ENDPOINT")
                .required(true)
                .value_parser(value::place)
                .help("Where the server listens"),
            option("command", "COMMAND", "Send this command; may be given several times")
                .short('c')
                .action(ArgAction::Append),
            option(
                "replies",
                "N|all",
                "How many replies to wait for after each command; `all`: however many there are, found by a `ping` \
                 behind each command [default: 1]",
            )
            .value_parser(value::expected),
            option(
                "timeout",
                "S",
                "How long to wait for connecting and for each reply, in seconds [default: 3]",
            )
            .value_parser(value::seconds),
            option("tls-ca", "FILE", "Trust the issuers in this file, and no others; PEM")
                .value_parser(file.clone())
                .conflicts_with("tls-insecure"),
            flag(
                "tls-insecure",
                "Accept any certificate: whoever can reach the connection can then read and change it",
            ),
            option(
                "tls-cert",
                "FILE",
                "The certificate to show to a server that asks for one, with its chain; PEM",
            )
            .value_parser(file.clone())
            .requires("tls-key"),
            option("tls-key", "FILE", "The certificate's private key; PEM")
                .value_parser(file)
                .requires("tls-cert"),
            flag(
                "no-handshake",
                "Do not send `ping` and wait for `pong` after connecting",
            ),
        ])
}

impl Connect {
    pub(super) fn new(matches: &mut ArgMatches) -> Result<Self, Error> {
        Ok(Self {
            endpoint: required(matches, "endpoint")?,
            command: matches.remove_many("command").into_iter().flatten().collect(),
            replies: matches.remove_one("replies").unwrap_or(Expected::Count(1)),
            timeout: matches.remove_one("timeout").unwrap_or(Duration::from_secs(3)),
            tls_ca: matches.remove_one("tls-ca"),
            tls_insecure: matches.get_flag("tls-insecure"),
            tls_cert: matches.remove_one("tls-cert"),
            tls_key: matches.remove_one("tls-key"),
            no_handshake: matches.get_flag("no-handshake"),
        })
    }
}

/// Where the help of options begins: right of the longest, `-c, --command <COMMAND>`.
const COLUMN: usize = 27;

fn option(name: &'static str, value: &'static str, text: &str) -> Arg {
    help::short(Arg::new(name).long(name).value_name(value), COLUMN, text)
}

fn flag(name: &'static str, text: &str) -> Arg {
    help::short(Arg::new(name).long(name).action(ArgAction::SetTrue), COLUMN, text)
}
