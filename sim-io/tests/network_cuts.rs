//! Whatever happens to the path, once it is whole again every byte arrives.

mod network_common;

use std::future::Future;
use std::time::Duration;

use net_core::{BindOptions, ConnectOptions, Keepalive, SocketOptions, Stream};
use network_common::{Pair, ms};
use proptest::prelude::*;
use sim_io::network::Link;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[derive(Clone, Copy, Debug)]
enum Fault {
    Partition,
    There,
    Back,
    Hold,
    Release,
    Heal,
    Crash,
    Restart,
}

fn faults() -> impl Strategy<Value = Vec<(u64, Fault)>> {
    let fault = prop_oneof![
        Just(Fault::Partition),
        Just(Fault::There),
        Just(Fault::Back),
        Just(Fault::Hold),
        Just(Fault::Release),
        Just(Fault::Heal),
        Just(Fault::Crash),
        Just(Fault::Restart),
    ];
    prop::collection::vec((0_u64..2_000, fault), 0..12)
}

/// Sends and receives at once, closes in order, and checks what came.
async fn exchange(stream: Stream, bytes: usize) {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let data: Vec<u8> = (0..bytes).map(|n| (n % 251) as u8).collect();
    let sends = async {
        for part in data.chunks(5_000) {
            writer.write_all(part).await.unwrap();
        }
        writer.shutdown().await.unwrap();
    };
    let mut received = Vec::new();
    let ((), read) = futures_util::future::join(sends, reader.read_to_end(&mut received)).await;
    read.unwrap();
    assert_eq!(received, data);
}

/// Makes faults, and mends them all at the end.
fn break_things(pair: &Pair, faults: Vec<(u64, Fault)>) -> impl Future<Output = ()> + 'static {
    let (env, network) = (pair.env.clone(), pair.network.clone());
    let (client, server) = (pair.client.clone(), pair.server.clone());
    async move {
        for (after, fault) in faults {
            env.timeout(ms(after)).await;
            match fault {
                Fault::Partition => network.partition(&client, &server),
                Fault::There => network.partition_one_way(&client, &server),
                Fault::Back => network.partition_one_way(&server, &client),
                Fault::Hold => network.hold(&client, &server),
                Fault::Release => network.release(&client, &server),
                Fault::Heal => network.heal(&client, &server),
                Fault::Crash => server.crash(),
                Fault::Restart => server.restart(),
            }
        }
        server.restart();
        network.heal(&client, &server);
    }
}

/// The same as `exchange`, where things may end badly, one direction or both: whether all went well.
async fn try_exchange(stream: Stream, bytes: usize) -> bool {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let data = vec![7; bytes];
    let sends = async {
        writer.write_all(&data).await?;
        writer.shutdown().await
    };
    let mut received = Vec::new();
    let (sent, read) = futures_util::future::join(sends, reader.read_to_end(&mut received)).await;
    assert!(received.len() <= bytes && received.iter().all(|byte| *byte == 7));
    sent.is_ok() && read.is_ok() && received.len() == bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_byte_arrives(
        seed: u64,
        loss in prop_oneof![Just(0.0), 0.0..0.1],
        corrupt in prop_oneof![Just(0.0), 0.0..0.1],
        jitter in 0_u64..10,
        bandwidth in prop_oneof![Just(None), (1_000_000_u64..100_000_000).prop_map(Some)],
        reorder in prop_oneof![Just(0.0), 0.0..0.1],
        lines in [prop_oneof![Just(None), (1_000_000_u64..100_000_000).prop_map(Some)], prop_oneof![Just(None), (1_000_000_u64..100_000_000).prop_map(Some)]],
        bytes in prop_oneof![0_usize..2_000, 100_000_usize..500_000],
        faults in faults(),
    ) {
        let mut link = Link::default().latency(ms(20)).jitter(ms(jitter)).loss(loss).corrupt(corrupt).reorder(reorder, ms(30));
        link.bandwidth = bandwidth;
        let pair = Pair::new(seed, ms(20));
        pair.client.set_uplink(lines[0]);
        pair.client.set_downlink(lines[1]);
        let (near, far) = pair.connected();
        // Only now: many losses in a row would end the connecting.
        pair.network.set_default_link(link);
        let ends = [near, far].map(|stream| pair.env.process(exchange(stream, bytes)));
        pair.env.process(break_things(&pair, faults.into_iter().filter(|(_, fault)| !matches!(fault, Fault::Crash)).collect()));
        for end in &ends {
            pair.env.run_until(end).unwrap();
        }
        // Nothing is left over.
        pair.env.run_until(Duration::from_secs(3600)).unwrap();
        prop_assert_eq!(pair.env.peek(), None);
    }

    #[test]
    fn every_operation_ends(
        seed: u64,
        loss in prop_oneof![Just(0.0), 0.0..0.03],
        bytes in prop_oneof![0_usize..2_000, 100_000_usize..500_000],
        faults in faults(),
    ) {
        let pair = Pair::linked(seed, Link::default().latency(ms(20)).jitter(ms(5)).loss(loss));
        let socket = SocketOptions::default().keepalive(Keepalive::after(Duration::from_secs(30)));
        let (server, client) = (pair.server.net(), pair.client.net());
        let bind = BindOptions::default().socket(socket.clone());
        let accepts = pair.env.process(async move {
            let Ok(mut listener) = server.bind_with(&"tcp://0.0.0.0:80".parse().unwrap(), &bind).await else {
                return false;
            };
            match server.timeout(Duration::from_secs(3600), listener.accept()).await {
                Ok(Ok(stream)) => try_exchange(stream, bytes).await,
                _ => false,
            }
        });
        let connect = ConnectOptions::default().socket(socket).timeout(Duration::from_secs(600));
        let connects = pair.env.process(async move {
            match client.connect_with(&"tcp://server:80".parse().unwrap(), &connect).await {
                Ok(stream) => try_exchange(stream, bytes).await,
                Err(_) => false,
            }
        });
        let crashes = faults.iter().any(|(_, fault)| matches!(fault, Fault::Crash));
        pair.env.process(break_things(&pair, faults));
        let whole = [pair.env.run_until(&accepts).unwrap(), pair.env.run_until(&connects).unwrap()];
        prop_assert!(crashes || whole == [true; 2]);
        // Nothing is left over.
        pair.env.run_until(Duration::from_secs(7200)).unwrap();
        prop_assert_eq!(pair.env.peek(), None);
    }
}
