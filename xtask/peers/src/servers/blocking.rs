//! A thread per connection, blocking sockets.

use super::{Door, Job, READ};
use crate::Outcome;
use crate::framing::Framing;
use crate::load::bulk::{Check, Volume, pattern, pieces};
use crate::sockets;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::sync::Arc;
use std::thread;

/// Echoes frames, each read answered with one write.
///
/// # Errors
/// Those of the sockets.
pub fn echo(door: Door, job: Job) -> Outcome<u64> {
    let listener = door.listen()?;
    let mut threads = Vec::with_capacity(job.connections);
    for _ in 0..job.connections {
        let (stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        threads.push(thread::spawn(move || echo_connection(stream, job.framing)));
    }
    let mut frames = 0;
    for thread in threads {
        frames += thread.join().map_err(|_| "a connection's thread panicked")??;
    }
    Ok(frames)
}

/// The same on a Unix socket.
///
/// # Errors
/// Those of the sockets.
pub fn echo_unix(door: Door<String>, job: Job) -> Outcome<u64> {
    let (listener, name) = sockets::listen_unix()?;
    door.announce(name)?;
    let mut frames = 0;
    for _ in 0..job.connections {
        frames += echo_connection(listener.accept()?.0, job.framing)?;
    }
    Ok(frames)
}

fn echo_connection(mut stream: impl Read + Write, framing: Framing) -> Outcome<u64> {
    let mut buffer = vec![0; READ];
    let (mut filled, mut frames) = (0, 0);
    loop {
        match stream.read(&mut buffer[filled..])? {
            0 => return Ok(frames),
            count => filled += count,
        }
        let used = framing.walk(&buffer[..filled], |_| frames += 1);
        stream.write_all(&buffer[..used])?;
        buffer.copy_within(used..filled, 0);
        filled -= used;
    }
}

/// Receives a volume in reads of `size` bytes, bare or over TLS.
///
/// # Errors
/// Those of the sockets, or if the bytes are wrong.
pub fn bulk(door: Door, volume: Volume, size: usize, tls: Option<Arc<ServerConfig>>) -> Outcome<u64> {
    let listener = door.listen()?;
    let (mut stream, _) = listener.accept()?;
    stream.set_nodelay(true)?;
    match tls {
        None => receive(&mut stream, volume, size),
        Some(config) => receive(
            &mut StreamOwned::new(ServerConnection::new(config)?, stream),
            volume,
            size,
        ),
    }
}

fn receive(stream: &mut (impl Read + Write), volume: Volume, size: usize) -> Outcome<u64> {
    let mut check = Check::new(volume);
    let mut buffer = vec![0; size];
    loop {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Ok(check.received());
        }
        for _ in 0..check.take(&buffer[..count])? {
            stream.write_all(&[1])?;
            stream.flush()?;
        }
    }
}

/// Sends a volume in writes of 1 MiB, a part of it for each byte that comes.
///
/// # Errors
/// Those of the sockets.
pub fn bulk_send(door: Door, volume: Volume, _: usize, tls: Option<Arc<ServerConfig>>) -> Outcome<u64> {
    let listener = door.listen()?;
    let (mut stream, _) = listener.accept()?;
    stream.set_nodelay(true)?;
    match tls {
        None => send(&mut stream, volume),
        Some(config) => send(&mut StreamOwned::new(ServerConnection::new(config)?, stream), volume),
    }
}

fn send(stream: &mut (impl Read + Write), volume: Volume) -> Outcome<u64> {
    let block = pattern();
    let mut sent = 0;
    while let 1.. = stream.read(&mut [0])? {
        for piece in pieces(volume, sent) {
            stream.write_all(&block[piece.clone()])?;
            sent += piece.len() as u64;
        }
        stream.flush()?;
    }
    Ok(sent)
}
