//! A day of many sessions, each with a Linktest every ten seconds, in virtual time. In a debug build an hour of a few.

use std::time::Duration;

use hsms::net_core::Instant;
use hsms::{ActiveConnection, ConnectionOptions, Linktest, MultiPassiveServer, SessionOptions};
use sim_io::Environment;
use sim_io::network::{Link, Network};

const SESSIONS: usize = if cfg!(debug_assertions) { 50 } else { 1000 };
const HOURS: u64 = if cfg!(debug_assertions) { 1 } else { 24 };

fn options() -> ConnectionOptions {
    // Only one side asks; the other's tests are put off by the first one's.
    let linktest = Linktest::every(Duration::from_secs(10));
    SessionOptions::new(0).linktest(linktest).into()
}

#[test]
fn a_day_of_linktests() {
    let env = Environment::with_seed(7);
    let network = Network::new(&env);
    network.set_default_link(Link::default().latency(Duration::from_millis(1)));
    let (equipment, host) = (network.host("equipment").unwrap(), network.host("host").unwrap());
    let (there, here) = (equipment.net(), host.net());
    let day = env.named_process("day", async move {
        let server = MultiPassiveServer::new(&there, "tcp://equipment:5000".parse().unwrap());
        server.accept_any(|_| Some((options().session(SessionOptions::new(0).linktest(None)), ())));
        let at = server.start().await.unwrap();
        let hosts: Vec<_> = (0..SESSIONS)
            .map(|_| {
                let host = ActiveConnection::new(&here, at.clone(), options(), ());
                host.enable().unwrap();
                host
            })
            .collect();
        for host in &hosts {
            host.selected(Duration::from_secs(60)).await.unwrap();
        }
        here.sleep_until(Instant::ZERO + Duration::from_secs(HOURS * 3600))
            .await;
        for host in &hosts {
            let stats = host.stats();
            assert!(host.is_selected());
            assert_eq!((stats.connections, stats.linktests_failed), (1, 0));
            let expected = HOURS * 3600 / 10;
            assert!(stats.linktests + 5 >= expected * 9 / 10, "{stats:?}");
            assert_eq!(host.open_transactions(), 0);
            host.disable();
        }
        server.stop().await;
    });
    env.run_until(&day).unwrap();
}
