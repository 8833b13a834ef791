//! What a connection costs in memory while it does nothing: fresh, and after it has been busy once.
//!
//! Each sample runs in processes of its own (memory that one server gave back would serve the next): the server's, and
//! one for the clients, which are half of the open files. Both are this program again, with a hidden subcommand.

use super::accept::reach;
use crate::Outcome;
use crate::framing::{Framing, LINE};
use crate::harness::{Comparison, Extra, Measure, Row, Sample, Unit};
use crate::servers::{
    Crowd, Job, Progress, Running, components, hsms, http, mio_loop, net_core, oneline, tokio_framed, tokio_loop,
};
use crate::target::Bound::AtMost;
use crate::target::Target;
use crate::{limits, load, sockets};
use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Connections of a full sample.
const CONNECTIONS: u64 = 10_000;
/// Files that a process has open besides its connections, generously.
const OTHER_FILES: u64 = 100;
/// Connections made before the first reading, so that code and buffers for all are in memory by then.
const WARM_UP: usize = 20;

/// The server's process.
pub const SERVER: &str = "__idle-server";
/// The clients' process.
pub const CLIENTS: &str = "__idle-clients";

const CONNECTED: &str = "connected";
const ECHOED: &str = "after one echo";

/// Those of ours, which promise something.
const OURS: &[&str] = &[NET_CORE, ONELINE];
const NET_CORE: &str = "net-core, a task with a Framed<Line>";
const ONELINE: &str = "oneline, a client with a Handler";
/// Most bytes that one of ours may take.
const LIMIT: f64 = 2048.0;

const HSMS: &str = "hsms, MultiPassiveServer with a Delegate";
/// Most bytes that a session may take.
const SESSION_LIMIT: f64 = 8192.0;

/// A server that speaks in lines, and the name of its row.
const SERVERS: &[(&str, Crowd)] = &[
    ("mio, slab", mio_loop::crowd),
    (NET_CORE, net_core::crowd),
    (ONELINE, oneline::crowd),
    ("tokio task, no buffer while idle", tokio_loop::unbuffered),
    ("tokio Framed, LinesCodec", tokio_framed::crowd),
];

/// What is measured beside components.
const COMPONENTS: &[(&str, Crowd)] = &[
    ("tokio task, no buffer while idle", tokio_loop::unbuffered),
    ("tokio task, a buffer of 64 KiB", components::tokio_alone_crowd),
    (ADAPTER, components::crowd),
];
const ADAPTER: &str = "components, an adapter and an echo";
/// Most bytes that these two may take.
const ADAPTER_LIMIT: f64 = 6.0 * 1024.0;

const STATECHART: &str = "statechart-bridge, http_echo_server.xml";
/// Most bytes that a connection with its task and its instance may take: 60 MB for 10,000.
const STATECHART_LIMIT: f64 = 6000.0;

/// The servers that don't speak in lines.
const OTHERS: &[(&str, Crowd)] = &[(HSMS, hsms::crowd), (STATECHART, http::statechart_crowd)];

/// How clients and server speak.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Talk {
    Line,
    Hsms,
    Http,
}

impl Talk {
    fn name(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Hsms => "hsms",
            Self::Http => "http",
        }
    }

    fn named(name: &str) -> Outcome<Self> {
        let mut known = [Self::Line, Self::Hsms, Self::Http].into_iter();
        known
            .find(|talk| talk.name() == name)
            .ok_or_else(|| "nobody speaks so".into())
    }

    /// What is asked of servers that speak in more than one way.
    fn framing(self) -> Framing {
        match self {
            Self::Line | Self::Http => Framing::Line,
            Self::Hsms => Framing::Length,
        }
    }
}

/// Makes the table.
///
/// # Errors
/// If the limit of open files can't be read.
pub fn build() -> Outcome<Vec<Comparison>> {
    Ok(vec![table("idle", SERVERS, OURS, LIMIT)?])
}

/// The same for components.
///
/// # Errors
/// If the limit of open files can't be read.
pub fn of_components() -> Outcome<Comparison> {
    table("components/idle-connection", COMPONENTS, &[ADAPTER], ADAPTER_LIMIT)
}

fn table(name: &str, servers: &[(&'static str, Crowd)], ours: &[&str], limit: f64) -> Outcome<Comparison> {
    let (connections, note) = possible()?;
    let row = |(name, _): &(&'static str, Crowd)| {
        let name = *name;
        let row = Row::new(name, move |_| sample(name, Talk::Line, connections));
        if ours.contains(&name) {
            row.target(Target::extra(CONNECTED, AtMost(limit)))
                .target(Target::extra(ECHOED, AtMost(limit)))
        } else {
            row
        }
    };
    Ok(Comparison {
        name: name.into(),
        operation: "connection",
        measure: Measure::Extra(CONNECTED),
        about: about(connections, note),
        rows: servers.iter().map(row).collect(),
    })
}

/// The statechart's connections: each has a socket, a task and an instance.
///
/// # Errors
/// If the limit of open files can't be read.
pub fn of_statecharts() -> Outcome<Comparison> {
    let (connections, note) = possible()?;
    let limit = || AtMost(STATECHART_LIMIT);
    Ok(Comparison {
        name: "statechart/idle".into(),
        operation: "connection",
        measure: Measure::Extra(CONNECTED),
        about: about(connections, note),
        rows: vec![
            Row::new(NET_CORE, move |_| sample(NET_CORE, Talk::Line, connections)),
            Row::new(STATECHART, move |_| sample(STATECHART, Talk::Http, connections))
                .target(Target::extra(CONNECTED, limit()))
                .target(Target::extra(ECHOED, limit())),
        ],
    })
}

/// Makes the table of sessions.
///
/// # Errors
/// If the limit of open files can't be read.
pub fn sessions() -> Outcome<Vec<Comparison>> {
    let (connections, note) = possible()?;
    let limit = || AtMost(SESSION_LIMIT);
    Ok(vec![Comparison {
        name: "hsms-idle".into(),
        operation: "session",
        measure: Measure::Extra(CONNECTED),
        about: format!(
            "{connections} sessions{note} on one listener, selected by a second process; resident memory of the server \
             less what it was before, per session; then the same after one S1F1 on each. The original can't: it serves \
             one peer at a port, by three or four threads."
        ),
        rows: vec![
            Row::new(NET_CORE, move |_| sample(NET_CORE, Talk::Line, connections)),
            Row::new(HSMS, move |_| sample(HSMS, Talk::Hsms, connections))
                .target(Target::extra(CONNECTED, limit()))
                .target(Target::extra(ECHOED, limit())),
        ],
    }])
}

fn about(connections: u64, note: &str) -> String {
    format!(
        "{connections} connections{note} from a second process; resident memory of the server less what it was before, per \
         connection; then the same after one echo on each."
    )
}

/// How many connections can be made here, and a note if those are not all.
fn possible() -> Outcome<(u64, &'static str)> {
    let possible = limits::raise_open_files()?.saturating_sub(OTHER_FILES);
    if possible < CONNECTIONS {
        Ok((possible, " (as many as may be open here)"))
    } else {
        Ok((CONNECTIONS, ""))
    }
}

fn sample(name: &str, talk: Talk, connections: u64) -> Outcome<Sample> {
    let output = Command::new(env::current_exe()?)
        .args([SERVER, name, talk.name(), &connections.to_string()])
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .output()?;
    if !output.status.success() {
        return Err(format!(
            "the server's process failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        )
        .into());
    }
    let text = String::from_utf8(output.stdout)?;
    let mut values = text.split_whitespace().map(str::parse::<f64>);
    let mut next = |name| -> Outcome<Extra> {
        Ok(Extra {
            name,
            unit: Unit::Bytes,
            value: values.next().ok_or("a figure is missing")??,
        })
    };
    let extras = vec![next(CONNECTED)?, next(ECHOED)?];
    Ok(Sample {
        operations: connections,
        spent: None,
        extras,
    })
}

/// The server's process: runs the named server, has the clients come, and prints the two figures.
///
/// # Errors
/// If anything goes wrong on the way.
pub fn server_process(name: &str, talk: &str, connections: &str) -> Outcome<()> {
    let (talk, count): (_, usize) = (Talk::named(talk)?, connections.parse()?);
    let mut servers = SERVERS.iter().chain(COMPONENTS).chain(OTHERS);
    let (_, server) = servers.find(|(known, _)| *known == name).ok_or("no such server")?;
    limits::raise_open_files()?;
    let progress = Arc::new(Progress::default());
    let seen = Arc::clone(&progress);
    let job = Job {
        connections: WARM_UP + count,
        framing: talk.framing(),
    };
    let server = *server;
    let running = Running::start(move |door| server(door, job, seen))?;
    let mut clients = Clients::start(running.address, talk, count)?;
    let first = connect(running.address, talk, WARM_UP)?;
    first.iter().try_for_each(|stream| echo(stream, talk))?;
    drop(first);
    reach(&progress.ended, WARM_UP as u64, "ended")?;

    let per_connection = |before: u64| -> Outcome<f64> {
        thread::sleep(Duration::from_millis(100));
        Ok((limits::resident()? as f64 - before as f64) / count as f64)
    };
    let before = limits::resident()?;
    clients.step()?;
    reach(&progress.accepted, job.connections as u64, "accepted")?;
    let connected = per_connection(before)?;
    clients.step()?;
    let echoed = per_connection(before)?;
    println!("{connected} {echoed}");
    clients.step()?;
    running.finish()?;
    clients.process.wait()?;
    Ok(())
}

/// The clients' process, as seen by the server's: it takes a step for each line that it is sent, and answers with one.
struct Clients {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Clients {
    fn start(address: SocketAddr, talk: Talk, count: usize) -> Outcome<Self> {
        let mut process = Command::new(env::current_exe()?)
            .args([CLIENTS, &address.to_string(), talk.name(), &count.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = process.stdin.take().ok_or("no way to the clients")?;
        let output = process.stdout.take().ok_or("no way from the clients")?;
        Ok(Self {
            process,
            input,
            output: BufReader::new(output),
        })
    }

    fn step(&mut self) -> Outcome<()> {
        self.input.write_all(b"\n")?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        if line == "done\n" {
            Ok(())
        } else {
            Err("the clients failed".into())
        }
    }
}

/// The clients' process: connects, has one frame echoed on each connection, closes; each step when it is told to.
///
/// # Errors
/// If anything goes wrong on the way.
pub fn clients_process(address: &str, talk: &str, connections: &str) -> Outcome<()> {
    let talk = Talk::named(talk)?;
    limits::raise_open_files()?;
    let mut lines = io::stdin().lines();
    let mut told = || {
        lines
            .next()
            .ok_or("the server's process has gone")?
            .map_err(Box::<dyn std::error::Error + Send + Sync>::from)
    };
    told()?;
    let streams = connect(address.parse()?, talk, connections.parse()?)?;
    println!("done");
    told()?;
    streams.iter().try_for_each(|stream| echo(stream, talk))?;
    println!("done");
    told()?;
    drop(streams);
    println!("done");
    Ok(())
}

/// Connections that are ready for work: sessions of HSMS are selected.
fn connect(address: SocketAddr, talk: Talk, count: usize) -> Outcome<Vec<TcpStream>> {
    const SELECT_REQ: [u8; 14] = [0, 0, 0, 10, 0xFF, 0xFF, 0, 0, 0, 1, 0, 0, 0, 1];
    const SELECT_RSP: [u8; 14] = [0, 0, 0, 10, 0xFF, 0xFF, 0, 0, 0, 2, 0, 0, 0, 1];
    let mut streams = Vec::with_capacity(count);
    for _ in 0..count {
        let stream = sockets::connect(address)?;
        sockets::reset_on_close(&stream)?;
        stream.set_read_timeout(Some(sockets::STALL))?;
        if talk == Talk::Hsms {
            exchange(&stream, &SELECT_REQ, &SELECT_RSP)?;
        }
        streams.push(stream);
    }
    Ok(streams)
}

fn echo(stream: &TcpStream, talk: Talk) -> Outcome<()> {
    const S1F1: [u8; 14] = [0, 0, 0, 10, 0, 0, 0x81, 1, 0, 0, 0, 0, 0, 2];
    const S1F2: [u8; 14] = [0, 0, 0, 10, 0, 0, 1, 2, 0, 0, 0, 0, 0, 2];
    match talk {
        Talk::Line => exchange(stream, LINE, LINE),
        Talk::Hsms => exchange(stream, &S1F1, &S1F2),
        Talk::Http => post(stream, LINE),
    }
}

fn post(mut stream: &TcpStream, body: &[u8]) -> Outcome<()> {
    stream.write_all(&load::http::request(body))?;
    let (mut response, mut piece) = (Vec::new(), [0; 512]);
    loop {
        match stream.read(&mut piece)? {
            0 => return Err("the server closed a connection".into()),
            count => response.extend_from_slice(&piece[..count]),
        }
        match load::http::body(&response)? {
            Some(echoed) if echoed == body => return Ok(()),
            Some(_) => return Err("another body came back than was sent".into()),
            None => {}
        }
    }
}

fn exchange(mut stream: &TcpStream, question: &[u8], answer: &[u8]) -> Outcome<()> {
    stream.write_all(question)?;
    let mut reply = vec![0; answer.len()];
    stream.read_exact(&mut reply)?;
    if reply == answer {
        Ok(())
    } else {
        Err("other bytes came back than were expected".into())
    }
}
