//! A server and a client, two processes of one environment, that talk over sockets: simulated or real ones.
//!
//! ```text
//! cargo run -p sim-io --example sockets               a simulated network, in virtual time
//! cargo run -p sim-io --example sockets -- --real     the operating system's sockets; also --poll and --select
//! ```

mod common;

use std::process::ExitCode;

use net_core::{Endpoint, Net};
use sim_io::{Event, Failure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

async fn server(net: Net, address: Event<Endpoint>) -> Result<(), Failure> {
    let mut listener = net.bind(&"tcp://127.0.0.1:0".parse()?).await?;
    address.succeed(listener.local().clone())?;
    let mut sock = listener.accept().await?;
    let mut data = [0; 4];
    sock.read_exact(&mut data).await?;
    println!("{}", std::str::from_utf8(&data)?);
    sock.write_all(b"cya").await?;
    Ok(())
}

async fn client(net: Net, address: Event<Endpoint>) -> Result<(), Failure> {
    let mut sock = net.connect(&address.await?).await?;
    sock.write_all(b"ohai").await?;
    let mut data = [0; 3];
    sock.read_exact(&mut data).await?;
    println!("{}", std::str::from_utf8(&data)?);
    Ok(())
}

fn main() -> ExitCode {
    common::run("sockets", |env, net| {
        let address = env.event();
        env.named_try_process("server", server(net.clone(), address.clone()));
        let client = env.named_try_process("client", client(net, address));
        env.run_until(&client)?;
        Ok(())
    })
}
