//! Sends a lot of bytes one way in large blocking writes, or receives them in large blocking reads; bare or over TLS.

use crate::Outcome;
use crate::cpu::{Account, Meter};
use crate::harness::{Effort, Sample};
use crate::sockets::{self, SETTLE, STALL};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::thread;

/// Bytes of one write.
pub const WRITE: usize = 1 << 20;
/// The size of a receiving load's reads.
const READ: usize = 256 * 1024;

/// How much is sent: some to warm up, then what is measured. The receiver answers each part with one byte.
#[derive(Clone, Copy, Debug)]
pub struct Volume {
    /// Bytes to warm up with.
    pub warm_up: u64,
    /// Bytes that are measured.
    pub measured: u64,
}

impl Volume {
    /// Three times 192 MB, or a part of it: once takes only some 50 ms.
    #[must_use]
    pub fn of(effort: &Effort) -> Self {
        Self {
            warm_up: 8_000_000,
            measured: effort.amount(3 * 192_000_000),
        }
    }

    /// All the bytes.
    #[must_use]
    pub fn total(self) -> u64 {
        self.warm_up + self.measured
    }
}

/// The bytes that are sent: byte `n` of the stream is byte `n` of this, again and again.
#[must_use]
pub fn pattern() -> Vec<u8> {
    (0..WRITE).map(|index| (index ^ (index >> 8)) as u8).collect()
}

/// The writes that make up the part of the volume that begins at this place, each as a range of [`pattern`].
pub fn pieces(volume: Volume, from: u64) -> impl Iterator<Item = Range<usize>> {
    let end = if from < volume.warm_up {
        volume.warm_up
    } else {
        volume.total()
    };
    let mut at = from;
    std::iter::from_fn(move || {
        let start = (at % WRITE as u64) as usize;
        let length = ((WRITE - start) as u64).min(end.saturating_sub(at));
        at += length;
        (length > 0).then_some(start..start + length as usize)
    })
}

/// What a receiver checks: that it got each byte in its place.
///
/// Comparing every byte would cost a good part of what receiving costs, so it looks at both ends of each piece.
#[derive(Debug)]
pub struct Check {
    pattern: Vec<u8>,
    volume: Volume,
    received: u64,
}

impl Check {
    /// Nothing received yet.
    #[must_use]
    pub fn new(volume: Volume) -> Self {
        Self {
            pattern: pattern(),
            volume,
            received: 0,
        }
    }

    /// Takes a piece, and tells how many parts of the volume it completed: to each belongs an answer of one byte.
    ///
    /// # Errors
    /// If the piece isn't what was sent, or is too much.
    pub fn take(&mut self, piece: &[u8]) -> Outcome<usize> {
        let (Some(first), Some(last)) = (piece.first(), piece.last()) else {
            return Ok(0);
        };
        let before = self.received;
        self.received += piece.len() as u64;
        let expected = |place: u64| self.pattern[(place % WRITE as u64) as usize];
        if *first != expected(before) || *last != expected(self.received - 1) || self.received > self.volume.total() {
            return Err(format!("wrong bytes between {before} and {}", self.received).into());
        }
        let marks = [self.volume.warm_up, self.volume.total()];
        Ok(marks
            .iter()
            .filter(|&&mark| before < mark && mark <= self.received)
            .count())
    }

    /// Bytes received so far.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received
    }
}

/// Sends the volume and tells the sample; one operation is a megabyte.
///
/// # Errors
/// If the connection or the handshake fails, or the receiver doesn't answer.
pub fn run(address: SocketAddr, volume: Volume, tls: Option<Arc<ClientConfig>>) -> Outcome<Sample> {
    on_connection(address, tls, |stream| send(stream, volume))
}

/// Has the server send the volume and tells the sample; one operation is a megabyte.
///
/// # Errors
/// If the connection or the handshake fails, or wrong bytes come.
pub fn run_back(address: SocketAddr, volume: Volume, tls: Option<Arc<ClientConfig>>) -> Outcome<Sample> {
    on_connection(address, tls, |stream| receive(stream, volume))
}

trait Duplex: Read + Write {}
impl<T: Read + Write> Duplex for T {}

fn on_connection(
    address: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
    work: impl FnOnce(&mut dyn Duplex) -> Outcome<Sample>,
) -> Outcome<Sample> {
    let mut stream = sockets::connect(address)?;
    stream.set_read_timeout(Some(STALL))?;
    thread::sleep(SETTLE);
    match tls {
        None => work(&mut stream),
        Some(config) => {
            let client = ClientConnection::new(config, ServerName::try_from("localhost")?)?;
            let mut stream = StreamOwned::new(client, stream);
            let sample = work(&mut stream)?;
            stream.conn.send_close_notify();
            stream.flush()?;
            Ok(sample)
        }
    }
}

fn send(stream: &mut dyn Duplex, volume: Volume) -> Outcome<Sample> {
    let block = pattern();
    let mut sent = 0;
    let mut part = || -> Outcome<()> {
        for piece in pieces(volume, sent) {
            stream.write_all(&block[piece.clone()])?;
            sent += piece.len() as u64;
        }
        stream.flush()?;
        stream.read_exact(&mut [0])?;
        Ok(())
    };
    part()?;
    let meter = Meter::start(Account::Others)?;
    part()?;
    Ok(Sample::new(volume.measured / 1_000_000, meter.stop()?))
}

fn receive(stream: &mut dyn Duplex, volume: Volume) -> Outcome<Sample> {
    let mut check = Check::new(volume);
    let mut buffer = vec![0; READ];
    let mut part = || -> Outcome<()> {
        stream.write_all(&[1])?;
        stream.flush()?;
        loop {
            match stream.read(&mut buffer)? {
                0 => return Err("the server closed the connection".into()),
                count if check.take(&buffer[..count])? > 0 => return Ok(()),
                _ => {}
            }
        }
    };
    part()?;
    let meter = Meter::start(Account::Others)?;
    part()?;
    Ok(Sample::new(volume.measured / 1_000_000, meter.stop()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_out_of_place_is_seen() {
        let volume = Volume {
            warm_up: 100,
            measured: 1000,
        };
        let bytes = pattern();
        let mut check = Check::new(volume);
        assert_eq!(check.take(&bytes[..99]).unwrap(), 0);
        assert_eq!(check.take(&bytes[99..200]).unwrap(), 1);
        assert!(check.take(&bytes[201..300]).is_err());
        let mut check = Check::new(volume);
        assert_eq!(check.take(&bytes[..1100]).unwrap(), 2);
        assert!(check.take(&bytes[1100..1101]).is_err());
    }
}
