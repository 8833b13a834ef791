//! The program `oneline`, as a case uses it: a server that is stopped in the end, a client that is waited for.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::Outcome;
use crate::child::{self, Running};

/// How long one exchange on this machine may take, on a busy day.
pub(super) const LIMIT: Duration = Duration::from_secs(20);

/// A running `oneline serve`. Dropping it kills it.
pub(super) struct Server {
    running: Running,
    endpoint: String,
}

impl Server {
    /// Starts it and waits until it tells where it listens.
    pub(super) fn start(program: &Path, endpoint: &str, options: &[&str]) -> Outcome<Self> {
        let mut running = Running::start(Command::new(program).args(["serve", endpoint]).args(options))?;
        let line = running.line(LIMIT)?;
        let endpoint = line
            .strip_prefix("listening on ")
            .ok_or_else(|| format!("`oneline serve` should first say `listening on ENDPOINT`; it said `{line}`"))?;
        Ok(Self {
            endpoint: endpoint.to_owned(),
            running,
        })
    }

    /// The port in the endpoint.
    pub(super) fn port(&self) -> Outcome<&str> {
        match self.endpoint.rsplit_once(':') {
            Some((_, port)) if port.parse::<u16>().is_ok_and(|port| port != 0) => Ok(port),
            _ => Err(format!("`oneline serve` told no port: `{}`", self.endpoint)),
        }
    }

    /// Waits for the end that a `shutdown` brings: exit code 0.
    pub(super) fn ended(self) -> Outcome<()> {
        let finished = self
            .running
            .finish(LIMIT)
            .map_err(|text| format!("after `shutdown`: {text}"))?;
        if finished.status.success() {
            Ok(())
        } else {
            let how = child::ended(finished.status);
            Err(format!(
                "after `shutdown` `oneline serve` {how}\n{}",
                finished.errors.trim_end()
            ))
        }
    }
}

/// Runs `oneline connect` to its end; its replies, line by line. Any exit code but 0 is an error.
pub(super) fn connect(program: &Path, endpoint: &str, options: &[&str]) -> Outcome<Vec<String>> {
    let text = child::capture(Command::new(program).args(["connect", endpoint]).args(options), LIMIT)?;
    Ok(text.lines().map(str::to_owned).collect())
}

/// Compares what came with what was wanted.
pub(super) fn expect<T: PartialEq + std::fmt::Debug + ?Sized>(what: &str, got: &T, wanted: &T) -> Outcome<()> {
    if got == wanted {
        Ok(())
    } else {
        Err(format!("{what}: got {got:?}, expected {wanted:?}"))
    }
}
