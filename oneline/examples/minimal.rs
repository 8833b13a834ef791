//! The least server and client: starts, talks to itself, ends.

use oneline::{Client, Net, Result, Server};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let net = Net::os();
    let server = Server::new(async |command| match command.text() {
        "cmd01" => "ack",
        _ => "nak - unknown cmd",
    });
    let running = server.start(&net, &"tcp://127.0.0.1:0".parse()?).await?;
    println!("listening on {}", running.endpoint());

    let mut client = Client::connect(&net, running.endpoint()).await?;
    for command in ["ping", "cmd01", "junk"] {
        println!("{command} → {}", client.request(command).await?);
    }
    client.shutdown().await?;
    println!("stopped: {}", running.wait().await.reason);
    Ok(())
}
