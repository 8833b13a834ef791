//! The demo's command line.

use std::time::Duration;

use clap::Parser;

/// How many times faster than the clock on the wall the shift passes, unless told otherwise.
const SPEED: f64 = 2400.0;
/// The same for `--serve`: slow enough to watch, and to type.
const SPEED_TO_TRY: f64 = 60.0;

/// A production line in which all five models work together: a process tool simulated in sim-io, which speaks HSMS; a host
/// made of components; a controller that is a statechart from XML; operators at oneline consoles; a page by HTTP and WebSocket.
///
/// By default it runs a shift of eight hours over real sockets on loopback, in a quarter of a minute, and ends with checks on
/// the outcome.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "demo",
    bin_name = "cargo xtask demo",
    after_help = "Exit codes: 0 all checks hold; 1 something was wrong; 2 the command line means nothing; 3 it took too long.\n\n\
                  Try by hand: `cargo xtask demo --serve`, and then, with the ports that it tells,\n  \
                  printf 'status\\nlots\\n' | nc -N 127.0.0.1 PORT      a console; `help` tells its commands\n  \
                  curl http://127.0.0.1:PORT/status                  the line as JSON; the page is at /"
)]
pub(crate) struct Args {
    /// Run the same program on a simulated network, in virtual time: with faults, and the same each time
    #[arg(long)]
    pub(crate) sim: bool,
    /// Draws what is left to chance: jobs, durations, failures, and the faults of --sim
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Keep the line running until Ctrl-C, with new lots, and say on which ports what listens
    #[arg(long, conflicts_with = "sim")]
    pub(crate) serve: bool,
    /// How many lots the shift has
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=40))]
    pub(crate) lots: u32,
    /// How many times faster than the clock on the wall time passes on the line [default: 2400, with --serve 60]
    #[arg(long, value_name = "FACTOR", conflicts_with = "sim", value_parser = factor)]
    speed: Option<f64>,
    /// Port of the operators' console; 0 takes any that is free
    #[arg(long, value_name = "PORT", default_value_t = 0, conflicts_with = "sim")]
    pub(crate) console_port: u16,
    /// Port of the status page, by HTTP and WebSocket; likewise
    #[arg(long, value_name = "PORT", default_value_t = 0, conflicts_with = "sim")]
    pub(crate) http_port: u16,
    /// Port of the tool, by HSMS; likewise
    #[arg(long, value_name = "PORT", default_value_t = 0, conflicts_with = "sim")]
    pub(crate) tool_port: u16,
    /// Port at which the host awaits the controller; likewise
    #[arg(long, value_name = "PORT", default_value_t = 0, conflicts_with = "sim")]
    pub(crate) controller_port: u16,
}

impl Args {
    /// How many times faster than on the network time passes on the line.
    pub(crate) fn speed(&self) -> f64 {
        match self.speed {
            _ if self.sim => 1.0,
            Some(speed) => speed,
            None if self.serve => SPEED_TO_TRY,
            None => SPEED,
        }
    }

    /// How long the whole may take by the clock on the wall before it counts as hung: many times what it should take.
    pub(crate) fn limit(&self) -> Option<Duration> {
        let shift = super::plan::SHIFT.as_secs_f64();
        match () {
            () if self.serve => None,
            () if self.sim => Some(Duration::from_secs(600)),
            () => Some(Duration::from_secs_f64(600.0 + 4.0 * shift / self.speed())),
        }
    }
}

fn factor(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(factor) if (0.1..=10_000.0).contains(&factor) => Ok(factor),
        _ => Err("expected a number from 0.1 to 10000".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
        assert!(Args::try_parse_from(["demo", "--sim", "--serve"]).is_err());
        assert!(Args::try_parse_from(["demo", "--speed", "0"]).is_err());
        let args = Args::try_parse_from(["demo", "--sim", "--seed", "7"]).unwrap();
        assert_eq!((args.seed, args.speed()), (7, 1.0));
    }
}
