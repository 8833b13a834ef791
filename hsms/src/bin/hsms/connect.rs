//! `hsms connect`: a host.

use std::io::{BufRead, IsTerminal};
use std::process::ExitCode;
use std::time::Duration;

use hsms::session::SessionEvent;
use hsms::sml::{self, SmlMessage};
use hsms::{ActiveConnection, Connection, Delegate, Item, Message, StreamFunction};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use crate::args::Connect;
use crate::show::{print, sml as show};
use crate::signal::Signals;
use crate::{INTERRUPTED, UNANSWERED, failed, misused, shell};

/// After so long without news the program says what it waits for.
const QUIET: Duration = Duration::from_secs(1);

/// Answers what equipment asks of every host, and tells of the rest.
pub(crate) struct Host;

impl Delegate for Host {
    async fn on_connection_message_received(&self, connection: &Connection, message: Message) {
        let header = &message.header;
        let item = match (header.stream(), header.function()) {
            (1, 1) => Item::list([]),
            (1, 13) => Item::list([Item::binary([0]), Item::list([])]),
            _ => {
                eprintln!("{}", show(&message));
                if header.w() {
                    let _ = connection.abort(header).await;
                }
                return;
            }
        };
        if header.w() {
            let _ = connection.reply(header, item.into_bytes()).await;
        }
    }
}

/// Connects and waits to be selected. What takes long, or is tried again, is told on standard error.
pub(crate) async fn selected(host: &ActiveConnection, limit: Duration) -> Result<(), String> {
    let mut events = host.events();
    host.enable().map_err(|error| format!("{error:#}"))?;
    let (net, at) = (host.net(), host.endpoint());
    let mut why = None;
    let mut selected = std::pin::pin!(host.selected(limit));
    let mut patience = std::pin::pin!(net.sleep(QUIET));
    let mut quiet = true;
    loop {
        tokio::select! {
            biased;
            Some(event) = events.next() => {
                let failure = match event.event {
                    SessionEvent::ConnectFailed(error) => format!("{error:#}"),
                    SessionEvent::Disconnected(reason) => format!("{at}: {reason}"),
                    _ => continue,
                };
                let t5 = host.options().session.timers.t5;
                eprintln!("hsms: {failure}; the next try is in {t5:?} (T5)");
                (why, quiet) = (Some(failure), false);
            }
            () = &mut patience, if quiet => {
                let state = host.state();
                eprintln!("hsms: waiting for {at}, for {limit:?} at most ({state})");
                quiet = false;
            }
            selected = &mut selected => {
                let told = why.unwrap_or_else(|| format!("{at}: it does not answer"));
                return selected.map_err(|_| format!("{told}; not selected within {limit:?}"));
            }
        }
    }
}

pub(crate) fn run(runtime: &Runtime, arguments: &Connect) -> ExitCode {
    let mut options = match arguments.session.options() {
        Ok(options) => options,
        Err(error) => return misused(&error),
    };
    options.session = options
        .session
        .select_delay(Duration::from_millis(arguments.select_delay));
    let mut messages = Vec::new();
    for command in &arguments.command {
        match parse(command) {
            Ok(more) => messages.extend(more),
            Err(error) => return misused(&format!("`{command}`: {error}")),
        }
    }
    let net = match arguments.tls.net(&arguments.endpoint) {
        Ok(net) => net,
        Err(error) => return failed(&error),
    };
    // For as long as it runs: one that comes between two waits is not lost.
    let mut signals = match runtime.block_on(async { Signals::new() }) {
        Ok(signals) => signals,
        Err(error) => return failed(&format!("signals can't be caught: {error}")),
    };
    let waited = runtime.block_on(async {
        let host = ActiveConnection::new(&net, arguments.endpoint.clone(), options, Host);
        let selected = tokio::select! {
            selected = selected(&host, arguments.timeout) => Some(selected),
            () = signals.any() => None,
        };
        match selected {
            Some(Ok(())) => Ok(Some(host)),
            Some(Err(error)) => Err(error),
            None => {
                host.stop().await;
                Ok(None)
            }
        }
    });
    let host = match waited {
        Ok(Some(host)) => host,
        Ok(None) => return ExitCode::from(INTERRUPTED),
        Err(error) => return failed(&error),
    };
    let code = if !arguments.command.is_empty() {
        exchange_all(runtime, &host, &messages, &mut signals)
    } else if std::io::stdin().is_terminal() {
        shell::run(runtime, &host, &mut signals)
    } else {
        script(runtime, &host, &mut signals)
    };
    runtime.block_on(host.stop());
    code
}

/// The messages of a line; the closing dot may be left out.
pub(crate) fn parse(text: &str) -> Result<Vec<SmlMessage>, String> {
    sml::parse(text).map_err(|error| error.to_string())
}

fn script(runtime: &Runtime, host: &Connection, signals: &mut Signals) -> ExitCode {
    let (sender, mut lines) = mpsc::channel(1);
    // It waits for input where nobody can wake it, and ends with the program.
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let last = line.is_err();
            if sender.blocking_send(line).is_err() || last {
                break;
            }
        }
    });
    let mut code = ExitCode::SUCCESS;
    loop {
        let line = runtime.block_on(async {
            tokio::select! {
                line = lines.recv() => Some(line),
                () = signals.any() => None,
            }
        });
        let line = match line {
            Some(Some(Ok(line))) => line,
            Some(Some(Err(error))) => return failed(&format!("standard input: {error}")),
            Some(None) => return code,
            None => return ExitCode::from(INTERRUPTED),
        };
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        match parse(&line) {
            Ok(messages) => {
                let one = exchange_all(runtime, host, &messages, signals);
                if one != ExitCode::SUCCESS {
                    code = one;
                }
                if one == ExitCode::from(INTERRUPTED) {
                    return code;
                }
            }
            Err(error) => return failed(&format!("`{line}`: {error}")),
        }
    }
}

/// Sends messages, one after the other, and prints the replies.
pub(crate) fn exchange_all(
    runtime: &Runtime,
    host: &Connection,
    messages: &[SmlMessage],
    signals: &mut Signals,
) -> ExitCode {
    runtime.block_on(async {
        tokio::select! {
            code = async {
                let mut code = ExitCode::SUCCESS;
                for message in messages {
                    if let Err(error) = exchange(host, message).await {
                        eprintln!("hsms: {}: {error}", message.about);
                        code = ExitCode::from(UNANSWERED);
                    }
                }
                code
            } => code,
            () = signals.any() => ExitCode::from(INTERRUPTED),
        }
    })
}

async fn exchange(host: &Connection, message: &SmlMessage) -> Result<(), String> {
    let text = message.item.clone().map(Item::into_bytes).unwrap_or_default();
    let about: StreamFunction = message.about;
    if !message.w {
        host.notify(about, text).await.map_err(|error| error.to_string())?;
        eprintln!("hsms: {about} is sent; it asks for no reply (`{about} W` does)");
        return Ok(());
    }
    let reply = host.request(about, text).await.map_err(|error| error.to_string())?;
    print(&show(&reply)).map_err(|error| format!("standard output: {error}"))
}
