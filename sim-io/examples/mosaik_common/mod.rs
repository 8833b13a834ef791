//! What the simulators for mosaik have in common: where they listen, or which mosaik started them.

use std::io::Write;
use std::process::ExitCode;

use net_core::{Endpoint, Net};
use sim_io::mosaik::{self, Simulator};
use sim_io::{Environment, Failure, RunError};

const HELP: &str = "\
  HOST:PORT  where it listens, or where mosaik does; port 0: any that is free
  --once     ends after one scenario; without it, serves one after the other until Ctrl-C
  --connect  connects to the mosaik there, as its child";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Listen,
    Once,
    Connect,
}

/// Runs a simulator as its arguments say. Each scenario has one of its own.
pub(crate) fn run<S: Simulator + Default + 'static>(name: &'static str, about: &str) -> ExitCode {
    let usage = format!("usage: {name} [--once | --connect] HOST:PORT");
    let (mut mode, mut at) = (Mode::Listen, None);
    for argument in std::env::args().skip(1) {
        match &*argument {
            "-h" | "--help" => {
                println!("{usage}\n\n{about}\n\n{HELP}");
                return ExitCode::SUCCESS;
            }
            "--once" if mode == Mode::Listen => mode = Mode::Once,
            "--connect" if mode == Mode::Listen => mode = Mode::Connect,
            _ if argument.starts_with('-') => {
                eprintln!("{name}: `{argument}` does not go here\n{usage}");
                return ExitCode::from(2);
            }
            _ if at.is_some() => {
                eprintln!("{name}: `{argument}` is one address too many\n{usage}");
                return ExitCode::from(2);
            }
            _ => at = Some(argument),
        }
    }
    let Some(at) = at else {
        eprintln!("{name}: where is it to listen?\n{usage}");
        return ExitCode::from(2);
    };
    let endpoint = match at.contains("://") {
        true => at.parse(),
        false => format!("tcp://{at}").parse(),
    };
    let endpoint = match endpoint {
        Ok(endpoint) => endpoint,
        Err(error) => {
            eprintln!("{name}: {error}\n{usage}");
            return ExitCode::from(2);
        }
    };
    let env = Environment::in_real_time();
    let process = env.named_try_process(name, serve::<S>(name, env.net(), mode, endpoint));
    match env.run_until(&process) {
        Ok(()) => ExitCode::SUCCESS,
        // What failed is the whole program here: why it did is enough.
        Err(RunError::Unhandled { failure, .. }) => {
            eprintln!("{name}: {failure}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve<S: Simulator + Default>(name: &str, net: Net, mode: Mode, at: Endpoint) -> Result<(), Failure> {
    if mode == Mode::Connect {
        mosaik::connect(&net, &at, &mut S::default()).await?;
        return Ok(());
    }
    let mut listener = net.bind(&at).await?;
    let mut out = std::io::stdout();
    writeln!(out, "listening on {}", listener.local())?;
    out.flush()?;
    loop {
        let stream = listener.accept().await?;
        let peer = stream.peer().clone();
        if let Err(error) = mosaik::serve(stream, mosaik::options(), &mut S::default()).await {
            // The next scenario may go better.
            eprintln!("{name}: {peer}: {error}");
        }
        if mode == Mode::Once {
            return Ok(());
        }
    }
}
