//! Ten thousand clients of the echo server, most of which do nothing: on a simulated network, which has no limit of open
//! files. `tests/crowd.rs` has those on the operating system's sockets.

use crate::backend::{net, on_backend};
use crate::http::{Model, post};
use crate::rig::endpoint;

mod in_virtual_time {
    use super::on_backend;
    on_backend!(virtual_network VirtualNetwork, ten_thousand_idle_connections_are_kept_and_served);
}

async fn ten_thousand_idle_connections_are_kept_and_served() {
    const CONNECTIONS: usize = 10_000;
    let net = net();
    let (server, port) = Model::server(&net).await;
    let mut streams = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        streams.push(net.connect(&endpoint(port)).await.unwrap());
    }
    // An hour of silence.
    net.sleep(std::time::Duration::from_secs(3600)).await;
    assert_eq!(server.service.open_sockets(), 1 + CONNECTIONS);
    let instances = server.runtime.with_engine(|engine| engine.instances().count());
    assert_eq!(instances, 2 + CONNECTIONS);
    for (number, stream) in streams.iter_mut().enumerate().step_by(100) {
        let body = format!("client {number}");
        assert_eq!(post(stream, &body).await, body);
    }
    drop(streams);
    server.is_alone(&net).await;
}
