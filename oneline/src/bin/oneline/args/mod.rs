//! The command line.

mod connect;
mod help;
mod serve;
mod value;

use clap::error::ErrorKind;
use clap::{ArgMatches, Command, Error};

pub(crate) use connect::{Connect, Expected};
pub(crate) use serve::{Charset, Policy, Serve, Terminator};

pub(crate) enum Action {
    Serve(Box<Serve>),
    Connect(Connect),
}

/// Reads the command line; ends the program if it makes no sense, or asks for help.
pub(crate) fn parse() -> Action {
    action(&mut command().get_matches()).unwrap_or_else(|error| error.with_cmd(&command()).exit())
}

fn command() -> Command {
    Command::new("oneline")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Line commands over TCP, TLS and Unix sockets")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(serve::command())
        .subcommand(connect::command())
}

fn action(matches: &mut ArgMatches) -> Result<Action, Error> {
    match matches.remove_subcommand() {
        Some((name, mut matches)) if name == "serve" => Ok(Action::Serve(Box::new(Serve::new(&mut matches)?))),
        Some((name, mut matches)) if name == "connect" => Ok(Action::Connect(Connect::new(&mut matches)?)),
        _ => Err(Error::new(ErrorKind::MissingSubcommand)),
    }
}

/// What clap has seen to that it is there.
fn required<T: Clone + Send + Sync + 'static>(matches: &mut ArgMatches, name: &str) -> Result<T, Error> {
    matches
        .remove_one(name)
        .ok_or_else(|| Error::new(ErrorKind::MissingRequiredArgument))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Action {
        let mut matches = command()
            .try_get_matches_from([&["oneline"], arguments].concat())
            .unwrap();
        action(&mut matches).unwrap()
    }

    /// clap's own look at names, conflicts and defaults.
    #[test]
    fn it_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn everything_that_may_be_given_arrives() {
        let serve = [
            "serve",
            "tls://127.0.0.1:7",
            "--admission=reject",
            "--max-clients=2",
            "--reject-line=no",
            "--charset=ascii-strip",
            "--terminator=crlf",
            "--compatible",
            "--reply=a=1",
            "--reply=a=2",
            "--exec=cat",
            "--exec-timeout=1.5",
            "--max-line=3",
            "--idle-timeout=4",
            "--line-timeout=5",
            "--write-timeout=6",
            "--no-shutdown",
            "--tls-cert=c",
            "--tls-key=k",
            "--tls-client-ca=i",
            "-vv",
        ];
        let Action::Serve(serve) = parsed(&serve) else {
            panic!("it is to serve")
        };
        let shown = format!("{serve:?}");
        assert_eq!(
            shown,
            "Serve { endpoint: Tls(Ip(127.0.0.1), 7), admission: Reject, max_clients: Some(2), reject_line: \
             Some(\"no\"), charset: Some(AsciiStrip), terminator: Crlf, compatible: true, reply: [(\"a\", \"1\"), \
             (\"a\", \"2\")], default_reply: None, echo: false, exec: Some(\"cat\"), exec_timeout: 1.5s, max_line: \
             Some(3), idle_timeout: Some(4s), line_timeout: Some(5s), write_timeout: Some(6s), no_shutdown: true, \
             tls_cert: Some(\"c\"), tls_key: Some(\"k\"), tls_client_ca: Some(\"i\"), verbose: 2 }"
        );
        let connect = [
            "connect",
            "unix:/s",
            "-c=one",
            "--command=two",
            "--replies=all",
            "--timeout=2",
            "--tls-insecure",
            "--tls-cert=c",
            "--tls-key=k",
            "--no-handshake",
        ];
        let Action::Connect(connect) = parsed(&connect) else {
            panic!("it is to connect")
        };
        assert_eq!(
            format!("{connect:?}"),
            "Connect { endpoint: Unix(Path(\"/s\")), command: [\"one\", \"two\"], replies: All, timeout: 2s, tls_ca: None, \
             tls_insecure: true, tls_cert: Some(\"c\"), tls_key: Some(\"k\"), no_handshake: true }"
        );
    }

    #[test]
    fn what_is_not_given_has_the_documented_default() {
        let Action::Serve(serve) = parsed(&["serve", "tcp://127.0.0.1:7"]) else {
            panic!("it is to serve")
        };
        let shown = format!("{:?}", (serve.admission, serve.terminator, serve.exec_timeout));
        assert_eq!(shown, "(Queue, Lf, 10s)");
        assert_eq!((serve.verbose, serve.echo, serve.reply.len()), (0, false, 0));
        let Action::Connect(connect) = parsed(&["connect", "tcp://127.0.0.1:7", "--tls-ca=i"]) else {
            panic!("it is to connect")
        };
        let shown = format!("{:?}", (connect.replies, connect.timeout, connect.tls_ca));
        assert_eq!(shown, "(Count(1), 3s, Some(\"i\"))");
    }
}
