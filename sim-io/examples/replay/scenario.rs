//! Clients and servers on four hosts, with everything that can go wrong.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use sim_io::Environment;
use sim_io::network::{Host, Latency, Link, Loss, Network, Stats};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Takes the lines of a run's log.
pub(crate) type Log = Rc<dyn Fn(&dyn fmt::Display)>;

/// What has come of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) trace_hash: u64,
    pub(crate) stats: Stats,
    /// How each of the clients' rounds ended.
    pub(crate) rounds: Vec<String>,
}

/// Two clients talk to two servers over bad links, while paths are cut and held, and servers crash.
///
/// The log gets packets, faults and the ends of rounds.
pub(crate) fn run(seed: u64, log: Option<Log>) -> Outcome {
    let env = Environment::with_seed(seed);
    let network = Network::new(&env);
    network.set_default_link(bad_link());
    if let Some(log) = log.clone() {
        network.watch(move |packet| log(packet));
    }
    let log = log.unwrap_or_else(|| Rc::new(|_| ()));
    let hosts: Vec<Host> = (0..4).map(|n| network.host(&format!("host-{n}")).unwrap()).collect();
    let (servers, clients) = hosts.split_at(2);
    servers.iter().for_each(serve);
    let rounds = Rc::new(RefCell::new(Vec::new()));
    for client in clients {
        env.process(ask(env.clone(), client.clone(), Rc::clone(&rounds), Rc::clone(&log)));
    }
    env.process(break_things(
        env.clone(),
        network.clone(),
        servers.to_vec(),
        clients.to_vec(),
        log,
    ));
    env.run_until(Duration::from_secs(600)).unwrap();
    Outcome {
        trace_hash: env.trace_hash(),
        stats: network.stats(),
        rounds: rounds.take(),
    }
}

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn bad_link() -> Link {
    Link::default()
        .latencies(Latency::Exponential {
            min: ms(1),
            mean: ms(10),
        })
        .jitter(ms(2))
        .bandwidth(20_000_000)
        .losses(Loss::Bursts {
            worsen: 0.01,
            mend: 0.3,
            good: 0.001,
            bad: 0.5,
        })
        .duplicate(0.01)
        .reorder(0.02, ms(5))
        .corrupt(0.001)
}

/// A server that sends back what it gets.
fn serve(host: &Host) {
    let net = host.net();
    let served = host.net().spawn(async move {
        let mut listener = net.bind(&"tcp://0.0.0.0:80".parse()?).await?;
        loop {
            let mut stream = listener.accept().await?;
            let _ = net.spawn(async move {
                let mut data = vec![0; 5000];
                while let Ok(n) = stream.read(&mut data).await
                    && n > 0
                    && stream.write_all(&data[..n]).await.is_ok()
                {}
            });
        }
        #[expect(unreachable_code, reason = "tells the type of the error")]
        Ok::<(), net_core::Error>(())
    });
    drop(served);
}

/// A client: twenty rounds, with the servers in turn.
async fn ask(env: Environment, host: Host, rounds: Rc<RefCell<Vec<String>>>, log: Log) {
    let (net, name) = (host.net(), host.name());
    for round in 0..20 {
        let server = format!("host-{}", round % 2);
        let to = format!("tcp://{server}:80").parse().unwrap();
        let outcome = net.timeout(Duration::from_secs(5), async {
            let mut stream = net.connect(&to).await?;
            stream.write_all(&vec![1; 20_000]).await?;
            let mut back = vec![0; 20_000];
            stream.read_exact(&mut back).await?;
            Ok::<_, io::Error>(())
        });
        let told = match outcome.await {
            Ok(Ok(())) => "done".to_owned(),
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        let line = format!("{} {name} round {round} with {server}: {told}", env.now());
        log(&line);
        rounds.borrow_mut().push(line);
    }
}

/// Ten faults, each mended after a while.
async fn break_things(env: Environment, network: Network, servers: Vec<Host>, clients: Vec<Host>, log: Log) {
    let pick = |among: &[Host]| among[env.random() as usize % among.len()].clone();
    for _ in 0..10 {
        env.timeout(ms(env.random() % 2000)).await;
        let (client, server) = (pick(&clients), pick(&servers));
        let (a, b) = (client.name(), server.name());
        let fault = match env.random() % 4 {
            0 => {
                network.partition(&client, &server);
                format!("{a} and {b} are parted")
            }
            1 => {
                network.partition_one_way(&server, &client);
                format!("the way from {b} to {a} is cut")
            }
            2 => {
                network.hold(&client, &server);
                format!("packets between {a} and {b} are held")
            }
            _ => {
                server.crash();
                format!("{b} crashes")
            }
        };
        log(&format_args!("{} fault: {fault}", env.now()));
        env.timeout(ms(env.random() % 3000)).await;
        log(&format_args!("{} mended: {fault}", env.now()));
        network.heal(&client, &server);
        if !server.is_up() {
            server.restart();
            serve(&server);
        }
    }
}
