//! `hsms ping`: linktests.

use std::process::ExitCode;

use hsms::ActiveConnection;

use crate::args::Ping;
use crate::connect::{Host, selected};
use crate::show::print;
use crate::signal::Signals;
use crate::{INTERRUPTED, UNANSWERED, failed, misused};

pub(crate) async fn run(arguments: &Ping) -> ExitCode {
    let options = match arguments.session.options() {
        Ok(options) => options,
        Err(error) => return misused(&error),
    };
    let mut signals = match Signals::new() {
        Ok(signals) => signals,
        Err(error) => return failed(&format!("signals can't be caught: {error}")),
    };
    let net = match arguments.tls.net(&arguments.endpoint) {
        Ok(net) => net,
        Err(error) => return failed(&error),
    };
    let host = ActiveConnection::new(&net, arguments.endpoint.clone(), options, Host);
    let code = tokio::select! {
        code = ping(&host, arguments) => code,
        () = signals.any() => ExitCode::from(INTERRUPTED),
    };
    host.stop().await;
    code
}

async fn ping(host: &ActiveConnection, arguments: &Ping) -> ExitCode {
    if let Err(error) = selected(host, arguments.timeout).await {
        return failed(&error);
    }
    let net = host.net();
    let mut answered = 0;
    for number in 1..=arguments.count {
        if number > 1 {
            net.sleep(arguments.interval).await;
        }
        let start = net.now();
        let line = match host.linktest().await {
            Ok(()) => {
                answered += 1;
                let took = (net.now() - start).as_secs_f64() * 1000.0;
                format!("linktest {number} answered by {} in {took:.3} ms", host.endpoint())
            }
            Err(error) => format!("linktest {number} not answered by {}: {error}", host.endpoint()),
        };
        if let Err(error) = print(&line) {
            return failed(&format!("standard output: {error}"));
        }
        if !host.is_connected() {
            break;
        }
    }
    if answered == arguments.count {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(UNANSWERED)
    }
}
