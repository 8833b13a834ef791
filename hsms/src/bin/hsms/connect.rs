//! `hsms connect`: a host.

use std::io::{BufRead, IsTerminal};
use std::process::ExitCode;
use std::time::Duration;

use hsms::session::SessionEvent;
use hsms::sml::{self, SmlMessage};
use hsms::{ActiveConnection, Connection, Delegate, Item, Message, StreamFunction};
use tokio::runtime::Runtime;

use crate::args::Connect;
use crate::show::{print, sml as show};
use crate::signal::Signals;
use crate::{INTERRUPTED, UNANSWERED, failed, misused, shell};

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

/// Connects and waits to be selected.
pub(crate) async fn selected(host: &ActiveConnection, limit: Duration) -> Result<(), String> {
    let mut events = host.events();
    host.enable().map_err(|error| format!("{error:#}"))?;
    let Err(error) = host.selected(limit).await else {
        return Ok(());
    };
    let mut why = format!("{}: not selected: {error:#}", host.endpoint());
    while let Some(event) = events.try_next() {
        match event.event {
            SessionEvent::ConnectFailed(error) => why = format!("{error:#}"),
            SessionEvent::Disconnected(reason) => why = format!("{}: {reason}", host.endpoint()),
            _ => {}
        }
    }
    Err(why)
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
    let host = runtime.block_on(async {
        let host = ActiveConnection::new(&net, arguments.endpoint.clone(), options, Host);
        selected(&host, arguments.timeout).await.map(|()| host)
    });
    let host = match host {
        Ok(host) => host,
        Err(error) => return failed(&error),
    };
    let code = if !arguments.command.is_empty() {
        exchange_all(runtime, &host, &messages)
    } else if std::io::stdin().is_terminal() {
        shell::run(runtime, &host)
    } else {
        script(runtime, &host)
    };
    runtime.block_on(host.stop());
    code
}

/// The messages of a line; the closing dot may be left out.
pub(crate) fn parse(text: &str) -> Result<Vec<SmlMessage>, String> {
    let text = text.trim();
    let closed = if text.is_empty() || text.ends_with('.') {
        text.to_owned()
    } else {
        format!("{text}.")
    };
    sml::parse(&closed).map_err(|error| error.to_string())
}

fn script(runtime: &Runtime, host: &Connection) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for line in std::io::stdin().lock().lines() {
        let line = match line {
            Ok(line) => line,
            Err(error) => return failed(&format!("standard input: {error}")),
        };
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        match parse(&line) {
            Ok(messages) => {
                let one = exchange_all(runtime, host, &messages);
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
    code
}

/// Sends messages, one after the other, and prints the replies.
pub(crate) fn exchange_all(runtime: &Runtime, host: &Connection, messages: &[SmlMessage]) -> ExitCode {
    runtime.block_on(async {
        let signals = match Signals::new() {
            Ok(signals) => signals,
            Err(error) => return failed(&format!("signals can't be caught: {error}")),
        };
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
        return host.notify(about, text).await.map_err(|error| error.to_string());
    }
    let reply = host.request(about, text).await.map_err(|error| error.to_string())?;
    print(&show(&reply)).map_err(|error| format!("standard output: {error}"))
}
