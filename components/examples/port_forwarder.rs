//! A port forwarder with a tap: what passes is shown.
//!
//! ```text
//! cargo run -p components --example port_forwarder -- tcp://127.0.0.1:7002 tcp://127.0.0.1:7000
//! ```
//!
//! Each connection is a pipeline: tap, client of the other server, tap. Half-closes pass through, and nothing is lost at the
//! end of either side.

mod common;

use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use components::{Component, Connected, HasInbox, HasOutbox, Pipeline, ServerCore, System, TcpClient, map};

const USAGE: &str = "usage: port_forwarder LISTEN TO [--tls-cert FILE --tls-key FILE]";

/// Shows what passes.
fn tap(connection: u32, arrow: &'static str) -> impl Component + HasInbox<In = Bytes> + HasOutbox<Out = Bytes> {
    map(move |bytes: Bytes| {
        println!("{connection} {arrow} {} bytes: {}", bytes.len(), bytes.escape_ascii());
        bytes
    })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> common::Result<()> {
    let mut arguments = common::Arguments::read(USAGE, 2, &["--tls-cert", "--tls-key"]);
    let system = System::new(&arguments.net()?);
    let (listen, to) = (arguments.endpoint(), arguments.endpoint());
    let connections = AtomicU32::new(0);
    let server = ServerCore::bind(&system, &listen, move |_: &Connected| {
        let number = connections.fetch_add(1, Ordering::Relaxed) + 1;
        Pipeline::new(tap(number, "->"))
            .then(TcpClient::new(to.clone()))
            .then(tap(number, "<-"))
    })
    .await?;
    println!("listening on {}", server.local());
    common::run(system.activate(server)?).await
}
