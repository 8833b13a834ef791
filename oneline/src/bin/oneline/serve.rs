//! `oneline serve`.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use oneline::net_core::{Net, Signals, TlsServer, race};
use oneline::{Admission, Command, Handler, HandlerError, Replies, Running, Server, StopReason, Stopped};
use tokio::runtime::Runtime;

use crate::args::{Charset, Policy, Serve, Terminator};
use crate::exec::Program;
use crate::{failed, log, misused};

/// How long clients may take to finish after Ctrl-C.
const DRAIN: Duration = Duration::from_secs(5);
/// What an unknown command is answered, as in the original's sample.
const UNKNOWN: &str = "nak - unknown cmd";

pub(crate) fn run(runtime: &Runtime, arguments: Serve) -> ExitCode {
    log::start(arguments.verbose);
    if let Some(useless) = arguments.without_effect() {
        return misused(&useless);
    }
    let mut net = Net::os();
    if let (Some(certificate), Some(key)) = (&arguments.tls_cert, &arguments.tls_key) {
        let mut tls = TlsServer::builder().identity_files(certificate, key);
        if let Some(issuers) = &arguments.tls_client_ca {
            tls = tls.client_root_file(issuers);
        }
        match tls.build() {
            Ok(tls) => net = net.with_server_tls(tls),
            Err(error) => return failed(&format!("{error:#}")),
        }
    } else if arguments.endpoint.is_tls() {
        return misused("a tls:// endpoint needs --tls-cert and --tls-key");
    }
    let endpoint = arguments.endpoint.clone();
    let server = server(&net, arguments);
    runtime.block_on(async {
        match server.start(&net, &endpoint).await {
            Ok(running) => serve(&running).await,
            Err(error) => failed(&format!("{error:#}")),
        }
    })
}

async fn serve(running: &Running) -> ExitCode {
    // Before the line that tells others that we are there: from then on a signal must end us in order.
    let mut signals = match Signals::new() {
        Ok(signals) => signals,
        Err(error) => return failed(&format!("signals can't be caught: {error}")),
    };
    let mut output = std::io::stdout();
    // A closed standard output is no reason not to serve.
    let _ = writeln!(output, "listening on {}", running.endpoint()).and_then(|()| output.flush());
    let stopped = async { Some(running.wait().await) };
    let Some(stopped) = race(stopped, signal(&mut signals)).await else {
        eprintln!("oneline: stopping; a second signal does not wait for the clients");
        let stopped = async { Some(running.stop(DRAIN).await) };
        let Some(stopped) = race(stopped, signal(&mut signals)).await else {
            return failed("interrupted");
        };
        return report(&stopped);
    };
    report(&stopped)
}

/// Waits for one; a `None` of whatever type.
async fn signal<T>(signals: &mut Signals) -> Option<T> {
    signals.next().await;
    None
}

fn report(stopped: &Stopped) -> ExitCode {
    let dropped = stopped.report;
    if dropped.aborted > 0 || dropped.bytes_lost > 0 {
        eprintln!(
            "oneline: dropped {} clients that did not finish in time, and {} bytes that were meant for clients",
            dropped.aborted, dropped.bytes_lost
        );
    }
    match &stopped.reason {
        StopReason::Failed(error) => failed(&format!("{error:#}")),
        _ => ExitCode::SUCCESS,
    }
}

fn server(net: &Net, arguments: Serve) -> Server {
    let max = arguments.max_clients;
    let admission = match arguments.admission {
        Policy::Queue => Admission::Queue {
            max: max.unwrap_or(Admission::DEFAULT_QUEUE),
        },
        Policy::Reject => Admission::Reject {
            line: arguments
                .reject_line
                .unwrap_or_else(|| Admission::DEFAULT_LINE.to_owned()),
        },
        Policy::Takeover => Admission::Takeover,
        Policy::Concurrent => Admission::Concurrent {
            max: max.map_or(64, |max| usize::try_from(max).unwrap_or(usize::MAX)),
        },
    };
    let mut replies: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (command, text) in arguments.reply {
        replies.entry(command).or_default().push(text);
    }
    let otherwise = match (arguments.exec, arguments.echo) {
        (Some(program), _) => Otherwise::Run(Program::new(net, program, arguments.exec_timeout)),
        (None, true) => Otherwise::Echo,
        (None, false) => Otherwise::Say(arguments.default_reply.unwrap_or_else(|| UNKNOWN.to_owned())),
    };
    let answers = Arc::new((replies, otherwise));
    let mut server = Server::with_handler(move || Answers(Arc::clone(&answers)));
    if arguments.compatible {
        server = server.compatible();
    }
    if let Some(charset) = arguments.charset {
        server = server.charset(match charset {
            Charset::AsciiStrip => oneline::Charset::AsciiStrip,
            Charset::Utf8 => oneline::Charset::Utf8,
            Charset::Bytes => oneline::Charset::Bytes,
        });
    }
    if let Some(bytes) = arguments.max_line {
        server = server.max_line(usize::try_from(bytes).unwrap_or(usize::MAX));
    }
    if let Some(limit) = arguments.line_timeout {
        server = server.line_timeout(limit);
    }
    if let Some(limit) = arguments.write_timeout {
        server = server.write_timeout(limit);
    }
    server
        .admission(admission)
        .idle_timeout(arguments.idle_timeout)
        .allow_shutdown(!arguments.no_shutdown)
        .terminator(match arguments.terminator {
            Terminator::Lf => oneline::Terminator::Lf,
            Terminator::Crlf => oneline::Terminator::CrLf,
        })
}

/// What the command line says about commands.
struct Answers(Arc<(BTreeMap<String, Vec<String>>, Otherwise)>);

enum Otherwise {
    Say(String),
    Echo,
    Run(Program),
}

impl Handler for Answers {
    async fn command(&mut self, command: Command<'_>, replies: &mut Replies<'_>) -> Result<(), HandlerError> {
        let (known, otherwise) = &*self.0;
        let fixed = if command.is_invalid() {
            None
        } else {
            known.get(command.text())
        };
        if let Some(texts) = fixed {
            for text in texts {
                replies.send(text).await?;
            }
            return Ok(());
        }
        match otherwise {
            Otherwise::Say(text) => replies.send(text).await?,
            Otherwise::Echo if command.is_invalid() => {
                replies.send(format!("invalid: {}", command.text())).await?;
            }
            Otherwise::Echo => replies.send(command.raw()).await?,
            Otherwise::Run(program) => program.run(command.raw(), replies).await?,
        }
        Ok(())
    }
}
