//! net-core: `Framed` and `Stream` on the operating system's backend, with default limits, on a current-thread runtime.

use super::{Door, Job, Progress, tokio_loop};
use crate::Outcome;
use crate::framing::Framing;
use crate::load::bulk::{Check, Volume, pattern, pieces};
use crate::sockets::{self, BACKLOG};
use net_core::framing::{Framing as Rules, LengthPrefix, Line, Raw};
use net_core::{BindOptions, Framed, Listener, Net, SocketOptions, Stream, TlsServer};
use rustls::ServerConfig;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::AsyncReadExt;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;

/// A current-thread runtime with timers too: net-core has time limits.
///
/// # Errors
/// If the system refuses.
pub fn runtime() -> Outcome<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

/// The default options, with a backlog that holds every connection at once.
///
/// # Errors
/// None.
pub fn options() -> Outcome<BindOptions> {
    Ok(BindOptions::default().socket(SocketOptions::default().backlog(BACKLOG.try_into()?)))
}

async fn bind(net: &Net, endpoint: &str, tls: Option<Arc<ServerConfig>>) -> Outcome<Listener> {
    let mut options = options()?;
    if let Some(config) = tls {
        options = options.tls(TlsServer::from_rustls(config));
    }
    Ok(net.bind_with(&endpoint.parse()?, &options).await?)
}

async fn bind_tcp(net: &Net, door: &Door, tls: Option<Arc<ServerConfig>>) -> Outcome<Listener> {
    let scheme = if tls.is_some() { "tls" } else { "tcp" };
    let listener = bind(net, &format!("{scheme}://127.0.0.1:0"), tls).await?;
    let address = listener.local().socket_addr();
    door.announce(address.ok_or("the listener has no address")?)?;
    Ok(listener)
}

/// Serves each connection in a task of its own, and adds up what they count.
async fn serve<F>(
    net: &Net,
    mut listener: Listener,
    job: Job,
    connection: impl Fn(Stream, Framing) -> F,
) -> Outcome<u64>
where
    F: Future<Output = Outcome<u64>> + Send + 'static,
{
    let mut tasks = Vec::with_capacity(job.connections);
    for _ in 0..job.connections {
        tasks.push(net.spawn(connection(listener.accept().await?, job.framing))?);
    }
    let mut frames = 0;
    for task in tasks {
        frames += task.await??;
    }
    Ok(frames)
}

/// Serves on a TCP socket.
fn serve_tcp<F>(door: Door, job: Job, connection: impl Fn(Stream, Framing) -> F) -> Outcome<u64>
where
    F: Future<Output = Outcome<u64>> + Send + 'static,
{
    runtime()?.block_on(async move {
        let net = Net::os();
        let listener = bind_tcp(&net, &door, None).await?;
        serve(&net, listener, job, connection).await
    })
}

/// Echoes frames that are lent out of the read buffer.
///
/// # Errors
/// Those of the connections.
pub fn lent(door: Door, job: Job) -> Outcome<u64> {
    serve_tcp(door, job, lent_connection)
}

/// The same on a Unix socket.
///
/// # Errors
/// Those of the connections.
pub fn lent_unix(door: Door<String>, job: Job) -> Outcome<u64> {
    runtime()?.block_on(async move {
        let net = Net::os();
        let name = sockets::unix_name();
        let listener = bind(&net, &format!("unix:@{name}"), None).await?;
        door.announce(name)?;
        serve(&net, listener, job, lent_connection).await
    })
}

async fn lent_connection(stream: Stream, framing: Framing) -> Outcome<u64> {
    match framing {
        Framing::Line => echo_lent(Framed::new(stream, Line::default())).await,
        Framing::Length => echo_lent(Framed::new(stream, LengthPrefix::default())).await,
    }
}

async fn echo_lent(mut framed: Framed<impl Rules>) -> Outcome<u64> {
    while let Some((frame, mut out)) = framed.next().await? {
        out.push(&frame)?;
    }
    Ok(framed.frames())
}

/// Echoes frames that are split off the read buffer, each an owned `Bytes`.
///
/// # Errors
/// Those of the connections.
pub fn owned(door: Door, job: Job) -> Outcome<u64> {
    serve_tcp(door, job, |stream, framing| async move {
        match framing {
            Framing::Line => echo_owned(Framed::new(stream, Line::default())).await,
            Framing::Length => echo_owned(Framed::new(stream, LengthPrefix::default())).await,
        }
    })
}

async fn echo_owned(mut framed: Framed<impl Rules>) -> Outcome<u64> {
    while let Some((frame, mut out)) = framed.next().await? {
        let frame = frame.into_bytes();
        out.push(&frame)?;
    }
    Ok(framed.frames())
}

/// Echoes frames through a `Sender`, as another task would.
///
/// # Errors
/// Those of the connections.
pub fn sender(door: Door, job: Job) -> Outcome<u64> {
    serve_tcp(door, job, |stream, framing| async move {
        match framing {
            Framing::Line => echo_sender(Framed::new(stream, Line::default())).await,
            Framing::Length => echo_sender(Framed::new(stream, LengthPrefix::default())).await,
        }
    })
}

async fn echo_sender(mut framed: Framed<impl Rules>) -> Outcome<u64> {
    let sender = framed.sender();
    while let Some((frame, _)) = framed.next().await? {
        sender.push(&frame)?;
    }
    Ok(framed.frames())
}

/// A connection of many: tells what it counted, and that it has ended, when it is dropped.
struct Member {
    frames: u64,
    crowd: Arc<Crowd>,
}

struct Crowd {
    size: u64,
    frames: AtomicU64,
    progress: Arc<Progress>,
    all_ended: Notify,
}

impl Member {
    fn count(&mut self) {
        self.frames += 1;
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let crowd = &self.crowd;
        crowd.frames.fetch_add(self.frames, Ordering::Relaxed);
        if crowd.progress.ended.fetch_add(1, Ordering::Relaxed) + 1 == crowd.size {
            crowd.all_ended.notify_one();
        }
    }
}

/// Serves many connections, each in a task of its own, which may end in whatever way.
fn serve_crowd<F>(
    door: Door,
    job: Job,
    progress: Arc<Progress>,
    connection: impl Fn(Stream, Member) -> F,
) -> Outcome<u64>
where
    F: Future<Output = Outcome<()>> + Send + 'static,
{
    runtime()?.block_on(async move {
        let crowd = Arc::new(Crowd {
            size: job.connections as u64,
            frames: AtomicU64::new(0),
            progress,
            all_ended: Notify::new(),
        });
        let net = Net::os();
        let mut listener = bind_tcp(&net, &door, None).await?;
        for _ in 0..job.connections {
            let stream = listener.accept().await?;
            crowd.progress.accepted.fetch_add(1, Ordering::Relaxed);
            let member = Member {
                frames: 0,
                crowd: Arc::clone(&crowd),
            };
            net.spawn(connection(stream, member))?;
        }
        crowd.all_ended.notified().await;
        Ok(crowd.frames.load(Ordering::Relaxed))
    })
}

/// Accepts, spawns, reads; answers nothing.
///
/// # Errors
/// Those of the listener.
pub fn accept(door: Door, job: Job, progress: Arc<Progress>) -> Outcome<u64> {
    serve_crowd(door, job, progress, |mut stream, mut member| async move {
        let mut buffer = [0; 64];
        while stream.read(&mut buffer).await? > 0 {
            member.count();
        }
        Ok(())
    })
}

/// Echoes lent lines of many connections.
///
/// # Errors
/// Those of the listener.
pub fn crowd(door: Door, job: Job, progress: Arc<Progress>) -> Outcome<u64> {
    serve_crowd(door, job, progress, |stream, mut member| async move {
        let mut lines = Framed::new(stream, Line::default());
        while let Some((line, mut out)) = lines.next().await? {
            member.count();
            out.push(&line)?;
        }
        Ok(())
    })
}

/// One connection, bare or over TLS, for bulk.
fn bulk<F>(door: Door, tls: Option<Arc<ServerConfig>>, connection: impl Fn(Stream) -> F) -> Outcome<u64>
where
    F: Future<Output = Outcome<u64>>,
{
    runtime()?.block_on(async move {
        let mut listener = bind_tcp(&Net::os(), &door, tls).await?;
        connection(listener.accept().await?).await
    })
}

/// Receives a volume from a `Stream` in reads of `size` bytes.
///
/// # Errors
/// Those of the connection, or if the bytes are wrong.
pub fn bulk_stream(door: Door, volume: Volume, size: usize, tls: Option<Arc<ServerConfig>>) -> Outcome<u64> {
    bulk(door, tls, |mut stream| async move {
        tokio_loop::receive(&mut stream, volume, size).await
    })
}

/// Receives a volume as lent chunks of a `Framed<Raw>`, which sets the size of its reads itself.
///
/// # Errors
/// Those of the connection, or if the bytes are wrong.
pub fn bulk_framed(door: Door, volume: Volume, _: usize, tls: Option<Arc<ServerConfig>>) -> Outcome<u64> {
    bulk(door, tls, |stream| async move {
        let mut check = Check::new(volume);
        let mut chunks = Framed::new(stream, Raw);
        while let Some((chunk, mut out)) = chunks.next().await? {
            for _ in 0..check.take(&chunk)? {
                out.push(&[1])?;
            }
        }
        Ok(check.received())
    })
}

/// Sends a volume on a `Stream` in writes of 1 MiB, a part of it for each byte that comes.
///
/// # Errors
/// Those of the connection.
pub fn send_stream(door: Door, volume: Volume, _: usize, tls: Option<Arc<ServerConfig>>) -> Outcome<u64> {
    bulk(door, tls, |mut stream| async move {
        tokio_loop::send(&mut stream, volume).await
    })
}

/// Sends a volume through a `Framed<Raw>` in frames of 1 MiB, each flushed.
///
/// # Errors
/// Those of the connection.
pub fn send_framed(door: Door, volume: Volume, _: usize, tls: Option<Arc<ServerConfig>>) -> Outcome<u64> {
    bulk(door, tls, |stream| async move {
        let block = pattern();
        let mut sent = 0;
        let mut chunks = Framed::new(stream, Raw);
        while let Some((_, mut out)) = chunks.next().await? {
            for piece in pieces(volume, sent) {
                out.push(&block[piece.clone()])?;
                out.flush().await?;
                sent += piece.len() as u64;
            }
        }
        Ok(sent)
    })
}
