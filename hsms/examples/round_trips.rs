//! How fast it is on this machine, both ends in one thread: `cargo run --release -p hsms --example round_trips`, with
//! `--quick` for a hundredth of the work.

use std::time::Duration;

use hsms::{
    ActiveConnection, Connection, ConnectionOptions, Delegate, Message, Net, PassiveConnection, StreamFunction,
};

/// Answers each message with its own text.
struct Echo;

impl Delegate for Echo {
    async fn on_connection_message_received(&self, connection: &Connection, message: Message) {
        let _ = connection.reply(&message.header, message.text).await;
    }
}

/// By how much the work is divided: `--quick` only shows that it works.
fn part() -> usize {
    if std::env::args().any(|argument| argument == "--quick") {
        100
    } else {
        1
    }
}

const LONG: Duration = Duration::from_secs(30);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let net = Net::os();
    let at = "tcp://127.0.0.1:0".parse()?;
    let equipment = PassiveConnection::new(&net, at, ConnectionOptions::new(0), Echo);
    let at = equipment.enable().await?;
    let host = ActiveConnection::new(&net, at, ConnectionOptions::new(0), ());
    host.enable()?;
    host.selected(LONG).await?;

    for _ in 0..2 {
        report("S1F1, one after the other", &net, &host, 1, 0, 100_000).await?;
        report("S1F1, 64 in flight", &net, &host, 64, 0, 400_000).await?;
        report("64 KiB echo", &net, &host, 1, 64 << 10, 10_000).await?;
        report("64 KiB echo, 4 in flight", &net, &host, 4, 64 << 10, 10_000).await?;
        report("1 MiB echo", &net, &host, 1, 1 << 20, 500).await?;
    }
    host.stop().await;

    let options = || {
        let mut options = ConnectionOptions::new(0);
        options.session.timers.t5 = Duration::ZERO;
        options
    };
    let host = ActiveConnection::new(&net, equipment.local().ok_or("no port")?, options(), ());
    let start = net.now();
    let connections = 3000 / part();
    for _ in 0..connections {
        host.enable()?;
        host.selected(LONG).await?;
        host.stop().await;
    }
    let took = (net.now() - start).as_secs_f64();
    println!("connect, select, separate: {:.0}/s", connections as f64 / took);
    Ok(())
}

async fn report(
    what: &str,
    net: &Net,
    host: &Connection,
    in_flight: usize,
    size: usize,
    count: usize,
) -> Result<(), Box<dyn std::error::Error>> {
    let count = (count / part()).max(in_flight);
    let text = hsms::Bytes::from(vec![7; size]);
    let start = net.now();
    let mut tasks = Vec::new();
    for _ in 0..in_flight {
        let (host, text) = (host.clone(), text.clone());
        tasks.push(net.spawn(async move {
            for _ in 0..count / in_flight {
                host.request(StreamFunction::new(1, 1), text.clone()).await?;
            }
            Ok::<_, hsms::RequestError>(())
        })?);
    }
    for task in tasks {
        task.await??;
    }
    let took = (net.now() - start).as_secs_f64();
    let rate = count as f64 / took;
    let megabytes = rate * size as f64 / 1e6;
    println!("{what}: {rate:.0}/s, {megabytes:.0} MB/s each way");
    Ok(())
}
