//! An echo of lines over any endpoint: a server, a client that talks to it, and an orderly end of both.
//!
//! ```text
//! cargo run -p net-core --example lines                        # tcp://127.0.0.1:0
//! cargo run -p net-core --example lines -- unix:/tmp/echo.sock
//! cargo run -p net-core --example lines -- mem:echo
//! ```

use std::time::Duration;

use net_core::framing::Line;
use net_core::{Endpoint, Framed, Guard, Listener, Net, Result, Shutdown, Stream};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let at: Endpoint = std::env::args()
        .nth(1)
        .as_deref()
        .unwrap_or("tcp://127.0.0.1:0")
        .parse()?;
    let net = Net::os().observed(|event| println!("event: {:?}", event.kind));
    let shutdown = Shutdown::new(&net);

    let listener = net.bind(&at).await?;
    let address = listener.local().clone();
    println!("listening on {address}");
    net.spawn(serve(net.clone(), listener, shutdown.clone()))?;

    let mut lines = Framed::new(net.connect(&address).await?, Line::default());
    for word in ["one", "two", "three"] {
        // Nothing leaves before the reply is waited for: three lines, one write.
        lines.push(word.as_bytes())?;
    }
    for _ in 0..3 {
        if let Some((reply, _)) = lines.next().await? {
            println!("reply: {}", String::from_utf8_lossy(&reply));
        }
    }
    let report = lines.close(Duration::from_secs(5)).await;
    println!("client closed, clean: {}", report.is_clean());

    let report = shutdown.stop(Duration::from_secs(5)).await;
    println!(
        "server stopped: {} finished, {} aborted",
        report.finished, report.aborted
    );
    Ok(())
}

/// Accepts until the shutdown begins; each connection has a task of its own.
async fn serve(net: Net, mut listener: Listener, shutdown: Shutdown) -> Result<()> {
    loop {
        let stream = tokio::select! {
            biased;
            () = shutdown.draining() => return Ok(()),
            stream = listener.accept() => stream?,
        };
        net.spawn(converse(stream, shutdown.guard()?))?;
    }
}

async fn converse(stream: Stream, guard: Guard) -> Result<()> {
    let mut lines = Framed::new(stream, Line::default());
    loop {
        let next = tokio::select! {
            biased;
            next = lines.next() => next?,
            () = guard.draining() => None,
        };
        let Some((line, mut out)) = next else { break };
        out.push(&line)?;
    }
    guard.lost(lines.close(Duration::from_secs(5)).await.lost);
    Ok(())
}
