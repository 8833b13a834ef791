//! An echo server: each client gets back what it sends.
//!
//! ```text
//! cargo run -p components --example echo_server -- tcp://127.0.0.1:7000
//! ```
//!
//! Any endpoint with a stream will do: `unix:/tmp/echo` too, and `tls://127.0.0.1:7443` with `--tls-cert FILE --tls-key FILE`.

mod common;

use components::util::EchoProtocol;
use components::{SimpleServer, System};

const USAGE: &str = "usage: echo_server ENDPOINT [--tls-cert FILE --tls-key FILE]";

#[tokio::main(flavor = "current_thread")]
async fn main() -> common::Result<()> {
    let mut arguments = common::Arguments::read(USAGE, 1, &["--tls-cert", "--tls-key"]);
    let system = System::new(&arguments.net()?);
    let server = SimpleServer::bind(&system, &arguments.endpoint(), EchoProtocol::new).await?;
    println!("listening on {}", server.local());
    common::run(system.activate(server)?).await
}
