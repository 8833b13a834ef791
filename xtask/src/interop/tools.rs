//! Programs that everybody has at hand: netcat, socat, openssl.
//!
//! Each sends its lines with CR LF. netcat and socat close their side at once (`printf 'ping\r\n' | nc …`) and must still
//! get their answers.

use std::path::Path;
use std::process::Command;

use super::oneline::{LIMIT, Server, expect};
use super::world::World;
use crate::Outcome;
use crate::child::{self, Running};

/// netcat, of whichever family: they differ in how one asks them to close their side when their input ends.
pub(super) fn nc(world: &mut World) -> Outcome<String> {
    let oneline = world.oneline()?;
    // All print their help to standard error, and some call that a failure.
    let help = Running::start(Command::new("nc").arg("-h"))?.finish(LIMIT)?;
    let help = format!("{}{}", help.errors, help.output);
    // The first line tells the version; BusyBox complains first, since it knows no `-h`.
    let version = help
        .lines()
        .find(|line| line.starts_with("BusyBox"))
        .or(help.lines().find(|line| !line.is_empty()));
    world.took_part("nc", version.unwrap_or("unknown"));
    let flags = closing_flags(&help);
    over_tcp(&oneline, |port| {
        let mut command = Command::new("nc");
        command.args(flags).args(["127.0.0.1", port]);
        command
    })?;
    // Only the family of OpenBSD knows Unix sockets.
    if !help.contains("Unix") && !help.contains("UNIX") {
        return Ok("tcp only: this nc knows no Unix sockets".into());
    }
    over_unix(&oneline, world.folder(), |path| {
        let mut command = Command::new("nc");
        command.args(flags).arg("-U").arg(path);
        command
    })?;
    Ok("tcp, unix".into())
}

/// What makes this netcat close its side when its input ends, and not wait for ever.
fn closing_flags(help: &str) -> &'static [&'static str] {
    let knows = |flag: &str, word: &str| {
        help.lines()
            .any(|line| line.trim_start().starts_with(flag) && line.to_lowercase().contains(word))
    };
    if knows("-N", "shutdown") {
        &["-N"]
    } else if knows("-q", "quit") {
        // The traditional one does not close its side: it only leaves, two seconds after its input ended.
        &["-q", "2"]
    } else {
        // BusyBox and Nmap's do it unasked.
        &[]
    }
}

pub(super) fn socat(world: &mut World) -> Outcome<String> {
    let oneline = world.oneline()?;
    let version = child::capture(Command::new("socat").arg("-V"), LIMIT)?;
    let version = version
        .lines()
        .find(|line| line.starts_with("socat version"))
        .unwrap_or("unknown")
        .to_owned();
    world.took_part("socat", version.trim_start_matches("socat version "));
    // -t: how long it waits for the other side after its own input has ended.
    let command = |address: String| {
        let mut command = Command::new("socat");
        command.args(["-t", "10", "STDIO", &address]);
        command
    };
    over_tcp(&oneline, |port| command(format!("TCP:127.0.0.1:{port}")))?;
    over_unix(&oneline, world.folder(), |path| {
        command(format!("UNIX-CONNECT:{}", path.display()))
    })?;
    Ok("tcp, unix".into())
}

/// `openssl s_client`, with a certificate that openssl made.
pub(super) fn openssl(world: &mut World) -> Outcome<String> {
    let oneline = world.oneline()?;
    let version = child::capture(Command::new("openssl").arg("version"), LIMIT)?;
    // Behind it stands which library it runs with.
    let version = version.split(" (Library").next().unwrap_or_default();
    world.took_part("openssl", version);
    let (certificate, key) = certificate(world)?;
    let options = ["--tls-cert", &certificate, "--tls-key", &key];
    for protocol in ["-tls1_3", "-tls1_2"] {
        let server = Server::start(&oneline, "tls://127.0.0.1:0", &options)?;
        let port = server.port()?.to_owned();
        // -quiet: it prints only what the server sends, and stays when its input ends, until the server closes.
        exchange(server, "ping\r\nping\r\ndisconnect\r\n", || {
            let mut command = Command::new("openssl");
            command.args([
                "s_client",
                "-quiet",
                "-verify_return_error",
                "-verify_ip",
                "127.0.0.1",
                protocol,
            ]);
            command.args(["-CAfile", &certificate, "-connect", &format!("127.0.0.1:{port}")]);
            command
        })
        .map_err(|text| format!("{protocol}: {text}"))?;
    }
    Ok("TLS 1.3, 1.2".into())
}

/// A certificate for localhost and 127.0.0.1 that openssl makes, and its key: two files.
pub(super) fn certificate(world: &World) -> Outcome<(String, String)> {
    let (certificate, key) = (world.folder().join("cert.pem"), world.folder().join("key.pem"));
    let (certificate, key) = (
        certificate.to_string_lossy().into_owned(),
        key.to_string_lossy().into_owned(),
    );
    let mut make = Command::new("openssl");
    make.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ])
    .args([
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost,IP:127.0.0.1",
    ])
    .args(["-out", &certificate, "-keyout", &key]);
    child::capture(&mut make, LIMIT)?;
    Ok((certificate, key))
}

fn over_tcp(oneline: &Path, client: impl Fn(&str) -> Command) -> Outcome<()> {
    let server = Server::start(oneline, "tcp://127.0.0.1:0", &[])?;
    let port = server.port()?.to_owned();
    exchange(server, "ping\r\nping\r\n", || client(&port))
}

fn over_unix(oneline: &Path, folder: &Path, client: impl Fn(&Path) -> Command) -> Outcome<()> {
    let path = folder.join("line.sock");
    let server = Server::start(oneline, &format!("unix:{}", path.display()), &[])?;
    exchange(server, "ping\r\nping\r\n", || client(&path)).map_err(|text| format!("over a Unix socket: {text}"))?;
    expect(
        "after the server's end the socket's file is there",
        &path.exists(),
        &false,
    )
}

/// Two clients, one after the other: the first sends `pings` and is answered twice, the second stops the server.
fn exchange(server: Server, pings: &str, client: impl Fn() -> Command) -> Outcome<()> {
    for (input, wanted) in [(pings, "pong\npong\n"), ("ping\r\nshutdown\r\n", "pong\n")] {
        let mut command = client();
        let shown = child::shown(&command);
        let mut running = Running::start(&mut command)?;
        running.write(input)?;
        let finished = running.finish(LIMIT)?;
        expect(&format!("what `{shown}` printed"), finished.output.as_str(), wanted)
            .map_err(|text| format!("{text}\n{}", finished.errors.trim_end()))?;
        if !finished.status.success() {
            return Err(format!(
                "`{shown}` {}\n{}",
                child::ended(finished.status),
                finished.errors.trim_end()
            ));
        }
    }
    server.ended()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_netcat_gets_its_own_flags() {
        let openbsd = "usage: nc [-46N]\n\t\t-N\t\tShutdown the network socket after EOF on stdin\n\t\t-q secs\t\tquit";
        let traditional = "[v1.10-47]\n\t-q secs\t\t\tquit after EOF on stdin and delay of secs\n\t-n\t\tnumeric";
        let macos = "\t-N num_probes\tNumber of probes to send\n";
        assert_eq!(closing_flags(openbsd), ["-N"]);
        assert_eq!(closing_flags(traditional), ["-q", "2"]);
        assert!(closing_flags(macos).is_empty());
    }
}
