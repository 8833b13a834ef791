//! Real sockets under an environment.

use std::time::Duration;

use net_core::Endpoint;
use sim_io::Environment;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn loopback() -> Endpoint {
    "tcp://127.0.0.1:0".parse().unwrap()
}

#[test]
fn two_processes_talk_over_the_systems_sockets() {
    let env = Environment::in_real_time();
    let net = env.net();
    let there = env.named_event::<Endpoint>("the server's address");
    let (server, address) = (net.clone(), there.clone());
    env.named_process("server", async move {
        let mut listener = server.bind(&loopback()).await.unwrap();
        address.succeed(listener.local().clone()).unwrap();
        let mut stream = listener.accept().await.unwrap();
        let mut bytes = [0; 4];
        while stream.read_exact(&mut bytes).await.is_ok() {
            stream.write_all(&bytes).await.unwrap();
        }
    });
    let client = env.named_process("client", async move {
        let mut stream = net.connect(&there.await.unwrap()).await.unwrap();
        for round in 0..100_u32 {
            stream.write_all(&round.to_be_bytes()).await.unwrap();
            let mut bytes = [0; 4];
            stream.read_exact(&mut bytes).await.unwrap();
            assert_eq!(u32::from_be_bytes(bytes), round);
        }
        net.sleep(Duration::from_millis(1)).await;
    });
    env.run_until(&client).unwrap();
    env.run().unwrap();
}
