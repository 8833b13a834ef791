//! The original of `oneline`, the Python package socket-oneline, on either side.

use super::oneline::{LIMIT, Server, connect, expect};
use super::world::World;
use crate::Outcome;
use crate::child::{self, Running};

/// The original's client against our server: once as its sample does it, once with letters that are not ASCII, each with
/// the original's rules and with ours.
pub(super) fn client(world: &mut World) -> Outcome<String> {
    let oneline = world.oneline()?;
    let sample = ["--reply", "cmd01=ack", "--default-reply", "nak - unknown cmd"];
    let compatible = ["--charset", "ascii-strip", "--compatible"];
    let utf8 = ["--charset", "utf8"];
    let mut checks = 0;
    for (mode, charset, answers) in [
        ("replies", &compatible[..], &sample[..]),
        ("replies", &utf8, &sample),
        ("echo-ascii", &compatible, &["--echo"]),
        ("echo", &utf8, &["--echo"]),
    ] {
        let options = [charset, answers].concat();
        let server = Server::start(&oneline, "tcp://127.0.0.1:0", &options)?;
        let told = |text: String| format!("with `oneline serve {}`: {text}", options.join(" "));
        let mut driver = world.originals()?.driver("oneline_client.py", &[server.port()?, mode]);
        let finished = Running::start(&mut driver)?.finish(LIMIT * 3).map_err(told)?;
        if !finished.status.success() {
            return Err(told(format!(
                "the driver {}\n{}{}",
                child::ended(finished.status),
                finished.output,
                finished.errors
            )));
        }
        checks += finished.output.lines().count();
        server.ended().map_err(told)?;
    }
    Ok(format!("{checks} checks"))
}

/// Our client against the original's server. It must leave politely each time, for the original never gets over a client
/// that just closes; so the second and the third connection show that it did.
pub(super) fn server(world: &mut World) -> Outcome<String> {
    let oneline = world.oneline()?;
    let mut server = Running::start(&mut world.originals()?.driver("oneline_server.py", &[]))?;
    let line = server.line(LIMIT)?;
    let port = line
        .strip_prefix("port ")
        .ok_or_else(|| format!("the original's server said `{line}`"))?;
    let endpoint = format!("tcp://127.0.0.1:{port}");
    let ask = |options: &[&str]| connect(&oneline, &endpoint, options);

    let commands = ["ping", "cmd01", "junk", "accents", "spaces", "h\u{e9}llo \u{20ac}"];
    let mut options: Vec<_> = commands.iter().flat_map(|command| ["-c", command]).collect();
    options.extend(["-c", "disconnect"]);
    let nak = "nak - unknown cmd";
    expect(
        "replies",
        &ask(&options)?[..],
        &["pong", "ack", nak, "h\u{e9}", "  kept as sent  ", nak].map(str::to_owned),
    )?;
    for wanted in [
        r#"rx "cmd01""#,
        r#"rx "junk""#,
        r#"rx "accents""#,
        r#"rx "spaces""#,
        r#"rx-invalid "hllo ""#,
    ] {
        expect("what reached the original", server.line(LIMIT)?.as_str(), wanted)?;
    }

    let replies = ask(&["--replies", "3", "-c", "three", "-c", "disconnect"])?;
    expect(
        "three replies to one command",
        &replies[..],
        &["one", "two", "three"].map(str::to_owned),
    )?;
    expect(
        "what reached the original",
        server.line(LIMIT)?.as_str(),
        r#"rx "three""#,
    )?;

    expect(
        "replies",
        &ask(&["-c", "ping", "-c", "shutdown"])?[..],
        &["pong".to_owned()],
    )?;
    expect("after `shutdown` the original", server.line(LIMIT)?.as_str(), "down")?;
    let finished = server.finish(LIMIT)?;
    expect("the original ended well", &finished.status.success(), &true)?;
    Ok("3 connections".into())
}
