//! A server and a client, two processes of one environment, that talk in requests and replies: over simulated or real sockets.
//!
//! ```text
//! cargo run -p sim-io --example messages               a simulated network, in virtual time
//! cargo run -p sim-io --example messages -- --real     the operating system's sockets; also --poll and --select
//! ```

mod common;

use std::process::ExitCode;

use net_core::{Endpoint, Net};
use sim_io::codec::Json;
use sim_io::message::Message;
use sim_io::{Event, Failure};

async fn server(net: Net, address: Event<Endpoint>) -> Result<(), Failure> {
    let mut listener = net.bind(&"tcp://127.0.0.1:0".parse()?).await?;
    address.succeed(listener.local().clone())?;
    let message = Message::new(listener.accept().await?, Json)?;
    let request = message
        .recv()
        .await?
        .ok_or_else(|| Failure::text("the client has gone"))?;
    println!("{}", request.content::<String>()?);
    request.succeed("cya")?;
    Ok(())
}

async fn client(net: Net, address: Event<Endpoint>) -> Result<(), Failure> {
    let message = Message::new(net.connect(&address.await?).await?, Json)?;
    let reply: String = message.send("ohai").await?;
    println!("{reply}");
    Ok(())
}

fn main() -> ExitCode {
    common::run("messages", |env, net| {
        let address = env.event();
        env.named_try_process("server", server(net.clone(), address.clone()));
        let client = env.named_try_process("client", client(net, address));
        env.run_until(&client)?;
        Ok(())
    })
}
