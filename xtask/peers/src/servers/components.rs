//! components: a server of adapters and handlers on real sockets; and, beside it, an echo of tokio alone.

use super::net_core::{options, runtime};
use super::{Door, Job, Progress, tokio_loop};
use crate::Outcome;
use crate::framing::Framing;
use components::util::EchoProtocol;
use components::{Connected, Net, ServerCore, System, TcpServer};
use net_core::EventKind;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// What one who writes it with tokio alone reads into.
const BUFFER: usize = 64 * 1024;

/// An adapter and an `EchoProtocol` for each connection; returns how many bytes were sent back.
///
/// # Errors
/// Those of the listener.
pub fn echo(door: Door, job: Job) -> Outcome<u64> {
    crowd(door, job, Arc::default())
}

/// The same for many connections, which may end in whatever way.
///
/// # Errors
/// Those of the listener.
pub fn crowd(door: Door, job: Job, progress: Arc<Progress>) -> Outcome<u64> {
    runtime()?.block_on(async move {
        let all_ended = Arc::new(Notify::new());
        let last = Arc::clone(&all_ended);
        let net = Net::os().observed(move |event| match event.kind {
            EventKind::Opened { .. } => {
                progress.accepted.fetch_add(1, Ordering::Relaxed);
            }
            EventKind::Closed { .. } => {
                let ended = progress.ended.fetch_add(1, Ordering::Relaxed) + 1;
                if ended == job.connections as u64 {
                    last.notify_one();
                }
            }
            _ => {}
        });
        let system = System::new(&net);
        let server = TcpServer::bind_with(&system, &"tcp://127.0.0.1:0".parse()?, &options()?).await?;
        let server = ServerCore::on(server, |_: &Connected| EchoProtocol::new());
        door.announce(server.local().socket_addr().ok_or("the server has no address")?)?;
        let server = system.activate(server)?;
        all_ended.notified().await;
        server.finish();
        let end = server.await;
        if !end.reason.is_clean() {
            return Err(end.to_string().into());
        }
        Ok::<_, Box<dyn Error + Send + Sync>>(net.stats().bytes_out)
    })
}

/// tokio alone: a task for each connection, with a buffer of its own.
///
/// # Errors
/// Those of the sockets.
pub fn tokio_alone(door: Door, job: Job) -> Outcome<u64> {
    tokio_loop::serve(door, job, tokio_connection)
}

/// The same for many connections, which may end in whatever way.
///
/// # Errors
/// Those of the listener.
pub fn tokio_alone_crowd(door: Door, job: Job, progress: Arc<Progress>) -> Outcome<u64> {
    tokio_loop::serve_crowd(door, job, progress, tokio_connection)
}

async fn tokio_connection(mut stream: TcpStream, _: Framing) -> Outcome<u64> {
    let mut buffer = vec![0; BUFFER];
    let mut bytes = 0;
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(bytes),
            count => {
                stream.write_all(&buffer[..count]).await?;
                bytes += count as u64;
            }
        }
    }
}
