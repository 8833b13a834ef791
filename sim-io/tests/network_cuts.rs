//! Whatever happens to the path, once it is whole again every byte arrives.

mod network_common;

use std::time::Duration;

use net_core::Stream;
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
}

fn faults() -> impl Strategy<Value = Vec<(u64, Fault)>> {
    let fault = prop_oneof![
        Just(Fault::Partition),
        Just(Fault::There),
        Just(Fault::Back),
        Just(Fault::Hold),
        Just(Fault::Release),
        Just(Fault::Heal),
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
        let pair = Pair::linked(seed, link);
        pair.client.set_uplink(lines[0]);
        pair.client.set_downlink(lines[1]);
        let (near, far) = pair.connected();
        let ends = [near, far].map(|stream| pair.env.process(exchange(stream, bytes)));
        let (env, network) = (pair.env.clone(), pair.network.clone());
        let (client, server) = (pair.client.clone(), pair.server.clone());
        pair.env.process(async move {
            for (after, fault) in faults {
                env.timeout(ms(after)).await;
                match fault {
                    Fault::Partition => network.partition(&client, &server),
                    Fault::There => network.partition_one_way(&client, &server),
                    Fault::Back => network.partition_one_way(&server, &client),
                    Fault::Hold => network.hold(&client, &server),
                    Fault::Release => network.release(&client, &server),
                    Fault::Heal => network.heal(&client, &server),
                }
            }
            network.heal(&client, &server);
        });
        for end in &ends {
            pair.env.run_until(end).unwrap();
        }
        // Nothing is left over.
        pair.env.run_until(Duration::from_secs(3600)).unwrap();
        prop_assert_eq!(pair.env.peek(), None);
    }
}
