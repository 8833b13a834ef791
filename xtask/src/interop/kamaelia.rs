//! Kamaelia, from PyPI, on either side of our components; and our TLS beside socat and openssl.

use std::path::Path;
use std::process::Command;

use super::oneline::{LIMIT, expect};
use super::tools::certificate;
use super::world::World;
use crate::Outcome;
use crate::child::{self, Running};

/// Our echo server, running; killed when it is dropped.
struct Echo {
    _running: Running,
    port: String,
}

impl Echo {
    fn start(program: &Path, endpoint: &str, options: &[&str]) -> Outcome<Self> {
        let mut running = Running::start(Command::new(program).arg(endpoint).args(options))?;
        let line = running.line(LIMIT)?;
        let port = line
            .rsplit_once(':')
            .filter(|_| line.starts_with("listening on "))
            .map(|(_, port)| port.to_owned())
            .ok_or_else(|| format!("our echo server said `{line}`"))?;
        Ok(Self {
            _running: running,
            port,
        })
    }
}

/// Kamaelia's TCPClient against our server: messages of several sizes, then the end of a producer. Several at a time.
pub(super) fn client(world: &mut World) -> Outcome<String> {
    let echo = Echo::start(&world.components("echo_server")?, "tcp://127.0.0.1:0", &[])?;
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut driver = world.originals()?.driver("kamaelia_client.py", &[&echo.port]);
        clients.push(Running::start(&mut driver)?);
    }
    let mut checks = 0;
    for client in clients {
        checks += checked("Kamaelia's client", client)?;
    }
    Ok(format!("{checks} checks"))
}

/// Our TcpClient against Kamaelia's SimpleServer, directly and through our port forwarder.
pub(super) fn server(world: &mut World) -> Outcome<String> {
    let client = world.components("echo_client")?;
    let forwarder = world.components("port_forwarder")?;
    let mut server = Running::start(&mut world.originals()?.driver("kamaelia_server.py", &[]))?;
    let line = server.line(LIMIT)?;
    let port = line
        .strip_prefix("port ")
        .ok_or_else(|| format!("Kamaelia's server said `{line}`"))?;
    let endpoint = format!("tcp://127.0.0.1:{port}");
    let mut checks = checked("our client", Running::start(Command::new(&client).arg(&endpoint))?)?;
    let between = Echo::start(&forwarder, "tcp://127.0.0.1:0", &[&endpoint])?;
    let there = format!("tcp://127.0.0.1:{}", between.port);
    checks += checked(
        "our client by our forwarder",
        Running::start(Command::new(&client).arg(&there))?,
    )?;
    Ok(format!("{checks} checks"))
}

/// Waits for a good end; how many lines it printed.
fn checked(who: &str, running: Running) -> Outcome<usize> {
    let finished = running.finish(LIMIT).map_err(|text| format!("{who}: {text}"))?;
    if !finished.status.success() {
        return Err(format!(
            "{who} {}\n{}{}",
            child::ended(finished.status),
            finished.output,
            finished.errors.trim_end()
        ));
    }
    Ok(finished.output.lines().count())
}

/// `socat` verifies our certificate, closes its side at once, and gets the echo and a proper end.
pub(super) fn socat(world: &mut World) -> Outcome<String> {
    let (cert, key) = certificate(world)?;
    let echo = world.components("echo_server")?;
    let echo = Echo::start(&echo, "tls://127.0.0.1:0", &["--tls-cert", &cert, "--tls-key", &key])?;
    let address = format!(
        "OPENSSL:127.0.0.1:{},cafile={cert},verify=1,commonname=localhost",
        echo.port
    );
    let mut socat = Running::start(Command::new("socat").args(["-t", "10", "STDIO", &address]))?;
    let sent = "a line\n".repeat(2000);
    socat.write(&sent)?;
    let finished = socat.finish(LIMIT)?;
    expect("what socat got back", finished.output.as_str(), sent.as_str())
        .map_err(|text| format!("{text}\n{}", finished.errors.trim_end()))?;
    expect("how socat ended well", &finished.status.success(), &true)?;
    Ok(format!("{} bytes", sent.len()))
}

/// `openssl s_client` verifies our certificate and is answered, by both versions of TLS.
pub(super) fn openssl(world: &mut World) -> Outcome<String> {
    let (cert, key) = certificate(world)?;
    let echo = world.components("echo_server")?;
    let echo = Echo::start(&echo, "tls://127.0.0.1:0", &["--tls-cert", &cert, "--tls-key", &key])?;
    let address = format!("127.0.0.1:{}", echo.port);
    for protocol in ["-tls1_3", "-tls1_2"] {
        let mut command = Command::new("openssl");
        command.args([
            "s_client",
            "-quiet",
            "-no_ign_eof",
            "-verify_return_error",
            "-verify_ip",
            "127.0.0.1",
        ]);
        command.args([protocol, "-CAfile", &cert, "-connect", &address]);
        let mut client = Running::start(&mut command)?;
        for line in ["hello", "again"] {
            client.write(&format!("{line}\n"))?;
            expect("the echo", client.line(LIMIT)?.as_str(), line).map_err(|text| format!("{protocol}: {text}"))?;
        }
        let finished = client.finish(LIMIT)?;
        expect("how openssl ended well", &finished.status.success(), &true)
            .map_err(|text| format!("{protocol}: {text}\n{}", finished.errors.trim_end()))?;
    }
    Ok("TLS 1.3, 1.2".into())
}
