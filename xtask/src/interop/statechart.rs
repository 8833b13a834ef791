//! The statecharts that speak HTTP, run by the program `statechart`: curl, a thousand times at once, and our own client.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::oneline::{LIMIT, expect};
use super::world::World;
use crate::child::{self, Running};
use crate::{Outcome, workspace};

/// Parallel requests.
const REQUESTS: usize = 1000;

/// A model that runs, with the socket service.
fn model(program: &Path, file: &str, parameters: &[&str]) -> Outcome<Running> {
    let mut command = Command::new(program);
    let file = workspace::root().join("statechart-bridge/models").join(file);
    command.arg("run").arg(file).arg("--sockets");
    for parameter in parameters {
        command.args(["-p", parameter]);
    }
    Running::start(&mut command)
}

pub(super) fn curl(world: &mut World) -> Outcome<String> {
    let version = child::capture(Command::new("curl").arg("--version"), LIMIT)?;
    let version = version.split_whitespace().nth(1).unwrap_or("unknown").to_owned();
    world.took_part("curl", &version);
    let program = world.statechart()?;
    let mut server = model(&program, "http_echo_server.xml", &["address='127.0.0.1'", "port=0"])?;
    let line = server.line(LIMIT)?;
    let port = line
        .strip_prefix("listening on port ")
        .ok_or_else(|| format!("the server's first line should tell its port; it was `{line}`"))?
        .to_owned();
    let url = format!("http://127.0.0.1:{port}/");
    let curl = |options: &[&str]| {
        let mut command = Command::new("curl");
        // No proxy, whatever the environment says; errors are told.
        command
            .args(["-sS", "--noproxy", "*", "--max-time", "60"])
            .args(options);
        child::capture(&mut command, LIMIT * 4)
    };
    expect("POST", curl(&["-d", "hello", &url])?.as_str(), "hello")?;
    expect("the server's line", server.line(LIMIT)?.as_str(), "Echo: hello")?;
    let refused = curl(&["-o", "/dev/null", "-w", "%{http_code}", &url])?;
    expect("the status of a GET", refused.as_str(), "405")?;
    let large = "0123456789abcdef".repeat(1 << 14);
    let file = world.folder().join("body.txt");
    fs::write(&file, &large).map_err(|error| format!("{}: {error}", file.display()))?;
    let back = curl(&["--data-binary", &format!("@{}", file.display()), &url])?;
    expect(
        "256 KiB there and back",
        &(back.len(), back == large),
        &(large.len(), true),
    )?;

    at_once(world.folder(), &url, curl)?;
    let asked = client(&program, &port)?;
    Ok(format!(
        "POST, GET, {REQUESTS} parallel requests, {asked} of our client"
    ))
}

/// A thousand requests, as many at once as curl does (300), each with a body of its own.
fn at_once(folder: &Path, url: &str, curl: impl Fn(&[&str]) -> Outcome<String>) -> Outcome<()> {
    let mut requests = String::new();
    let reply = |number: usize| folder.join(format!("reply-{number}"));
    for number in 0..REQUESTS {
        if number > 0 {
            requests.push_str("next\n");
        }
        let _ = writeln!(
            requests,
            "url = {url}\ndata = \"request {number}\"\noutput = {}\nwrite-out = \"%{{http_code}}\\n\"",
            reply(number).display()
        );
    }
    let list = folder.join("requests");
    fs::write(&list, requests).map_err(|error| format!("{}: {error}", list.display()))?;
    let most = REQUESTS.to_string();
    let list = list.display().to_string();
    let codes = curl(&[
        "--parallel",
        "--parallel-immediate",
        "--parallel-max",
        &most,
        "--config",
        &list,
    ])?;
    let good = codes.lines().filter(|code| *code == "200").count();
    expect("answers of 200", &good, &REQUESTS)?;
    for number in 0..REQUESTS {
        let body = fs::read_to_string(reply(number)).map_err(|error| format!("reply {number}: {error}"))?;
        expect("a reply", body.as_str(), &format!("request {number}"))?;
    }
    Ok(())
}

/// The client's model against the server's: what it prints.
fn client(program: &Path, port: &str) -> Outcome<usize> {
    const ROUNDS: usize = 3;
    let mut client = model(program, "http_echo_client.xml", &[&format!("port={port}")])?;
    for number in 0..ROUNDS {
        for wanted in [format!("Sending request: {number}"), format!("Got response: {number}")] {
            expect("what the client printed", client.line(LIMIT)?.as_str(), wanted.as_str())?;
        }
    }
    Ok(ROUNDS)
}
