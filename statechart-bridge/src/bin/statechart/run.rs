//! `statechart run`.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use net_core::{Net, Signals};
use statechart_bridge::socket::{SOCKET_IN, SOCKET_OUT, SocketCommand, SocketError, boot_translation_service};
use statechart_bridge::{Controller, Document, Ignored, Output, OutputListener, Runtime};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

use crate::args::RunArguments;
use crate::{failed, misused, open, say, tell};

/// A longer line is no event.
const LONGEST: u64 = 1024 * 1024;

pub(crate) fn run(arguments: &RunArguments) -> ExitCode {
    let document = match open(&arguments.model) {
        Ok(document) => document,
        Err(code) => return code,
    };
    let mut named = Vec::new();
    for parameter in &arguments.parameters {
        match parameter.split_once('=') {
            Some((name, value)) => named.push((name.trim(), value)),
            None => return misused(&format!("-p {parameter}: expected NAME=VALUE")),
        }
    }
    let values = match document.arguments(named) {
        Ok(values) => values,
        Err(what) => return misused(&what),
    };
    let tokio = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(tokio) => tokio,
        Err(error) => return failed(format!("the runtime can't start: {error}")),
    };
    let code = tokio.block_on(drive(arguments, document, values));
    // A thread may still wait for input that never comes.
    tokio.shutdown_background();
    code
}

async fn drive(arguments: &RunArguments, document: Document, values: Vec<statechart_bridge::Value>) -> ExitCode {
    let mut signals = match Signals::new() {
        Ok(signals) => signals,
        Err(error) => return failed(format!("signals can't be caught: {error}")),
    };
    if !arguments.sockets && document.model().outports().iter().any(|port| **port == *SOCKET_OUT) {
        tell(format_args!(
            "statechart: the model speaks to `{SOCKET_OUT}`, which --sockets connects to the network"
        ));
    }
    let net = Net::os();
    let mut builder = Runtime::builder(document.model(), &net)
        .arguments(values)
        .keep_running(false)
        .on_fault(|fault| tell(fault))
        .on_log(|line| say(&line.text));
    let sockets = arguments.sockets;
    if sockets {
        builder = builder.on_ignored(tell_uncaught);
    }
    if arguments.trace {
        builder = builder.on_trace(|trace| tell(trace));
    }
    let runtime = match builder.build() {
        Ok(runtime) => Arc::new(runtime),
        Err(fault) => return failed(fault),
    };
    let print: Arc<dyn OutputListener> = Arc::new(move |output: &Output| {
        if !(sockets && **output.event.port() == *SOCKET_OUT) {
            say(&output.to_string());
        } else if !SocketCommand::NAMES.contains(&&**output.event.name()) {
            tell(format_args!(
                "statechart: {output}: no command of the socket service, expected one of {}",
                SocketCommand::NAMES.join(", ")
            ));
        }
    });
    runtime.add_output_listener(&[], print);
    let service = if sockets {
        match boot_translation_service(&runtime, &net) {
            Ok(service) => Some(service),
            Err(error) => return failed(error),
        }
    } else {
        None
    };
    // As long as there may be input, it goes on.
    let hold = runtime.hold();
    if let Err(error) = runtime.start() {
        return failed(error);
    }
    let reader = async {
        read(&runtime, &document).await;
        drop(hold);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        biased;
        _ = signals.next() => {
            runtime.stop();
            runtime.ended().await;
        }
        () = runtime.ended() => {}
        () = reader => {}
    }
    drop(service);
    ExitCode::SUCCESS
}

/// Tells an error of a socket that no transition caught: the model may wait for ever for what comes no more.
fn tell_uncaught(ignored: &Ignored) {
    let event = &ignored.event;
    if **event.port() != *SOCKET_IN || !matches!(&**event.name(), "error_socket" | "unknown_error_socket") {
        return;
    }
    let (time, name, socket) = (ignored.time.as_secs_f64(), event.name(), event.parameter(0));
    match SocketError::from_value(event.parameter(1)) {
        Some(error) => tell(format_args!(
            "statechart: {time:.3} {name} that no transition caught: {socket}, {}: {error} ({})",
            error.op, error.kind
        )),
        None => tell(format_args!("statechart: {ignored}")),
    }
}

/// Gives the events of standard input, until its end.
async fn read(runtime: &Runtime, document: &Document) {
    let mut input = BufReader::new(tokio::io::stdin());
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut input).take(LONGEST).read_until(b'\n', &mut line).await {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) => {
                tell(format_args!("statechart: standard input: {error}"));
                return;
            }
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let given = document.event(text).and_then(|(event, delay)| {
            let name = Arc::clone(event.name());
            let result = if event.port().is_empty() {
                runtime.broadcast(delay, event)
            } else if delay == Duration::ZERO {
                runtime.add_input(event)
            } else {
                runtime.add_input_after(delay, event)
            };
            result.map_err(|error| error.to_string())?;
            if document.model().waits_for(&name) {
                return Ok(());
            }
            let known: Vec<&str> = document.model().events().into_iter().map(|name| &**name).collect();
            Err(format!(
                "no transition waits for `{name}`: expected one of {}",
                known.join(", ")
            ))
        });
        if let Err(what) = given {
            tell(format_args!("statechart: {what}"));
        }
    }
}
