//! tokio by hand: one task per connection on a current-thread runtime, its own buffers, one write per read.

use super::{Door, Job, Progress, READ};
use crate::Outcome;
use crate::framing::Framing;
use crate::load::bulk::{Check, Volume, pattern, pieces};
use crate::sockets;
use bytes::BytesMut;
use memchr::memchr;
use rustls::ServerConfig;
use std::cell::RefCell;
use std::error::Error;
use std::future::Future;
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

/// A current-thread runtime, on the calling thread.
///
/// # Errors
/// If the system refuses.
pub fn runtime() -> Outcome<Runtime> {
    Ok(Builder::new_current_thread().enable_io().build()?)
}

/// Serves each connection in a task of its own, and adds up what they count.
///
/// # Errors
/// Those of the sockets, or of a connection.
pub fn serve<F>(door: Door, job: Job, connection: impl Fn(TcpStream, Framing) -> F) -> Outcome<u64>
where
    F: Future<Output = Outcome<u64>> + Send + 'static,
{
    runtime()?.block_on(async move {
        let listener = TcpListener::from_std(door.listen_nonblocking()?)?;
        let mut tasks = Vec::with_capacity(job.connections);
        for _ in 0..job.connections {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tasks.push(tokio::spawn(connection(stream, job.framing)));
        }
        let mut frames = 0;
        for task in tasks {
            frames += task.await??;
        }
        Ok(frames)
    })
}

/// Echoes frames that are lent out of the read buffer.
///
/// # Errors
/// Those of the sockets.
pub fn lent(door: Door, job: Job) -> Outcome<u64> {
    serve(door, job, lent_connection)
}

/// The same on a Unix socket, for one connection.
///
/// # Errors
/// Those of the sockets.
pub fn lent_unix(door: Door<String>, job: Job) -> Outcome<u64> {
    runtime()?.block_on(async move {
        let (listener, name) = sockets::listen_unix()?;
        listener.set_nonblocking(true)?;
        let listener = UnixListener::from_std(listener)?;
        door.announce(name)?;
        let mut frames = 0;
        for _ in 0..job.connections {
            frames += lent_connection(listener.accept().await?.0, job.framing).await?;
        }
        Ok(frames)
    })
}

async fn lent_connection(mut stream: impl AsyncRead + AsyncWrite + Unpin, framing: Framing) -> Outcome<u64> {
    let mut buffer = vec![0; READ];
    let mut out = Vec::with_capacity(READ);
    let (mut filled, mut frames) = (0, 0);
    loop {
        match stream.read(&mut buffer[filled..]).await? {
            0 => return Ok(frames),
            count => filled += count,
        }
        let used = framing.walk(&buffer[..filled], |frame| {
            out.extend_from_slice(frame);
            frames += 1;
        });
        buffer.copy_within(used..filled, 0);
        filled -= used;
        stream.write_all(&out).await?;
        out.clear();
    }
}

/// Echoes frames that are split off the read buffer, each an owned `Bytes`.
///
/// # Errors
/// Those of the sockets.
pub fn owned(door: Door, job: Job) -> Outcome<u64> {
    serve(door, job, owned_connection)
}

async fn owned_connection(mut stream: TcpStream, framing: Framing) -> Outcome<u64> {
    let mut buffer = BytesMut::with_capacity(READ);
    let mut out = Vec::with_capacity(READ);
    let mut frames = 0;
    loop {
        buffer.reserve(READ);
        if stream.read_buf(&mut buffer).await? == 0 {
            return Ok(frames);
        }
        while let Some(size) = first_frame(framing, &buffer) {
            let frame = buffer.split_to(size).freeze();
            out.extend_from_slice(&frame);
            frames += 1;
        }
        stream.write_all(&out).await?;
        out.clear();
    }
}

/// How long the first frame is, terminator or length included, if it is whole.
#[must_use]
pub fn first_frame(framing: Framing, bytes: &[u8]) -> Option<usize> {
    match framing {
        Framing::Line => Some(memchr(b'\n', bytes)? + 1),
        Framing::Length => {
            let size = 4 + u32::from_be_bytes(*bytes.first_chunk::<4>()?) as usize;
            (size <= bytes.len()).then_some(size)
        }
    }
}

/// Serves many connections, each in a task of its own, which may end in whatever way.
///
/// # Errors
/// Those of the listener.
pub fn serve_crowd<F>(
    door: Door,
    job: Job,
    progress: Arc<Progress>,
    connection: impl Fn(TcpStream, Framing) -> F,
) -> Outcome<u64>
where
    F: Future<Output = Outcome<u64>> + Send + 'static,
{
    let frames = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&frames);
    runtime()?.block_on(async move {
        let listener = TcpListener::from_std(door.listen_nonblocking()?)?;
        let all_ended = Arc::new(Notify::new());
        for _ in 0..job.connections {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            progress.accepted.fetch_add(1, Ordering::Relaxed);
            let (progress, frames, all_ended) = (Arc::clone(&progress), Arc::clone(&frames), Arc::clone(&all_ended));
            let work = connection(stream, job.framing);
            tokio::spawn(async move {
                frames.fetch_add(work.await.unwrap_or(0), Ordering::Relaxed);
                if progress.ended.fetch_add(1, Ordering::Relaxed) + 1 == job.connections as u64 {
                    all_ended.notify_one();
                }
            });
        }
        all_ended.notified().await;
        Ok::<_, Box<dyn Error + Send + Sync>>(())
    })?;
    Ok(counted.load(Ordering::Relaxed))
}

/// Accepts, spawns, reads: the bare minimum of a task per connection. Answers nothing.
///
/// # Errors
/// Those of the listener.
pub fn accept(door: Door, job: Job, progress: Arc<Progress>) -> Outcome<u64> {
    serve_crowd(door, job, progress, |mut stream, _| async move {
        let mut buffer = [0; 64];
        while stream.read(&mut buffer).await? > 0 {}
        Ok(0)
    })
}

/// Echoes frames without a buffer per connection: waits until there is something to read, then reads into one that all
/// connections of the thread share. Only an unfinished frame is kept.
///
/// # Errors
/// Those of the listener.
pub fn unbuffered(door: Door, job: Job, progress: Arc<Progress>) -> Outcome<u64> {
    serve_crowd(door, job, progress, unbuffered_connection)
}

thread_local! {
    static SCRATCH: RefCell<(Vec<u8>, Vec<u8>)> = RefCell::new((vec![0; READ], Vec::with_capacity(READ)));
}

async fn unbuffered_connection(stream: TcpStream, framing: Framing) -> Outcome<u64> {
    let (mut tail, mut frames) = (Vec::new(), 0);
    loop {
        stream.readable().await?;
        let open = SCRATCH.with_borrow_mut(|(scratch, out)| -> Outcome<bool> {
            scratch[..tail.len()].copy_from_slice(&tail);
            let filled = match stream.try_read(&mut scratch[tail.len()..]) {
                Ok(0) => return Ok(false),
                Ok(count) => tail.len() + count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
                Err(error) => return Err(error.into()),
            };
            out.clear();
            let used = framing.walk(&scratch[..filled], |frame| {
                out.extend_from_slice(frame);
                frames += 1;
            });
            tail.clear();
            tail.extend_from_slice(&scratch[used..filled]);
            if stream.try_write(out)? < out.len() {
                return Err("the peer doesn't read".into());
            }
            Ok(true)
        })?;
        if !open {
            return Ok(frames);
        }
    }
}

/// Receives a volume in reads of `size` bytes, bare or over TLS.
///
/// # Errors
/// Those of the sockets, or if the bytes are wrong.
pub fn bulk(door: Door, volume: Volume, size: usize, tls: Option<Arc<ServerConfig>>) -> Outcome<u64> {
    runtime()?.block_on(async move {
        let listener = TcpListener::from_std(door.listen_nonblocking()?)?;
        let (mut stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        match tls {
            None => receive(&mut stream, volume, size).await,
            Some(config) => receive(&mut TlsAcceptor::from(config).accept(stream).await?, volume, size).await,
        }
    })
}

/// Sends a volume in writes of 1 MiB, a part of it for each byte that comes.
///
/// # Errors
/// Those of the sockets.
pub fn bulk_send(door: Door, volume: Volume, _: usize, tls: Option<Arc<ServerConfig>>) -> Outcome<u64> {
    runtime()?.block_on(async move {
        let listener = TcpListener::from_std(door.listen_nonblocking()?)?;
        let (mut stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        match tls {
            None => send(&mut stream, volume).await,
            Some(config) => send(&mut TlsAcceptor::from(config).accept(stream).await?, volume).await,
        }
    })
}

/// Sends a volume on any stream of tokio's, a part of it for each byte that comes.
///
/// # Errors
/// Those of the stream.
pub async fn send(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), volume: Volume) -> Outcome<u64> {
    let block = pattern();
    let mut sent = 0;
    while let 1.. = stream.read(&mut [0]).await? {
        for piece in pieces(volume, sent) {
            stream.write_all(&block[piece.clone()]).await?;
            sent += piece.len() as u64;
        }
        stream.flush().await?;
    }
    Ok(sent)
}

/// Receives a volume on any stream of tokio's, in reads of `size` bytes.
///
/// # Errors
/// Those of the stream, or if the bytes are wrong.
pub async fn receive(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), volume: Volume, size: usize) -> Outcome<u64> {
    let mut check = Check::new(volume);
    let mut buffer = vec![0; size];
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(check.received());
        }
        for _ in 0..check.take(&buffer[..count])? {
            stream.write_all(&[1]).await?;
            stream.flush().await?;
        }
    }
}
