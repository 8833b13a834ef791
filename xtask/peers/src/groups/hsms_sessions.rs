//! Sessions of HSMS over loopback, both ends on one thread.

use crate::Outcome;
use crate::cpu::{Account, Meter, Spent};
use crate::harness::{Comparison, Effort, Measure, Row, Sample};
use crate::python::SECSGEM;
use crate::target::Bound::AtLeast;
use crate::target::Target;
use futures::future::try_join;
use hsms::{
    ActiveConnection, Bytes, Connection, ConnectionOptions, Delegate, Endpoint, Message, Net, PassiveConnection,
    RequestError, StreamFunction,
};
use std::future::Future;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;

const TOKIO: &str = "tokio, current thread, bare frames";
const ORIGINAL: &str = "secsgem 0.3.0, both ends in one process";
const LONG: Duration = Duration::from_secs(30);
/// Connections of a full sample.
const CONNECTIONS: u64 = 2000;

/// Echoes: so many in a full sample, of this size, so many at once.
#[derive(Clone, Copy)]
struct Shape {
    name: &'static str,
    about: &'static str,
    count: u64,
    size: usize,
    at_once: u64,
    /// How many the original gets in a full sample.
    slow: u64,
    ratio: Option<f64>,
    /// How many in a second at least.
    rate: Option<f64>,
}

const SHAPES: [Shape; 2] = [
    Shape {
        name: "s1f1",
        about: "S1F1 W and its reply without text, one after the other",
        count: 20_000,
        size: 0,
        at_once: 1,
        slow: 2000,
        ratio: Some(0.83),
        rate: Some(85e3),
    },
    Shape {
        name: "64-in-flight",
        about: "the same, 64 requests at once (16 of the original's, which needs a thread for each)",
        count: 200_000,
        size: 0,
        at_once: 64,
        slow: 2000,
        ratio: None,
        rate: Some(200e3),
    },
];

/// Texts of growing size, there and back one after the other.
const SIZES: [Shape; 5] = [
    sized("16", 16, 15_000, 1000, None),
    sized("256", 256, 15_000, 1000, None),
    sized("4096", 4096, 10_000, 300, None),
    // 600 and 800 MB/s each way.
    sized("65536", 64 << 10, 3000, 20, Some(9155.0)),
    sized("1048576", 1 << 20, 250, 1, Some(763.0)),
];

const fn sized(name: &'static str, size: usize, count: u64, slow: u64, rate: Option<f64>) -> Shape {
    Shape {
        name,
        about: "A text of so many bytes there and back, one after the other",
        count,
        size,
        at_once: 1,
        slow,
        ratio: None,
        rate,
    }
}

/// Makes the tables of sessions.
///
/// # Errors
/// None.
pub fn build() -> Outcome<Vec<Comparison>> {
    let mut tables: Vec<Comparison> = SHAPES.iter().map(|&shape| table("hsms-round-trip", shape)).collect();
    tables.push(Comparison {
        name: "hsms-round-trip/connect".into(),
        operation: "connection",
        measure: Measure::Rate,
        about: about("Connect, Select, Separate and close, one after the other"),
        rows: vec![
            connections(TOKIO, |count| in_tokio(bare_connections(count))),
            connections("hsms", |count| in_tokio(session_connections(count))).target(Target::figure(AtLeast(3000.0))),
        ],
    });
    Ok(tables)
}

/// Makes the tables of sizes.
///
/// # Errors
/// None.
pub fn sizes() -> Outcome<Vec<Comparison>> {
    Ok(SIZES.map(|shape| table("hsms-size", shape)).into())
}

fn table(group: &str, shape: Shape) -> Comparison {
    let mut ours = row("hsms", shape, shape.count, |shape, count| {
        in_tokio(sessions(shape, count))
    });
    if let Some(least) = shape.ratio {
        ours = ours.target(Target::ratio(AtLeast(least)));
    }
    if let Some(least) = shape.rate {
        ours = ours.target(Target::figure(AtLeast(least)));
    }
    ours = ours.target(Target::times_better(ORIGINAL, 10.0));
    Comparison {
        name: format!("{group}/{}", shape.name),
        operation: "round trip",
        measure: Measure::Rate,
        about: about(shape.about),
        rows: vec![
            row(TOKIO, shape, shape.count, |shape, count| in_tokio(bare(shape, count))),
            ours,
            row(ORIGINAL, shape, shape.slow, original).after(|| SECSGEM.prepare()),
        ],
    }
}

fn about(what: &str) -> String {
    format!("{what}; over loopback, both ends on one thread, its own processor time.")
}

fn row(name: &str, shape: Shape, count: u64, run: fn(Shape, u64) -> Outcome<Spent>) -> Row {
    Row::new(name, move |effort: &Effort| {
        let at_once = shape.at_once.min(count);
        // Each of those at once does as much.
        let count = effort.amount(count).div_ceil(at_once) * at_once;
        Ok(Sample::new(count, run(shape, count)?))
    })
}

fn connections(name: &str, run: fn(u64) -> Outcome<Spent>) -> Row {
    Row::new(name, move |effort: &Effort| {
        let count = effort.amount(CONNECTIONS);
        Ok(Sample::new(count, run(count)?))
    })
}

fn in_tokio<T>(work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, work)
}

/// Answers each message with its own text.
struct Echo;

impl Delegate for Echo {
    async fn on_connection_message_received(&self, connection: &Connection, message: Message) {
        // A reply that can't be sent is missed at the other end.
        let _ = connection.reply(&message.header, message.text).await;
    }
}

async fn equipment(net: &Net) -> Outcome<(PassiveConnection, Endpoint)> {
    let equipment = PassiveConnection::new(net, "tcp://127.0.0.1:0".parse()?, ConnectionOptions::new(0), Echo);
    let at = equipment.enable().await?;
    Ok((equipment, at))
}

async fn sessions(shape: Shape, count: u64) -> Outcome<Spent> {
    let net = Net::os();
    let (_equipment, at) = equipment(&net).await?;
    let host = ActiveConnection::new(&net, at, ConnectionOptions::new(0), ());
    host.enable()?;
    host.selected(LONG).await?;
    let text = Bytes::from(vec![7; shape.size]);
    let ask = |times: u64| {
        let (host, text) = (host.connection().clone(), text.clone());
        async move {
            for _ in 0..times {
                let reply = host.request(StreamFunction::new(1, 1), text.clone()).await?;
                if reply.text.len() != text.len() {
                    return Ok(false);
                }
            }
            Ok::<_, RequestError>(true)
        }
    };
    ask(count / 20 + 1).await?;
    let meter = Meter::start(Account::ThisThread)?;
    let mut same = true;
    if shape.at_once == 1 {
        same = ask(count).await?;
    } else {
        let mut tasks = Vec::new();
        for _ in 0..shape.at_once {
            tasks.push(net.spawn(ask(count / shape.at_once))?);
        }
        for task in tasks {
            same &= task.await??;
        }
    }
    let spent = meter.stop()?;
    host.stop().await;
    if same {
        Ok(spent)
    } else {
        Err("another text came back".into())
    }
}

async fn session_connections(count: u64) -> Outcome<Spent> {
    let net = Net::os();
    let (equipment, at) = equipment(&net).await?;
    let mut options = ConnectionOptions::new(0);
    options.session.timers.t5 = Duration::ZERO;
    let host = ActiveConnection::new(&net, at, options, ());
    let meter = Meter::start(Account::ThisThread)?;
    for _ in 0..count {
        host.enable()?;
        host.selected(LONG).await?;
        host.stop().await;
    }
    let spent = meter.stop()?;
    if equipment.stats().connections == count && host.stats().connections == count {
        Ok(spent)
    } else {
        Err(format!("{count} wanted: {} there", equipment.stats().connections).into())
    }
}

/// What no session can do without: frames, sent back as they come.
async fn bare(shape: Shape, count: u64) -> Outcome<Spent> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let length = 14 + shape.size;
    let server = tokio::task::spawn_local(async move {
        let (mut stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let mut buffer = vec![0; 256 << 10];
        loop {
            match stream.read(&mut buffer).await? {
                0 => return Ok::<_, std::io::Error>(()),
                read => stream.write_all(&buffer[..read]).await?,
            }
        }
    });
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut read_half, mut write_half) = stream.into_split();
    let frame = vec![7; length];
    let meter = Meter::start(Account::ThisThread)?;
    if shape.at_once == 1 {
        let mut back = vec![0; length];
        for _ in 0..count {
            // Both at once: the server sends back while it still reads.
            try_join(write_half.write_all(&frame), read_half.read_exact(&mut back)).await?;
        }
    } else {
        let (mut begun, mut whole, mut bytes) = (shape.at_once.min(count), 0, 0);
        write_half.write_all(&frame.repeat(begun as usize)).await?;
        let mut buffer = vec![0; 256 << 10];
        while whole < count {
            bytes += read_half.read(&mut buffer).await?;
            let new = (bytes / length) as u64;
            bytes %= length;
            whole += new;
            let more = new.min(count - begun);
            begun += more;
            write_half.write_all(&frame.repeat(more as usize)).await?;
        }
    }
    let spent = meter.stop()?;
    drop((read_half, write_half));
    server.await??;
    Ok(spent)
}

async fn bare_connections(count: u64) -> Outcome<Spent> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = tokio::task::spawn_local(async move {
        let mut frame = [0; 14];
        for _ in 0..count {
            let (mut stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            stream.read_exact(&mut frame).await?;
            stream.write_all(&frame).await?;
            stream.read_exact(&mut frame).await?;
        }
        Ok::<_, std::io::Error>(())
    });
    let meter = Meter::start(Account::ThisThread)?;
    for _ in 0..count {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut frame = [7; 14];
        stream.write_all(&frame).await?;
        stream.read_exact(&mut frame).await?;
        stream.write_all(&frame).await?;
    }
    let spent = meter.stop()?;
    server.await??;
    Ok(spent)
}

fn original(shape: Shape, count: u64) -> Outcome<Spent> {
    // It needs a thread for each that waits.
    let at_once = shape.at_once.min(16);
    let arguments = [count.to_string(), shape.size.to_string(), at_once.to_string()];
    let [done, cpu, wall] = SECSGEM.numbers(include_str!("../../python/secsgem_sessions.py"), &arguments)?;
    if done != count / at_once * at_once {
        return Err(format!("{done} of {count}").into());
    }
    Ok(Spent {
        cpu: Duration::from_nanos(cpu),
        wall: Duration::from_nanos(wall),
        allocations: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_does_the_work() {
        for shape in SHAPES.into_iter().chain(SIZES) {
            in_tokio(sessions(shape, shape.at_once)).unwrap();
            in_tokio(bare(shape, shape.at_once)).unwrap();
        }
        in_tokio(session_connections(3)).unwrap();
        in_tokio(bare_connections(3)).unwrap();
    }
}
