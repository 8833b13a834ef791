//! A server and a client, two processes of one environment, that talk in packets: over simulated or real sockets.
//!
//! ```text
//! cargo run -p sim-io --example packets               a simulated network, in virtual time
//! cargo run -p sim-io --example packets -- --real     the operating system's sockets; also --poll and --select
//! ```

use net_core::{Endpoint, Net};
use sim_io::network::Network;
use sim_io::packet::Packet;
use sim_io::reactor::Poller;
use sim_io::{Environment, Event, Failure};

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

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let flag = std::env::args().nth(1).unwrap_or_else(|| "--virtual".to_owned());
    let env = if flag == "--virtual" {
        Environment::new()
    } else {
        Environment::in_real_time()
    };
    let net = match &*flag {
        "--virtual" => Network::new(&env).host("both")?.net(),
        "--real" => env.net(),
        "--poll" => {
            env.use_poller(Poller::Poll)?;
            env.net()
        }
        "--select" => {
            env.use_poller(Poller::Select)?;
            env.net()
        }
        _ => {
            eprintln!("usage: packets [--virtual | --real | --poll | --select]");
            std::process::exit(2);
        }
    };
    let address = env.event();
    env.named_try_process("server", server(net.clone(), address.clone()));
    let client = env.named_try_process("client", client(net, address));
    env.run_until(&client)?;
    Ok(())
}
