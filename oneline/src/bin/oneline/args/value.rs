//! What the values of arguments may be.

use std::time::Duration;

use oneline::net_core::Endpoint;

use super::Expected;

pub(super) fn endpoint(text: &str) -> Result<Endpoint, String> {
    match text.parse() {
        Ok(Endpoint::Udp(..)) => Err("udp:// carries no lines: use tcp://, tls:// or unix:".to_owned()),
        Ok(Endpoint::Mem(_)) => Err("mem: works within one program only: use tcp://, tls:// or unix:".to_owned()),
        Ok(endpoint) => Ok(endpoint),
        Err(error) => Err(error.detail_text().map_or_else(|| error.to_string(), str::to_owned)),
    }
}

/// An endpoint that one can connect to.
pub(super) fn place(text: &str) -> Result<Endpoint, String> {
    match endpoint(text)? {
        Endpoint::Tcp(_, 0) | Endpoint::Tls(_, 0) => {
            Err("port 0 is for listening; the server's first line tells its real port".to_owned())
        }
        place => Ok(place),
    }
}

pub(super) fn expected(text: &str) -> Result<Expected, String> {
    match text {
        "all" => Ok(Expected::All),
        number => match number.parse() {
            Ok(count) => Ok(Expected::Count(count)),
            Err(_) => Err("it should be a number of replies, or `all`".to_owned()),
        },
    }
}

pub(super) fn reply(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((command, reply)) => Ok((command.to_owned(), reply.to_owned())),
        None => Err("it should be CMD=TEXT".to_owned()),
    }
}

pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let bad = || "it should be a number of seconds above 0, for example 2.5".to_owned();
    let seconds: f64 = text.parse().map_err(|_| bad())?;
    if seconds.is_nan() {
        return Err(bad());
    }
    // A year is as good as for ever, and every clock can add it.
    match Duration::try_from_secs_f64(seconds.min(31_536_000.0)) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err(bad()),
    }
}
