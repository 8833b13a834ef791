//! What the three levels' examples have in common: on which sockets they run.

use std::process::ExitCode;

use net_core::Net;
use sim_io::network::Network;
use sim_io::reactor::Poller;
use sim_io::{Environment, Failure};

const HELP: &str = "\
  --virtual  a simulated network, in virtual time (the default)
  --real     the operating system's sockets, with its best poller
  --poll     the same with poll(2)
  --select   the same with select(2)";

/// Runs an example on the sockets that its flag asks for.
pub(crate) fn run(name: &str, work: impl FnOnce(Environment, Net) -> Result<(), Failure>) -> ExitCode {
    let usage = format!("usage: {name} [--virtual | --real | --poll | --select]");
    let mut arguments = std::env::args().skip(1);
    let flag = arguments.next().unwrap_or_else(|| "--virtual".to_owned());
    if flag == "-h" || flag == "--help" {
        println!("{usage}\n\n{HELP}");
        return ExitCode::SUCCESS;
    }
    if !matches!(&*flag, "--virtual" | "--real" | "--poll" | "--select") || arguments.next().is_some() {
        eprintln!("{name}: one flag, and one of these\n{usage}");
        return ExitCode::from(2);
    }
    match world(&flag).and_then(|(env, net)| work(env, net)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn world(flag: &str) -> Result<(Environment, Net), Failure> {
    if flag == "--virtual" {
        let env = Environment::new();
        let net = Network::new(&env).host("both")?.net();
        return Ok((env, net));
    }
    let env = Environment::in_real_time();
    match flag {
        "--poll" => env.use_poller(Poller::Poll)?,
        "--select" => env.use_poller(Poller::Select)?,
        _ => {}
    }
    let net = env.net();
    Ok((env, net))
}
