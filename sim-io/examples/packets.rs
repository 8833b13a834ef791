//! A server and a client, two processes of one environment, that talk in packets: over simulated or real sockets.
//!
//! ```text
//! cargo run -p sim-io --example packets               a simulated network, in virtual time
//! cargo run -p sim-io --example packets -- --real     the operating system's sockets; also --poll and --select
//! ```

mod common;

use std::process::ExitCode;

use net_core::{Endpoint, Net};
use sim_io::packet::Packet;
use sim_io::{Event, Failure};

async fn server(net: Net, address: Event<Endpoint>) -> Result<(), Failure> {
    let mut listener = net.bind(&"tcp://127.0.0.1:0".parse()?).await?;
    address.succeed(listener.local().clone())?;
    let mut packet = Packet::new(listener.accept().await?);
    let data = packet
        .read()
        .await?
        .ok_or_else(|| Failure::text("the client has gone"))?;
    println!("{}", std::str::from_utf8(&data)?);
    packet.write("cya").await?;
    Ok(())
}

async fn client(net: Net, address: Event<Endpoint>) -> Result<(), Failure> {
    let mut packet = Packet::new(net.connect(&address.await?).await?);
    packet.write("ohai").await?;
    let data = packet
        .read()
        .await?
        .ok_or_else(|| Failure::text("the server has gone"))?;
    println!("{}", std::str::from_utf8(&data)?);
    Ok(())
}

fn main() -> ExitCode {
    common::run("packets", |env, net| {
        let address = env.event();
        env.named_try_process("server", server(net.clone(), address.clone()));
        let client = env.named_try_process("client", client(net, address));
        env.run_until(&client)?;
        Ok(())
    })
}
